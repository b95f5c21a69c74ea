"""Smiles borrowed of another's photograph: what a serious face is shown as its own, with teeth that are real.

Nobody was photographed twice in one light, serious and smiling, and what is drawn (:mod:`vidinv.training.mouths`) looks
so. The mouth of somebody who smiles, seen from the same side in like light, is fitted to a face's own measures and laid
over it by its gradients (Perez et al. 2003), so that the skin goes on across the seam; its lips take the face's colour.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from vidinv.training.scores import shapes
from vidinv.training.worn import Map, axes, levels

HAPPY, OPEN, SHAVEN = 0.95, 0.06, 0.2  # of who lends a smile: P(happy) and inner lips apart, at least; P(beard) at most
YOUNGEST = 8.0  # years: babies show gums
# What a donor is near in, and how much of each counts as much as one of another.
APART = {"yaw": 0.12, "pitch": 0.1, "male": 1.0, "age": 0.7, "makeup": 1.4, "light": 0.3, "hue": 0.1}
LIPS, INSIDE, MOUTH = slice(48, 60), slice(60, 68), slice(48, 68)
SEAM, SEAM_BELOW = 14, 18  # of the mouth's landmarks: middles of the inner edges of upper and lower lip
MIRRORED = [6, 5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 16, 15, 14, 13, 12, 19, 18, 17]
LIFT = 0.04  # of the upper lip, in halves of the eyes' distance
WIDER = 1.3  # a broad smile's width over the same mouth's at rest
SKIN_GAIN, LIP_GAIN = (0.6, 1.4), (0.5, 1.8)  # least and most that borrowed colours are multiplied by
BURNT = 248  # levels
GRID = 8  # pixels between the places at which a warp is computed


def donors(labels: dict[str, NDArray]) -> NDArray[np.int64]:
    """Rows of training faces that have a smile to lend. :param labels: of prepared faces."""
    may = ~labels["val"] & (labels["beard"] < SHAVEN) & (labels["age"] > YOUNGEST)
    may &= labels["expression"][:, 1] >= HAPPY
    return np.flatnonzero(may & (shapes(labels["points68"])["mouth"] > OPEN))


def looks(pictures: NDArray[np.uint8], labels: dict[str, NDArray]) -> NDArray[np.float64]:
    """What must be alike in two faces for one to smile as the other, [N, D]: their distance in it says how much it is.

    :param pictures: [N, S, S, 3]. :param labels: of the same N faces.
    """
    points, shape = labels["points68"], shapes(labels["points68"])
    told = [shape["yaw"] / APART["yaw"], shape["pitch"] / APART["pitch"], (labels["male"] > 0.5) / APART["male"]]
    told += [np.log(labels["age"].clip(1, 60)) / APART["age"], labels["makeup"] / APART["makeup"]]
    cheeks = np.round((points[:, [2, 14]] + points[:, [31, 35]]) / 2).astype(int).clip(2, pictures.shape[1] - 3)
    patches = [
        [p[y - 2 : y + 3, x - 2 : x + 3].mean((0, 1)) for x, y in at] for p, at in zip(pictures, cheeks, strict=True)
    ]
    level = np.log(np.array(patches) + 8)  # [N, 2, 3]
    hue = (level.mean(1)[:, [0, 2]] - level.mean(1)[:, 1:2]) / APART["hue"]
    return np.concatenate([np.stack(told, 1), level.mean(2) / APART["light"], hue], 1)


def borrow(
    picture: NDArray[np.uint8], points: NDArray, donor: NDArray[np.uint8], donor_points: NDArray, shape: NDArray
) -> tuple[NDArray[np.uint8], NDArray]:
    """A face with the smile of another: mouth, chin and the folds beside them.

    :param picture: [S, S, 3] RGB. :param points: its landmarks, [68, 2] pixels; the lips are closed.
    :param donor: [S, S, 3], who is seen from the same side. :param donor_points: likewise.
    :param shape: of :func:`mean_smile`.
    :return: the picture, and its landmarks.
    """
    target = fitted(points, shape)
    own, theirs = _warped(picture, points, target), _warped(donor, donor_points, target)
    mask = _around(target, len(picture))
    ring = (cv2.dilate(mask, np.ones((9, 9))) > 0) & (mask == 0)
    # What is left to the seam is a difference of light; one of complexion would go through lips and teeth as well.
    gain = np.median(own[ring].astype(float), 0) / np.maximum(np.median(theirs[ring].astype(float), 0), 1)
    theirs = levels(theirs * gain.clip(*SKIN_GAIN))
    x, y, wide, high = cv2.boundingRect(mask)
    made = cv2.seamlessClone(theirs, own, mask, (x + wide // 2, y + high // 2), cv2.NORMAL_CLONE)
    return _with_own_lips(picture, points, np.asarray(made, np.uint8), target), target


def unlike(picture: NDArray[np.uint8], made: NDArray[np.uint8], points: NDArray, target: NDArray) -> float:
    """How much of what :func:`borrow` made is not the face's own: levels by which skin beside the mouth differs, and
    how many percent of the picture are burnt out that were not."""
    side = len(made)
    around = _around(target, side) > 0
    mouths = np.maximum(*(_polygon(p[LIPS], side) for p in (points, target)))
    skin = around & (cv2.dilate(mouths, np.ones((5, 5))) < 0.1)
    if not skin.any():
        return float("inf")
    burnt = (made.max(2) > BURNT) & (picture.max(2) <= BURNT) & around
    off = cv2.GaussianBlur(made.astype(np.float32) - picture, (0, 0), side / 64)[skin]
    return float(np.abs(off).mean() + 100 * burnt.mean())


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


def _with_own_lips(
    picture: NDArray[np.uint8], points: NDArray, made: NDArray[np.uint8], target: NDArray
) -> NDArray[np.uint8]:
    side = len(made)
    own, theirs = (_polygon(p[LIPS], side) - _polygon(p[INSIDE], side) for p in (points, target))
    if not ((own > 0.5).any() and (theirs > 0.5).any()):
        return made
    colours = [np.median(x[m > 0.5].astype(float), 0).clip(1) for x, m in ((picture, own), (made, theirs))]
    share = cv2.GaussianBlur(theirs, (0, 0), side / 128)[..., None].clip(0, 1)
    return levels(made * (1 + share * ((colours[0] / colours[1]).clip(*LIP_GAIN) - 1)))


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


def _around(points: NDArray, side: int) -> NDArray[np.uint8]:
    """Mouth, folds and chin, [side, side] 0 or 255: from below the nose to before the jaw's edge."""

    def between(a: int, b: int, t: float) -> NDArray[np.float64]:
        return points[a] + t * (points[b] - points[a])

    right = [between(35, 51, 0.05), between(35, 13, 0.25), between(54, 12, 0.55), between(54, 10, 0.6)]
    left = [between(31, 51, 0.05), between(31, 3, 0.25), between(48, 4, 0.55), between(48, 6, 0.6)]
    outline = [between(33, 51, 0.12), *right, between(57, 8, 0.75), *left[::-1]]
    mask = np.where(_polygon(np.array(outline), side) > 0, 255, 0).astype(np.uint8)
    mask[:2] = mask[-2:] = mask[:, :2] = mask[:, -2:] = 0  # a seam needs pixels on both of its sides
    return mask


def _polygon(points: NDArray, side: int) -> Map:
    """[side, side] 0..1."""
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.asarray(mask / 255, np.float32)
