"""Move a face by its landmarks: from where 68 points are and where they shall be to a dense motion of the picture.

What a motion cannot show is what was hidden: between lips that part there is nothing to move, so it is drawn as the
dark inside of a mouth. Teeth are not invented.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.masks import smooth_step
from vidinv.faces.motion import fetch
from vidinv.types import Change

Points = NDArray[np.floating]
LIPS = slice(48, 68)
OUTER, INNER = slice(48, 60), slice(60, 68)
UPPER, LOWER = [61, 62, 63], [67, 66, 65]  # inner lips, opposite each other
GRID = 48  # side of the grid that the motion is computed on
FINE = slice(36, 68)  # eyes and lips are small, and what is looked at
STIFF, STIFF_FINE = 0.02, 0.0003  # smoothing of the spline at a point
BEYOND = 0.02  # shares of the side by which a point may lie outside the crop and still count
SHADE = 0.25  # light of the inside of a mouth over that of its lips
PARTED = 0.006, 0.02  # shares of the side by which lips part more than they did: nothing dark below, all of it above
LEAST = 0.05  # area that any place keeps: below it the picture would fold
TRIES = 6


def face_size(points: Points) -> float:
    """Distance of the eyes and that from eyes to mouth, together, in the points' unit. :param points: [68, 2]."""
    left, right, mouth = points[36:42].mean(0), points[42:48].mean(0), points[LIPS].mean(0)
    return float(np.linalg.norm(right - left) + np.linalg.norm((left + right) / 2 - mouth))


def landmark_change(picture: NDArray[np.uint8], points: Points, by: Points) -> Change:
    """What moving landmarks does to a picture.

    :param picture: [S, S, 3] RGB. :param points: [68, 2] where they are, fractions of the side.
    :param by: [68, 2] how far they move, likewise. Where that would fold the picture, all of it moves less.
    """
    size, points = len(picture), np.asarray(points, np.float64)
    for attempt in range(TRIES):
        goal = _lips_apart(points, points + 0.8**attempt * np.asarray(by, np.float64))
        motion = dense_motion(points, goal, size)
        if attempt == TRIES - 1 or _least_area(motion, goal) > LEAST:
            break
    inside = _inside(points, goal, size)
    lips = np.zeros((size, size), np.uint8)
    cv2.fillPoly(lips, [_pixels(points[OUTER], size)], 255)
    dark = SHADE * np.array(cv2.mean(picture, lips)[:3] if lips.any() else (128, 128, 128))
    residual = inside[..., None] * (dark - fetch(picture, motion).astype(np.float32))
    return Change(motion, residual.astype(np.float32))


def dense_motion(points: Points, goal: Points, size: int) -> NDArray[np.float32]:
    """Thin-plate spline (Bookstein 1989) through the points, 0 on the crop's border.

    :param points: [68, 2], fractions. :param goal: [68, 2], where they come to lie.
    :return: [size, size, 2] pixels: what lies at p comes from p + motion(p).
    """
    from scipy.interpolate import RBFInterpolator  # a large import, of use only where a face is driven

    along = np.linspace(-BEYOND, 1 + BEYOND, 7)
    rim = np.array([(a, b) for a in along for b in along if {a, b} & {along[0], along[-1]}])
    shown = ((goal > -BEYOND) & (goal < 1 + BEYOND)).all(1)
    stiff = np.full(len(points), STIFF)
    stiff[FINE] = STIFF_FINE
    spline = RBFInterpolator(
        np.concatenate([goal[shown], rim]),
        np.concatenate([(points - goal)[shown], np.zeros_like(rim)]),
        smoothing=np.concatenate([stiff[shown], np.zeros(len(rim))]),
        kernel="thin_plate_spline",
    )
    axis = (np.arange(GRID) + 0.5) / GRID
    coarse = spline(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)).reshape(GRID, GRID, 2)
    return np.asarray(cv2.resize(coarse.astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC) * size)


def opening(points: Points) -> float:
    """How far the inner lips are apart, in the points' unit. :param points: [68, 2]."""
    return float(np.linalg.norm(points[LOWER] - points[UPPER], axis=1).mean())


def _lips_apart(points: Points, goal: Points) -> Points:
    """Lips that would pass through each other meet instead."""
    down = points[8] - points[27]
    over = ((goal[LOWER] - goal[UPPER]) @ down) < 0
    middle, met = (goal[LOWER] + goal[UPPER]) / 2, goal.copy()
    for pair in (UPPER, LOWER):
        met[pair] = np.where(over[:, None], middle, goal[pair])
    return met


def _least_area(motion: NDArray[np.float32], goal: Points) -> float:
    """Least determinant of p + motion(p), but for between the lips, where all comes out of the line between them."""
    size = len(motion)
    (xy, xx), (yy, yx) = np.gradient(motion[..., 0]), np.gradient(motion[..., 1])
    between = np.zeros((size, size), np.uint8)
    cv2.fillPoly(between, [_pixels(goal[INNER], size)], (1,))
    between = np.asarray(cv2.dilate(between, np.ones((3, 3), np.uint8), iterations=max(size // 42, 1)), np.uint8)
    area = np.asarray((1 + xx) * (1 + yy) - xy * yx)
    return float(area[between == 0].min())


def _inside(points: Points, goal: Points, size: int) -> NDArray[np.float32]:
    """[size, size] 0..1, where the inside of the mouth comes to be seen that was not."""
    before, after = opening(points), opening(goal)
    share = smooth_step(np.array((after - before - PARTED[0]) / (PARTED[1] - PARTED[0])))
    share = share * (1 - before / max(after, 1e-6))  # what is seen of teeth already is moved, and stays
    if share <= 0:
        return np.zeros((size, size), np.float32)
    fine = np.zeros((4 * size, 4 * size), np.uint8)
    cv2.fillPoly(fine, [_pixels(goal[INNER], 4 * size)], 255)
    soft = cv2.GaussianBlur(fine, (0, 0), size / 40)  # of the finer picture: 0.6 pixels of 100
    small = np.asarray(cv2.resize(soft, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    return small * np.float32(float(share) / 255)


def _pixels(points: Points, size: int) -> NDArray[np.int32]:
    return np.round(points * size - 0.5).astype(np.int32)
