"""Heads turned and nodded in pictures, by some degrees: each place of a face moves by how far before the eyes it is.

Depth is that of a plain head: a rounded front and a nose. For small turns that is what changes; the crop is of the eyes
and the mouth, which stay where they are.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.axes import axes
from vidinv.training.mouths import Frame, frame_of

# In halves of the eyes' distance: how far the tip of the nose is before the eyes, how wide and high it is, how far
# back the side of the head is, and where the middle of the head is below the eyes.
NOSE, NOSE_WIDE, NOSE_HIGH = 0.72, 0.42, 0.6
SIDE, ACROSS = 0.75, 1.75
DOWN, ALONG = 0.9, 3.4
CHIN = 0.25  # how far a chin stands out


def turn(
    picture: NDArray[np.uint8], points: NDArray, yaw: float = 0.0, pitch: float = 0.0
) -> tuple[NDArray[np.uint8], NDArray]:
    """:param picture: [S, S, 3] RGB. :param points: [68, 2] pixels.
    :param yaw: degrees, to the picture's right. :param pitch: degrees, downwards.
    :return: the picture, and its landmarks."""
    side, face = len(picture), axes(points)
    frame, unit = frame_of(face), face.unit
    by = unit * (np.sin(np.radians(yaw)) * frame.basis[0] + np.sin(np.radians(pitch)) * frame.basis[1])
    grid = np.stack(np.meshgrid(*[np.arange(side, dtype=float)] * 2), -1)
    tip = points[30]
    source = grid
    for _ in range(3):  # where a pixel came from decides how far it came
        source = grid - _depth(source, frame, face.origin, tip, unit)[..., None] * by
    source = source.astype(np.float32)
    made = cv2.remap(picture, source[..., 0], source[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return made.astype(np.uint8), points + _depth(points, frame, face.origin, tip, unit)[..., None] * by


def _depth(at: NDArray, frame: Frame, eyes: NDArray, tip: NDArray, unit: float) -> NDArray:
    """How far before the eyes, [...], in halves of their distance."""
    off = frame.apart(at, eyes) / unit
    x, y = off[..., 0], off[..., 1]
    nose = frame.apart(at, tip) / unit
    above = np.where(nose[..., 1] < 0, NOSE_HIGH, 0.32)  # a nose rises slowly and ends soon
    bump = NOSE * np.exp(-((nose[..., 0] / NOSE_WIDE) ** 2) - (nose[..., 1] / above) ** 2)
    front = 0.22 - SIDE * (x / ACROSS) ** 2 / (1 + 0.25 * (x / ACROSS) ** 2) - DOWN * ((y - 0.8) / ALONG) ** 2
    chin = CHIN * np.exp(-((x / 0.6) ** 2) - ((y - 3.1) / 0.5) ** 2)
    return front.clip(-1.1) + bump + chin
