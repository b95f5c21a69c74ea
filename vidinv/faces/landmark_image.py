"""Landmarks as a picture: the 68 points (iBUG 300-W order) joined by lines, for networks that look at shapes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# First and last point of each line, and whether it closes.
LINES = (
    (0, 16, False),  # jaw
    (17, 21, False),  # brows
    (22, 26, False),
    (27, 30, False),  # bridge of the nose
    (31, 35, False),  # nostrils
    (36, 41, True),  # eyes
    (42, 47, True),
    (48, 59, True),  # outer lips
    (60, 67, True),  # inner lips
)
SHIFT = 6  # binary places that OpenCV is told of a point


def landmark_image(points: NDArray, side: int) -> NDArray[np.float32]:
    """White lines a pixel wide on black, smoothed at their edges; what leaves the picture is cut off.

    :param points: [68, 2], x and y as fractions of the crop.
    :param side: of the picture, pixels.
    :return: [side, side], 0..1.
    """
    canvas = np.zeros((side, side), np.uint8)
    # Far beyond the crop OpenCV's fixed point would overflow.
    pixels = np.clip(np.asarray(points, np.float64) * side - 0.5, -4 * side, 4 * side)
    fixed = np.round(pixels * 2**SHIFT).astype(np.int32)
    for first, last, closed in LINES:
        cv2.polylines(canvas, [fixed[first : last + 1]], closed, 255, 1, cv2.LINE_AA, SHIFT)
    return canvas.astype(np.float32) / np.float32(255)


def landmark_images(points: NDArray, side: int) -> NDArray[np.float32]:
    """The same of [N, 68, 2]: [N, 1, side, side]."""
    return np.stack([landmark_image(p, side) for p in points])[:, None]
