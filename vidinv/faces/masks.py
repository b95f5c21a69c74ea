"""Soft masks in crop space: 1 on the face, 0 well before the crop's border."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=8)
def oval(size: int, reach: float = 0.97, feather: float = 0.3) -> NDArray[np.float32]:
    """Rounded square that falls smoothly to 0 at ``reach`` of the half side; ``feather`` is the fall's share of it.

    :return: [size, size], 0..1; read-only, shared.
    """
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    # A superellipse: wide enough for jaw and forehead, without the corners where the background is.
    radius = (np.abs(axis)[None, :] ** 3 + np.abs(axis)[:, None] ** 3) ** (1 / 3)
    ramp = np.clip((reach - radius) / (feather * reach), 0, 1)
    mask = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
    mask.setflags(write=False)
    return mask


def hull(points: NDArray, size: int, grow: float = 0.08, feather: float = 0.06) -> NDArray[np.float32]:
    """Convex hull of 68 landmarks, its brows raised to the forehead, grown and feathered.

    :param points: [68, 2] crop pixels; 0..16 the jaw, 17..26 the brows.
    :param grow: growth in sides of the crop. :param feather: width of the soft border, likewise.
    :return: [size, size], 0..1.
    """
    brows = points[17:27]
    up = brows.mean(0) - points[6:11].mean(0)
    outline = np.concatenate([points[:17], brows + 0.35 * up])
    mask = np.zeros((size, size), np.float32)
    shape = cv2.convexHull(np.round(outline * 16).astype(np.int32))
    cv2.fillConvexPoly(mask, shape, 1.0, cv2.LINE_AA, shift=4)
    width = 2 * round(grow * size) + 1
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
    return cv2.GaussianBlur(mask, (0, 0), feather * size)
