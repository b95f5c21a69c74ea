"""Which way a head is turned, from five points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# A head seen from the front, x to the viewer's right, y down, z away from them, in half eye distances (about 32 mm):
# pupils, tip of the nose, corners of the mouth. An average; a real nose moves the pitch by up to about ten degrees.
HEAD = np.array([[-1, 0, 0], [1, 0, 0], [0, 1.2, -1.1], [-0.8, 2.2, -0.2], [0.8, 2.2, -0.2]], float)


class Pose(NamedTuple):
    """Degrees, turned in the order pitch, yaw, roll; 0, 0, 0 looks into the camera."""

    yaw: float  # positive: towards the viewer's right
    pitch: float  # positive: downwards
    roll: float  # positive: clockwise as seen


def pose_from_points(points: NDArray) -> Pose:
    """Pose of a head under weak perspective (scaled orthographic) projection, by linear least squares.

    :param points: [5, 2] left eye, right eye, nose, left mouth corner, right mouth corner, pixels.
    """
    p = np.asarray(points, np.float64)
    solution = np.linalg.lstsq(HEAD - HEAD.mean(0), p - p.mean(0), rcond=None)[0].T  # [2, 3]
    u, _, v = np.linalg.svd(solution, full_matrices=False)
    x, y = u @ v  # the nearest pair of orthonormal rows: the first two of a rotation
    roll = np.arctan2(y[0], x[0])
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    right, down = turn @ -np.array([x[2], y[2]])  # where the nose points, upright
    forward = max(float(np.cross(x, y)[2]), 1e-9)
    yaw, pitch = np.arctan2(right, forward), np.arctan2(down, np.hypot(right, forward))
    return Pose(*(float(np.degrees(a)) for a in (yaw, pitch, roll)))
