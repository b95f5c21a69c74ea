"""Mouths opened and made to smile in pictures: what moves is moved, and what is then seen between the lips drawn.

Few people were photographed in one light with their mouth open and closed, smiling and not. At what two steps of an
edit ask for, a motion of lips, cheeks and chin and the edge of teeth before a dark place are all that changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.axes import Axes, axes
from vidinv.faces.masks import Map
from vidinv.faces.strokes import stroke
from vidinv.faces.tones import skin_light
from vidinv.training.worn import greyed, levels

FINER = 3  # what moves apart at the lips is moved so many times larger
TEETH, SMILING_TEETH = 0.13, 0.4  # of the upper teeth seen at most, in halves of the eyes' distance
CHIN = 1.25  # how far to either side it takes the cheeks along, likewise
WIDEST = 0.12  # gap of a broadest smile, in eye distances
FOLDS, GLOW = 0.26, 0.07  # how much darker a smile's folds are, and how much lighter the cheeks above them


@dataclass(frozen=True)
class Frame:
    """A picture's pixels in the axes of the face, in pixels from a point."""

    basis: NDArray[np.float64]  # [2, 2]: to the right, downwards; of length 1

    def apart(self, at: NDArray, centre: NDArray) -> NDArray[np.float64]:
        """[..., 2], how far right of ``centre`` and below it."""
        return (at - centre) @ np.linalg.inv(self.basis)

    def bump(self, at: NDArray, centre: NDArray, wide: float, high: float) -> NDArray[np.float64]:
        """1 at ``centre``, falling to 1/e at a distance of ``wide`` or ``high``."""
        off = self.apart(at, centre)
        return np.exp(-((off[..., 0] / wide) ** 2) - (off[..., 1] / high) ** 2)


def frame_of(face: Axes) -> Frame:
    return Frame(np.stack([face.right / np.hypot(*face.right), face.down / face.unit]))


def open_mouth(
    picture: NDArray[np.uint8], points: NDArray, gap: float, teeth: float = TEETH
) -> tuple[NDArray[np.uint8], NDArray]:
    """Lower lip and chin moved down.

    :param picture: [S, S, 3] RGB. :param points: [68, 2] pixels, of lips that are closed or nearly.
    :param gap: how far the inner lips are to move apart in their middle, in eye distances.
    :return: the picture, and its landmarks.
    """
    side, face = len(picture), axes(points)
    frame, drop = frame_of(face), gap * 2 * float(np.hypot(*face.right))
    seam = (points[[60, 61, 62, 63, 64]] + points[[60, 67, 66, 65, 64]]) / 2
    middle = points[[60, 64]].mean(0)
    line = frame.apart(seam, middle)
    half = max((line[-1, 0] - line[0, 0]) / 2, 1.0)
    grid = np.stack(np.meshgrid(*[(np.arange(side * FINER) + 0.5) / FINER - 0.5] * 2), -1)
    x, y = np.moveaxis(frame.apart(grid, middle), -1, 0)
    across = x / half
    below_seam = y - np.polyval(np.polyfit(line[:, 0], line[:, 1], 2), np.clip(x, -half, half))
    fall = drop * np.sqrt(np.clip(1 - across**2, 0, 1))
    jaw = drop * np.exp(-((x / (CHIN * face.unit)) ** 2))
    chin = max(float(frame.apart(points[8], middle)[1]), 1.0)

    def lowered(deep: Map) -> Map:
        """How far what lies so deep below the seam, in heights of the chin, is moved: as the lip, then as the jaw."""
        share = np.clip(deep / 0.6, 0, 1)
        share = share * share * (3 - 2 * share)
        return (fall * (1 - share) + jaw * share) * np.clip((2 - deep) / 0.9, 0, 1)

    lift = 0.12 * fall
    raised = -lift * np.clip(1 + below_seam / (0.35 * face.unit), 0, 1)
    # Where a pixel comes from decides how far it came: one step of a fixed point is near enough.
    came = lowered(np.clip(below_seam / chin, 0, 2))
    came = lowered(np.clip((below_seam - came) / chin, 0, 2))
    shift = np.where(below_seam > 0, came, raised)
    source = (grid - shift[..., None] * frame.basis[1]).astype(np.float32)
    moved = cv2.remap(
        picture, source[..., 0], source[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    ).astype(np.float32)
    hollow = (below_seam > -lift) & (below_seam < fall) & (np.abs(across) < 1)
    inside = cv2.GaussianBlur(hollow.astype(np.float32), (0, 0), 0.35 * FINER)[..., None]
    between = _between(below_seam + lift, fall + lift, across, face.unit, skin_light(picture, points), teeth)
    between = greyed(between, picture)
    changed = np.maximum(np.clip(np.abs(shift), 0, 1), inside[..., 0]).astype(np.float32)
    large = np.dstack([moved + inside * (between - moved), changed])
    made = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA)
    # Resampled pixels are a little softer: those that did not move stay.
    return levels(picture + made[..., 3:] * (made[..., :3] - picture)), _opened_points(points, drop * frame.basis[1])


def _between(deep: Map, fall: Map, across: Map, unit: float, light: float, teeth: float) -> NDArray[np.float32]:
    """Colours between the lips: the edge of the upper teeth, in the lip's shadow, and the dark below."""
    dark = np.array([0.3, 0.13, 0.12]) * light
    # Teeth are of one colour in everybody: on dark skin they are lighter than it.
    bright = np.array([1.0, 0.96, 0.88]) * min(0.8 * light + 45, 235)
    bright = bright * np.clip(1 - 0.55 * across**2, 0.25, 1)[..., None]
    shadow = np.clip(0.7 + deep / (0.16 * unit), 0.7, 1)[..., None]
    seen = np.minimum(0.72 * fall, teeth * unit) * np.clip(1.6 * (1 - across**2), 0, 1)
    edge = np.clip((np.clip(seen, 1e-3, None) - deep) / (0.03 * unit) + 0.5, 0, 1)[..., None]
    # The tongue catches a little light near the lower lip.
    tongue = np.clip((deep - 0.55 * fall) / np.clip(0.45 * fall, 1e-3, None), 0, 1)[..., None]
    ground = dark + 0.35 * tongue * (np.array([0.6, 0.3, 0.28]) * light - dark)
    return (ground + edge * (bright * shadow - ground)).astype(np.float32)


def _opened_points(points: NDArray, low: NDArray) -> NDArray:
    moved = points.copy()
    moved[[65, 66, 67]] += low
    moved[[55, 56, 57, 58, 59]] += low * np.array([0.75, 1, 1, 1, 0.75])[:, None]
    moved[5:12] += low * np.array([0.3, 0.6, 0.85, 1, 0.85, 0.6, 0.3])[:, None]
    return moved


def smile(picture: NDArray[np.uint8], points: NDArray, amount: float) -> tuple[NDArray[np.uint8], NDArray]:
    """Corners of the mouth drawn outwards and up, cheeks lifted, folds beside the nose; from half of it on with teeth.

    :param amount: 0..1.1, 1 being a broad smile. Other arguments, and what comes back, as of :func:`open_mouth`.
    """
    face, side = axes(points), len(picture)
    frame, unit = frame_of(face), face.unit
    grid = np.stack(np.meshgrid(*[np.arange(side, dtype=float)] * 2), -1)
    field, moved = np.zeros((side, side, 2)), points.astype(float)
    cheeks = []
    for sign, corner, lid, eye in ((-1, 48, (40, 41), range(36, 42)), (1, 54, (46, 47), range(42, 48))):
        beside = sign * frame.basis[0] * unit
        cheek = 0.45 * points[corner] + 0.55 * points[list(eye)].mean(0) + 0.25 * beside
        cheeks.append(cheek)
        lower = points[list(lid)].mean(0) + 0.06 * face.down
        for centre, by, wide, high in (
            (points[corner], 0.24 * sign * face.right - 0.17 * face.down, 0.45, 0.42),
            (cheek, 0.03 * sign * face.right - 0.1 * face.down, 0.5, 0.4),
            (lower, -0.045 * face.down, 0.35, 0.13),
        ):
            field += frame.bump(grid, centre, wide * unit, high * unit)[..., None] * amount * by
            moved += frame.bump(points, centre, wide * unit, high * unit)[..., None] * amount * by
    source = (grid - field).astype(np.float32)
    made = cv2.remap(
        picture, source[..., 0], source[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    ).astype(np.float32)
    glow = np.sum([frame.bump(grid, c, 0.42 * unit, 0.3 * unit) for c in cheeks], 0)[..., None]
    folds = _folds(moved, frame, unit, side)[..., None]
    closed = levels(made * (1 - FOLDS * amount * folds) * (1 + GLOW * amount * glow))
    gap = WIDEST * max(amount - 0.45, 0) / 0.65
    return open_mouth(closed, moved, gap, SMILING_TEETH) if gap else (closed, moved)


def _folds(points: NDArray, frame: Frame, unit: float, side: int) -> Map:
    """From the wings of the nose around the corners of the mouth, [side, side] 0..1."""
    large = np.zeros((side * FINER, side * FINER), np.uint8)
    for sign, corner, wing in ((-1, 48, 31), (1, 54, 35)):
        beside = sign * frame.basis[0] * unit
        first, last = points[wing] + 0.14 * beside - 0.12 * unit * frame.basis[1], points[corner] + 0.26 * beside
        bend = (first + last) / 2 + 0.12 * beside
        t = np.linspace(0, 1, 12)[:, None]
        line = (1 - t) ** 2 * first + 2 * t * (1 - t) * bend + t * t * last
        for number in range(11):
            stroke(large, line[number : number + 2], 0.09 * unit * np.sin(np.pi * (number + 1) / 12), FINER)
    small = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 0.06 * unit), np.float32)
