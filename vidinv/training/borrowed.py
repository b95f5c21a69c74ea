"""Smiles with teeth of a photograph: what a serious face is shown as its own.

Nobody was photographed twice in one light, serious and smiling, and teeth that are drawn
(:mod:`vidinv.training.mouths`) look so. What can be known of a face's smile is taken of the face: its skin and lips,
drawn to the mean shape of smiles. What cannot, the teeth, is one and the same for all, somebody's: of many, T would
learn the mean, which is a haze.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from vidinv.faces.axes import axes
from vidinv.faces.tones import skin_light
from vidinv.training.mouths import smile
from vidinv.training.objects import polygon
from vidinv.training.scores import shapes
from vidinv.training.worn import greyed, levels

HAPPY, OPEN, FRONTAL = 0.95, (0.1, 0.2), 0.06  # of who lends teeth: P(happy), inner lips apart, yaw
LARGE, YOUNGEST = 180.0, 8.0  # pixels of the photograph's face at least, and years: babies show gums
MOUTH, INSIDE = slice(48, 68), slice(60, 68)
SEAM, SEAM_BELOW = 14, 18  # of the mouth's landmarks: middles of the inner edges of upper and lower lip
MIRRORED = [6, 5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 16, 15, 14, 13, 12, 19, 18, 17]
LIFT = 0.04  # of the upper lip, in halves of the eyes' distance
WIDER = 1.3  # a broad smile's width over the same mouth's at rest
GENTLE = 0.5  # of a broad smile, mouths.smile: as far as it goes with lips closed
SHARP = 0.6  # what contrast counts against likeness
TOOTH, THROAT = np.array([1.0, 0.96, 0.89]), np.array([1.4, 0.8, 0.75])  # colours over their mean, of light and dark
GRID = 8  # pixels between the places at which a warp is computed


def donors(labels: dict[str, NDArray]) -> NDArray[np.int64]:
    """Rows of training faces, seen from before, that show teeth in a smile. :param labels: of prepared faces."""
    shape = shapes(labels["points68"])
    may = ~labels["val"] & (labels["age"] > YOUNGEST) & (labels["expression"][:, 1] >= HAPPY)
    may &= (shape["mouth"] > OPEN[0]) & (shape["mouth"] < OPEN[1]) & (np.abs(shape["yaw"]) < FRONTAL)
    return np.flatnonzero(may & (labels["side"] > LARGE))


def lender(pictures: NDArray[np.uint8], points: NDArray, shape: NDArray) -> int:
    """Which of N faces has teeth that are sharp, and otherwise as most people's.

    :param pictures: [N, S, S, 3]. :param points: [N, 68, 2]. :param shape: of :func:`mean_smile`.
    """
    target = fitted(points.mean(0), shape)
    inside = polygon(target[INSIDE], pictures.shape[1]) > 0.5
    mouths = np.stack([_warped(x, p, target)[inside] for x, p in zip(pictures, points, strict=True)]).astype(float)
    light = mouths.mean(2)
    light = light / light.mean(1, keepdims=True).clip(1)
    unlike = np.abs(light - np.median(light, 0)).mean(1)
    return int(np.argmin(unlike - SHARP * light.std(1)))


def borrow(
    picture: NDArray[np.uint8],
    points: NDArray,
    donor: NDArray[np.uint8],
    donor_points: NDArray,
    shape: NDArray,
    shares: Sequence[float] = (1.0,),
) -> list[tuple[NDArray[np.uint8], NDArray]]:
    """A face that smiles with lips closed, and then with the teeth of another.

    :param picture: [S, S, 3] RGB. :param points: its landmarks, [68, 2] pixels; the lips are closed.
    :param donor: [S, S, 3], who smiles. :param donor_points: likewise. :param shape: of :func:`mean_smile`.
    :param shares: 0..1, of how far the lips open beyond a smile that is closed; teeth stay where they are.
    :return: pictures with their landmarks: one with lips closed, and one of each share.
    """
    closed, moved = smile(picture, points, GENTLE)
    whole = fitted(points, shape)
    whole[: MOUTH.start] = moved[: MOUTH.start]
    made = [(closed, moved)]
    theirs = _in_light_of(_warped(donor, donor_points, whole), picture, points, whole)
    for share in shares:
        target = moved + share * (whole - moved)
        own = _warped(closed, moved, target)
        if theirs is not None:
            seen = polygon(target[INSIDE], len(picture))
            between = cv2.GaussianBlur(seen, (0, 0), 0.5 * len(picture) / 128)[..., None]
            own = levels(own + between * (theirs - own))
        made.append((own, target))
    return made


def _in_light_of(
    donor: NDArray[np.uint8], picture: NDArray[np.uint8], points: NDArray, whole: NDArray
) -> NDArray[np.float32] | None:
    """[S, S, 3] teeth as they would be in a picture; None where none would be seen.

    :param donor: who has them, moved to where they go. :param whole: landmarks of the broad smile.
    """
    inside = polygon(whole[INSIDE], len(picture))
    if not (inside > 0.5).any():
        return None
    # Teeth are of one colour in everybody, on dark skin lighter than it; what is dark between them is red.
    bright = donor.astype(np.float32).mean(2, keepdims=True)
    usual, most = np.quantile(bright[inside > 0.5], (0.5, 0.85)).clip(1)
    tooth = np.clip(bright / usual, 0, 1) ** 2
    bright = bright * min(0.9 * skin_light(picture, points) + 50, 238) / most
    return greyed((bright * (THROAT + tooth * (TOOTH - THROAT))).astype(np.float32), picture)


def mean_smile(points: NDArray) -> NDArray[np.float64]:
    """The mouth of those who smile, [20, 2], both sides alike: in halves of the eyes' distance from the middle of the
    upper lip's lower edge. :param points: landmarks [N, 68, 2]."""
    found = []
    for p in points:
        mouth = axes(p).at(p[MOUTH])
        found.append(mouth - mouth[SEAM])
    mean = np.mean(found, 0)
    return (mean + mean[MIRRORED] * (-1, 1)) / 2


def fitted(points: NDArray, shape: NDArray) -> NDArray[np.float64]:
    """Landmarks of a face that smiles, [68, 2]: with a mouth as wide as its own becomes, where its lips meet.

    All have one shape: of many, T would learn the mean, a haze. :param shape: of :func:`mean_smile`.
    """
    face = axes(points)
    own = face.at(points[MOUTH])
    rest = own[[SEAM, SEAM_BELOW]].mean(0)
    wide = np.ptp(own[[0, 6], 0]) / np.ptp(shape[[0, 6], 0])
    target = points.astype(float)
    target[MOUTH] = face(rest - (0, LIFT) + shape * np.sqrt(WIDER * wide).clip(0.8, 1.25))
    for wing, side in ((31, -1), (35, 1)):  # of the nose: a smile draws them apart
        target[wing] += 0.05 * side * face.right
    return target


def _warped(picture: NDArray[np.uint8], points: NDArray, target: NDArray) -> NDArray[np.uint8]:
    """What is at ``points`` moved to ``target``, by a thin-plate spline that holds the picture's border."""
    side = len(picture)
    border = np.array([(x, y) for x in (0, 0.5, 1) for y in (0, 0.5, 1) if (x, y) != (0.5, 0.5)]) * (side - 1)
    border = border[np.linalg.norm(border[:, None] - target, axis=2).min(1) > side / 10]
    at = np.arange(0, side + GRID, GRID, dtype=float)
    grid = np.stack(np.meshgrid(at, at), -1)
    known = np.vstack([points - target, np.zeros_like(border)])
    spline = RBFInterpolator(np.vstack([target, border]), known, kernel="thin_plate_spline", smoothing=2.0)
    coarse = spline(grid.reshape(-1, 2)).reshape(grid.shape).astype(np.float32)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    came = cv2.remap(coarse, x / GRID, y / GRID, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    moved = cv2.remap(picture, x + came[..., 0], y + came[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)
