"""Levels of a face's parts in a picture: how light its skin is, and how dark its hair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidinv.faces.axes import axes
from vidinv.faces.strokes import blank, small, stroke


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


def hair_colour(picture: NDArray[np.uint8], points: NDArray) -> NDArray[np.float32]:
    """Of the brows' darker half, [3] levels; never nearer to the skin than a beard that is seen as one."""
    brows = blank(*picture.shape[:2])
    for first in (17, 22):
        stroke(brows, points[first : first + 5], 0.1 * axes(points).unit)
    inside = picture[small(brows) > 0.5].astype(np.float32)
    light = skin_light(picture, points)
    if not len(inside):
        return np.full(3, 0.3 * light, np.float32)
    dark = inside[np.argsort(inside.mean(1))[: max(len(inside) // 2, 1)]]
    colour = np.median(dark, 0)
    return np.asarray(colour * min(1.0, 0.36 * light / max(float(colour.mean()), 1e-6)), np.float32)
