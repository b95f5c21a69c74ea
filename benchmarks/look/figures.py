"""What is said of a change in numbers. Pictures are RGB; crops of all people lie in the pack's template alike."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
CYCLES = 8.0  # per crop: below lie shading and tint, above folds, rims, hair and teeth
UNCHANGED = 0.1  # mean change of luma, levels, below which nothing is said of its kind


def luma(pictures: NDArray) -> NDArray[np.float64]:
    """[..., H, W, 3] to [..., H, W], levels of 0..255."""
    return np.asarray(pictures, np.float64) @ LUMA


def changes_anything(change: NDArray) -> bool:
    """:param change: [H, W] of luma, levels."""
    return bool(np.abs(change).mean() >= UNCHANGED)


def sameness(changes: NDArray) -> float:
    """How alike an edit's changes of different people are: the mean over pairs of the correlation of their luma.

    1 is a stencil, one change for everybody. Faces that nothing changed are left out; NaN: fewer than two are left.

    :param changes: [N, S, S] of luma, levels, in the crop.
    """
    flat = [c.ravel() - c.mean() for c in changes if changes_anything(c)]
    unit = [c / max(float(np.linalg.norm(c)), 1e-9) for c in flat]
    return float(np.mean([a @ b for a, b in combinations(unit, 2)])) if len(unit) > 1 else float("nan")


def power_above(change: NDArray, cycles: float = CYCLES) -> float:
    """Share 0..1 of a change's spectral power at radial frequencies above ``cycles`` per crop.

    The change is windowed (Hann, both ways), so that the crop's border adds no frequencies of its own, and its mean
    under the window is taken off, which would leak into the lowest ones. NaN where nothing changed.

    :param change: [S, S] of luma, levels.
    """
    if not changes_anything(change):
        return float("nan")
    size = len(change)
    window = np.outer(np.hanning(size), np.hanning(size))
    power = np.abs(np.fft.fft2((change - np.average(change, weights=window)) * window)) ** 2
    axis = np.fft.fftfreq(size, 1 / size)
    radius = np.hypot(axis[:, None], axis[None])
    return float(power[radius > cycles].sum() / max(float(power.sum()), 1e-12))


def outside(change: NDArray, face: NDArray[np.bool_]) -> float:
    """Share 0..1 of the absolute change that lies outside the face. NaN where nothing changed.

    :param change: [H, W, 3] levels. :param face: [H, W].
    """
    size = np.abs(change).sum(2)
    return float(size[~face].sum() / size.sum()) if size.mean() >= UNCHANGED else float("nan")


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


def overlaid(source: NDArray[np.uint8], changes: NDArray) -> NDArray[np.uint8]:
    """The mean of other people's changes laid over this one: what a stencil would do.

    :param source: [S, S, 3] crop. :param changes: [N, S, S, 3] levels, in their crops. :return: [S, S, 3].
    """
    return np.clip(np.rint(source + changes.mean(0)), 0, 255).astype(np.uint8)
