"""Rendered -> Steadied: what the edit changes, averaged over the past along the face's own motion.

From frame to frame the generator's two pictures differ at random. The last frame's change is moved to where the face is
now (optical flow between the source's crops) and the new one is mixed into it: what sits on the skin stays on the skin.
The frame's own pixels are not touched by it, so nothing of the footage is smeared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.compositing import change_between
from vidinv.faces.motion import fetch, optical_flow
from vidinv.types import Change, Crop, Rendered, Steadied


@dataclass(frozen=True)
class StabiliseOptions:
    memory: float = 0.3  # seconds after which a change counts 1/e; 0: every frame by itself
    trust: float = 30.0  # levels of 0..255: where flow leaves more unexplained (a blink), the past counts little
    rate: float = 30.0  # frames per second, for frames that carry no time


@dataclass(frozen=True)
class _Past:
    """What is kept of a person from one frame to the next."""

    time: float
    crop: NDArray[np.uint8]  # [S, S, 3] the source's
    motion: NDArray[np.float32]  # [S, S, 3] mean of Change.motion, and of the strength it was made at
    rest: NDArray[np.float32]  # [S, S, 3] mean of Change.rest


def stabilise(stream: Iterable[Rendered], options: StabiliseOptions = StabiliseOptions()) -> Iterator[Steadied]:
    """Average every edited face's change over the frames before it in which it is edited too, back to the last cut."""
    past: dict[int, _Past] = {}
    for rendered in stream:
        aligned, edited = rendered.edited.coded.aligned, rendered.edited
        before = {} if aligned.found.cut else past
        past, changes = {}, []
        for i, (crop, picture) in enumerate(zip(aligned.crops, rendered.edits, strict=True)):
            if picture is None:
                changes.append(None)
                continue
            change = change_between(rendered.inversions[i], picture)
            now = _mixed(before.get(crop.person), crop, change, edited.strength, _time(rendered, options), options)
            past[crop.person] = now
            # A strength that comes or goes must not drag behind: what is averaged is the change per strength.
            gain = edited.strength / np.maximum(now.motion[..., 2:], 1e-6)
            changes.append(Change(now.motion[..., :2] * gain, now.rest * gain))
        yield Steadied(rendered, tuple(changes))


def _mixed(
    past: _Past | None, crop: Crop, change: Change, strength: float, time: float, options: StabiliseOptions
) -> _Past:
    """The past, moved to where the face is now, with the new change mixed into it."""
    strengths = np.full_like(change.motion[..., :1], strength)
    motion, rest = np.concatenate([change.motion, strengths], 2), change.rest
    if past is not None and options.memory > 0:
        by = cv2.GaussianBlur(optical_flow(crop.image, past.crop), (0, 0), crop.image.shape[0] / 64)
        unexplained = np.abs(fetch(past.crop, by).astype(np.float32) - crop.image).mean(2)
        unexplained = cv2.GaussianBlur(unexplained, (0, 0), crop.image.shape[0] / 85)
        keep = math.exp(-max(time - past.time, 0) / options.memory) * np.exp(-np.square(unexplained / options.trust))
        motion, rest = (
            new + keep[..., None] * (fetch(old, by) - new) for old, new in ((past.motion, motion), (past.rest, rest))
        )
    return _Past(time, crop.image, motion, rest)


def _time(rendered: Rendered, options: StabiliseOptions) -> float:
    frame = rendered.frame
    return float(frame.time) if frame.time is not None else frame.index / options.rate
