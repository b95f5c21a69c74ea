"""What is said of a change in numbers. Pictures are RGB; crops of all people lie in the pack's template alike."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.compositing import change_between, changed_picture
from vidinv.types import Change

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
CYCLES = 8.0  # per crop: below lie shading and tint, above folds, rims, hair and teeth
# Standard deviation of a change, levels, below which nothing is said of its kind. Rounding to whole levels alone makes
# 0.3 of white noise, which at 1 is a twelfth of the power.
UNCHANGED = 1.0
MOVES = 0.25  # pixels of the crop that a pixel moves at least; the flow of what only changes its shade is less
MOVING = 0.01  # share of the crop that moves at least, or nothing is said of how


def luma(pictures: NDArray) -> NDArray[np.float64]:
    """[..., H, W, 3] to [..., H, W], levels of 0..255."""
    return np.asarray(pictures, np.float64) @ LUMA


def changes_anything(change: NDArray) -> bool:
    """:param change: [H, W] of luma, levels."""
    return bool(change.std() >= UNCHANGED)


def split(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Change:
    """A change as the motion between the two pictures and the rest, as the product does it.

    :param before: [S, S, 3] crop. :param after: likewise.
    """
    return change_between(before.astype(np.float32), after.astype(np.float32))


def sameness(changes: NDArray) -> float:
    """How alike an edit's changes of different people are: the mean over pairs of the correlation of their luma.

    1 is a stencil, one change for everybody. Faces that nothing changed are left out; NaN: fewer than two are left.

    :param changes: [N, S, S] of luma, levels, in the crop.
    """
    flat = [c.ravel() - c.mean() for c in changes if changes_anything(c)]
    unit = [c / max(float(np.linalg.norm(c)), 1e-9) for c in flat]
    return float(np.mean([a @ b for a, b in combinations(unit, 2)])) if len(unit) > 1 else float("nan")


def sameness_motion(motions: NDArray) -> float:
    """How alike an edit moves different people: the mean over pairs of the correlation of their motion, about none.

    1 is one warp for everybody. What moves less than MOVES is taken to stand still, and where both stand still a pair
    says nothing. Faces that do not move are left out; NaN: fewer than two are left.

    :param motions: [N, S, S, 2] pixels, in the crop.
    """
    moves = np.linalg.norm(motions, axis=-1) >= MOVES
    flat = [np.where(m[..., None], f, 0).ravel() for m, f in zip(moves, motions, strict=True) if m.mean() >= MOVING]
    unit = [f.astype(np.float64) / float(np.linalg.norm(f)) for f in flat]
    return float(np.mean([a @ b for a, b in combinations(unit, 2)])) if len(unit) > 1 else float("nan")


def power_above(change: NDArray, cycles: float = CYCLES) -> float:
    """Share 0..1 of a change's spectral power at radial frequencies above ``cycles`` per crop.

    The change is windowed (Hann, both ways), so that the crop's border adds no frequencies of its own, and its mean
    under the window is taken off, which would leak into the lowest ones. NaN where nothing changed.

    :param change: [S, S] of luma, levels.
    """
    size = len(change)
    window = np.outer(np.hanning(size), np.hanning(size))
    about = change - np.average(change, weights=window)
    if np.sqrt(np.average(about**2, weights=window)) < UNCHANGED:
        return float("nan")
    power = np.abs(np.fft.fft2(about * window)) ** 2
    axis = np.fft.fftfreq(size, 1 / size)
    radius = np.hypot(axis[:, None], axis[None])
    return float(power[radius > cycles].sum() / max(float(power.sum()), 1e-12))


def outside(change: NDArray, face: NDArray[np.bool_]) -> float:
    """Share 0..1 of the absolute change that lies outside the face. NaN where nothing changed: a root mean square
    below UNCHANGED per channel.

    :param change: [H, W, 3] levels. :param face: [H, W].
    """
    if np.sqrt(np.square(change).mean()) < UNCHANGED:
        return float("nan")
    size = np.abs(change).sum(2)
    return float(size[~face].sum() / size.sum())


def chroma_drift(before: NDArray[np.uint8], after: NDArray[np.uint8], skin: NDArray[np.bool_]) -> float:
    """Mean distance in the a*b* plane of CIELAB by which the skin's colour moved; about 2.3 is just seen.

    :param before: [H, W, 3]. :param after: likewise. :param skin: [H, W].
    """
    a, b = (cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[skin][:, 1:] for p in (before, after))
    return float(np.linalg.norm(b - a, axis=1).mean())


def sharpness(before: NDArray[np.uint8], after: NDArray[np.uint8], face: NDArray[np.bool_]) -> float:
    """Energy of the Laplacian of ``after``'s luma inside the face over that of ``before``'s; 1 is as sharp.

    :param before: [H, W, 3] at native size. :param after: likewise. :param face: [H, W].
    """
    energy = [float(np.square(cv2.Laplacian(luma(p), cv2.CV_64F))[face].sum()) for p in (before, after)]
    return energy[1] / max(energy[0], 1e-9)


def mean_change(changes: Sequence[Change]) -> Change:
    """The mean motion and the mean of the rest."""
    return Change(np.mean([c.motion for c in changes], 0), np.mean([c.residual for c in changes], 0))


def overlaid(source: NDArray[np.uint8], change: Change) -> NDArray[np.uint8]:
    """Other people's mean change laid over this one: what a stencil would do, be it paint or a warp.

    :param source: [S, S, 3] crop. :return: likewise.
    """
    return np.rint(changed_picture(source.astype(np.float32), change)).astype(np.uint8)
