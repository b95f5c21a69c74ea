"""Where one shot ends and the next begins. What passes is none: a flash, a strobe, a fade, a caption."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.types import Frame, known

CUT_DIFFERENCE = 18.0  # mean absolute difference of thumbnails, 0..255, below which no cut is seen
CUT_RATIO = 3.0  # times the recent frames' own difference: a waving camera is no cut
PASSING = 0.3  # seconds after which the old picture has to be back, if what came between was a flash
MOST = 1 << 28  # bytes of frames that may wait: all of PASSING in 4K at 30 frames per second
ALIKE = 0.9  # correlation of two pictures of one scene in other light
EXPLAINED = 1 / 3  # share of the difference that other light may leave
LIT = 4.0  # levels: standard deviation of a picture that shows anything
SAME = 6.0  # levels by which a place that stays as it was may differ
STAYS = 0.4  # share of the picture that stays under a caption ...
STRUCTURE = 15.0  # ... and its standard deviation: a plain background stays also where another person is before it


@dataclass(frozen=True)
class Waiting:
    """A frame of which it is not known yet whether it passes, or stays."""

    frame: Frame
    thumbnail: NDArray[np.float32]


@dataclass(frozen=True)
class ShotState:
    """What the shot looked like last."""

    thumbnail: NDArray[np.float32] | None = None  # [18, 32, 3] RGB, 0..255
    usual: float = 0.0  # running mean of the difference between neighbours
    waiting: tuple[Waiting, ...] = ()
    lit: NDArray[np.float32] | None = None  # the last thumbnail that showed anything; None: none in this shot


def mark_cuts(
    state: ShotState, frame: Frame | None, rate: float, opened: Frame | None = None
) -> tuple[ShotState, list[Frame]]:
    """Frames that are known to begin a new shot, or not: ``cut`` says so. The first of all does not.

    One that differs from those before it waits for up to PASSING, and as long as no more than MOST wait: if the old
    picture is back until then, it was no cut. Others come out at once.

    :param frame: None at the end. :param rate: frames per second. :param opened: the same one, where that is at hand.
    """
    if frame is None:
        return _settled(state, 0, len(state.waiting))
    small = thumbnail_of(frame if opened is None else opened)
    if state.thumbnail is None:
        return ShotState(small, lit=_lit(small)), [replace(frame, cut=False)]
    compared = len(state.waiting)
    state = replace(state, waiting=(*state.waiting, Waiting(frame, small)))
    return _settled(state, min(round(PASSING * rate), MOST // frame.image.nbytes), compared)


def _settled(state: ShotState, ahead: int, compared: int) -> tuple[ShotState, list[Frame]]:
    """Let those go of which all is known.

    :param ahead: frames that one may wait for. :param compared: of those waiting, known not to be the shot's picture.
    """
    out: list[Frame] = []
    while state.waiting:
        back = next(
            (i for i, one in enumerate(state.waiting) if i >= compared and not _jumps(state, one.thumbnail)), None
        )
        if back is None and len(state.waiting) <= ahead:
            break
        if back is None:
            first, *rest = state.waiting
            out.append(replace(first.frame, cut=True))
            state = ShotState(first.thumbnail, 0.0, tuple(rest), _lit(first.thumbnail))
            compared = 0
            continue
        out += [replace(one.frame, cut=False) for one in state.waiting[: back + 1]]
        now = state.waiting[back].thumbnail
        usual = 0.8 * state.usual + 0.2 * _difference(known(state.thumbnail), now)
        lit = _lit(now)
        state = ShotState(now, usual, state.waiting[back + 1 :], state.lit if lit is None else lit)
        compared = 0
    return state, out


def thumbnail_of(frame: Frame) -> NDArray[np.float32]:
    """[18, 32, 3] of a frame's picture."""
    pixels = frame.sampled(max(frame.image.shape[0] // 180, 1))
    small = cv2.resize(np.ascontiguousarray(pixels), (32, 18), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)


def _difference(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.abs(b - a).mean())


def _spread(thumbnail: NDArray[np.float32]) -> NDArray[np.float32]:
    """What it shows beside its mean colour."""
    return np.asarray(thumbnail - thumbnail.mean((0, 1)), np.float32)


def _lit(thumbnail: NDArray[np.float32]) -> NDArray[np.float32] | None:
    return thumbnail if float(_spread(thumbnail).std()) >= LIT else None


def _jumps(state: ShotState, after: NDArray[np.float32]) -> bool:
    """Is it another picture than the shot's?"""
    before = known(state.thumbnail)
    if _difference(before, after) <= max(CUT_DIFFERENCE, CUT_RATIO * state.usual):
        return False
    if _lit(before) is None and state.lit is not None:  # out of the dark
        return _difference(state.lit, after) > CUT_DIFFERENCE and not _is_relit(state.lit, after)
    return not (_is_relit(before, after) or _is_covered(before, after))


def _is_relit(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """The same scene, lighter or darker: a fade, a lamp."""
    a, b = _spread(before), _spread(after)
    spread = float(a.std()), float(b.std())
    if min(spread) < LIT or float((a * b).mean()) < ALIKE * spread[0] * spread[1]:
        return False
    return _difference(a * (spread[1] / spread[0]), b) < EXPLAINED * _difference(before, after)


def _is_covered(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Much of the scene stays where it is: something was put over the rest, or taken away."""
    same = np.abs(after - before).max(2) < SAME
    return bool(same.mean() > STAYS and before.mean(2)[same].std() > STRUCTURE)
