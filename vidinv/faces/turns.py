"""Faces that lie on their side, stand on their head, or anything between: their turn, and points of turned pictures."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

UPRIGHT = 35.0  # degrees: a head that leans less is found as it is
STEP = 15.0  # degrees, to which a larger turn is rounded

QUARTERS = (90.0, 180.0, 270.0)


def roll_of(points: NDArray) -> float:
    """Degrees, -180..180, by which a face is turned clockwise as one sees it; 0 stands upright.

    :param points: [5, 2] as of the detector, pixels.
    """
    p = np.asarray(points, np.float64)
    across, down = p[1] - p[0], p[3:5].mean(0) - p[:2].mean(0)
    x = across - np.array([-down[1], down[0]])  # the eyes' line and the face's own are each skewed by a pose
    return math.degrees(math.atan2(x[1], x[0]))


def leaning(points: NDArray | None) -> float:
    """Degrees by which a picture is to be turned back before a face in it is looked for; mostly 0."""
    roll = 0.0 if points is None else roll_of(points)
    return 0.0 if abs(roll) < UPRIGHT else STEP * round(roll / STEP)


def quarters_of(angle: float) -> int:
    """The nearest number of quarter turns, anticlockwise, that brings a face of this turn upright: 0 to 3."""
    return round(angle / 90) % 4


def turn_back(angle: float, size: int, new_size: int) -> NDArray[np.float64]:
    """2x3 map from pixels of a square picture to those of one that is turned back about its centre."""
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    linear = np.array([[c, s], [-s, c]])
    return np.concatenate([linear, (new_size / 2 - 0.5 - linear @ np.full(2, size / 2 - 0.5))[:, None]], 1)


def turned_boxes(boxes: NDArray, to_frame: NDArray) -> NDArray[np.float32]:
    """[N, 4] boxes under a map that turns: their centres are, and their sides are of the same area.

    :param to_frame: 2x3, of a turn and one scale.
    """
    linear = to_frame[:, :2]
    scale = math.sqrt(abs(float(np.linalg.det(linear))))
    cos2 = float((linear[0, 0] / scale) ** 2)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 @ linear.T + to_frame[:, 2]
    sides = (boxes[:, 2:] - boxes[:, :2]) * scale
    halves = (cos2 * sides + (1 - cos2) * sides[:, ::-1]) / 2
    return np.concatenate([centres - halves, centres + halves], 1).astype(np.float32)


def from_quarters(quarters: int, width: int, height: int) -> NDArray[np.float64]:
    """2x3 map from pixels of ``np.rot90(picture, quarters)`` to those of the picture [height, width]."""
    return {
        0: np.array([[1.0, 0, 0], [0, 1, 0]]),
        1: np.array([[0.0, -1, width - 1], [1, 0, 0]]),
        2: np.array([[-1.0, 0, width - 1], [0, -1, height - 1]]),
        3: np.array([[0.0, 1, 0], [-1, 0, height - 1]]),
    }[quarters]
