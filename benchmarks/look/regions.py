"""Where the face and its skin are, from 68 landmarks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# How far above the brows the face goes, in distances from the brows to the nose's base: a third of a face is forehead,
# less what hair hides of it.
FOREHEAD = 0.75
MARGIN = 0.06  # of the eyes' distance to the mouth, by which the face is taken to be wider than its landmarks
HOLES = (range(36, 42), range(42, 48), range(48, 60), range(17, 22), range(22, 27))  # eyes, mouth, brows
AROUND = 0.1  # likewise, by which eyes, mouth and brows are taken to be wider than theirs


def face(points68: NDArray, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The convex hull of the landmarks and of a forehead above the brows, dilated by MARGIN, [H, W].

    :param points68: [68, 2] pixels. :param shape: H, W.
    """
    p = np.asarray(points68, np.float64)
    up = (p[17:27].mean(0) - p[31:36].mean(0)) * FOREHEAD
    return _hull(np.concatenate([p, p[17:27] + up]), shape, MARGIN * _length(p))


def skin(points68: NDArray, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The face without eyes, mouth and brows, [H, W]."""
    p = np.asarray(points68, np.float64)
    found = face(p, shape)
    for hole in HOLES:
        found &= ~_hull(p[list(hole)], shape, AROUND * _length(p))
    return found


def _length(p: NDArray) -> float:
    """From the middle of the eyes to that of the mouth, pixels."""
    return float(np.linalg.norm(p[36:48].mean(0) - p[48:60].mean(0)))


def _hull(points: NDArray, shape: tuple[int, ...], margin: float) -> NDArray[np.bool_]:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), 1)
    reach = max(round(margin), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(mask, kernel) > 0
