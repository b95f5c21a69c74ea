"""Levels of a face's skin in a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def skin_colour(picture: NDArray[np.uint8], points: NDArray) -> NDArray[np.float32]:
    """[3] levels, medians. :param picture: [H, W, 3]. :param points: [68, 2] pixels."""
    return np.asarray(np.median(_cheeks(picture, points), 0), np.float32)


def skin_light(picture: NDArray[np.uint8], points: NDArray) -> float:
    """Median of its levels. Arguments as of :func:`skin_colour`."""
    return float(np.median(_cheeks(picture, points).mean(1)))


def _cheeks(picture: NDArray[np.uint8], points: NDArray) -> NDArray[np.uint8]:
    """[4, 3] what lies between eyes and jaw."""
    size = np.array(picture.shape[1::-1]) - 1
    places = np.round((points[[1, 2, 14, 15]] + points[[31, 31, 35, 35]]) / 2).astype(int).clip(0, size)
    return np.stack([picture[y, x] for x, y in places])
