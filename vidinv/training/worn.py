"""Glasses and beards drawn on faces that have none: what T is shown, since nobody was photographed with and without.

One frame and one cut for a face: T makes one picture of it, and of many styles it would make their mean, which is a
haze. So what differs between people is told by their faces: the frame is as wide as the face, as high as its nose is
long, and of a colour between black and that of the brows; the beard is of theirs too.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces import eyeglasses
from vidinv.faces.axes import Axes, axes
from vidinv.faces.masks import Map
from vidinv.faces.strokes import blank, fill, fixed, small, stroke
from vidinv.faces.tones import skin_light

STROKES, HAIR = 26000, 0.12  # hairs of a beard, and how long they are
GREY = 4.0  # levels between a picture's channels, on average, at most: one without colours
CUT = 20261129  # of the hairs' places: the same on every face


def glasses(picture: NDArray[np.uint8], points: NDArray) -> NDArray[np.uint8]:
    """With a dark frame and clear lenses. :param picture: [S, S, 3] RGB. :param points: [68, 2] pixels."""
    return eyeglasses.put_on(picture, eyeglasses.fitted(picture, points))


def beard(picture: NDArray[np.uint8], points: NDArray, share: float = 1.0) -> NDArray[np.uint8]:
    """With a beard. Arguments as of :func:`glasses`.

    :param share: 0..1, from nothing over stubble to a full, short one.
    """
    side, face = len(picture), axes(points)
    where = beard_region(points, side)
    light, x = skin_light(picture, points), picture.astype(np.float32)
    # Folds and shades of what lies below stay.
    shade = cv2.GaussianBlur(x.mean(2), (0, 0), 0.1 * face.unit)
    shade = np.clip(shade / max(light, 1), 0.3, 1.25)[..., None]
    hair = hair_colour(picture, points)
    hairs = small(_hairs(where, face, side))
    strand = hairs - cv2.GaussianBlur(hairs, (0, 0), 0.08 * face.unit)
    cover = np.clip((0.92 * where + 1.3 * strand * np.clip(3 * where, 0, 1)) * share, 0, 1)
    # Single hairs catch the light; between them it is dark.
    lit = np.clip(1 + strand, 0.5, 1.5)[..., None]
    return levels(x + 0.92 * cover[..., None] * (0.85 * hair * lit * shade**1.2 - x))


def beard_region(points: NDArray, side: int) -> Map:
    """Where a beard grows and how densely, [side, side] 0..1."""
    p, face = np.asarray(points, np.float64), axes(points)
    down = face.down

    def between(a: int, b: int, t: float) -> NDArray[np.float64]:
        return p[a] + t * (p[b] - p[a])

    jaw = [p[i] + down * 0.16 * np.sin(np.pi * (i - 1) / 14) for i in range(1, 16)]
    right = [between(15, 42, 0.02), between(14, 35, 0.1), between(13, 54, 0.38), between(54, 35, 0.34)]
    left = [between(1, 39, 0.02), between(2, 31, 0.1), between(3, 48, 0.38), between(48, 31, 0.34)]
    under = [between(35, 53, 0.34), between(33, 51, 0.3), between(31, 49, 0.34)]
    large = blank(side, side)
    fill(large, np.array([*jaw, *right, *under, *left[::-1]]))
    lips = p[48:60].mean(0) + 1.06 * (p[48:60] - p[48:60].mean(0))
    mouth = blank(side, side)
    fill(mouth, lips)
    spared = cv2.GaussianBlur(small(mouth), (0, 0), 0.04 * face.unit)
    # Sharp at the jaw, thinning out over the cheeks; densest about the mouth and at the chin.
    near, far = (cv2.GaussianBlur(small(large), (0, 0), s * face.unit) for s in (0.13, 0.4))
    centre = p[48:60].mean(0) + 0.25 * down
    thick = 0.6 + 0.4 * _spot(centre, 1.0 * face.unit, side)
    grown = np.clip((near - 0.2) / 0.7, 0, 1) * np.clip((far - 0.2) / 0.5, 0, 1) * thick
    grown *= np.clip(1 - 1.15 * spared, 0, 1)
    for corner in (between(48, 6, 0.3), between(54, 10, 0.3)):  # thinner below the corners of the mouth
        grown *= 1 - 0.35 * _spot(corner, 0.2 * face.unit, side)
    return grown.astype(np.float32)


def hair_colour(picture: NDArray[np.uint8], points: NDArray) -> NDArray[np.float32]:
    """Of the brows' darker half, [3] levels; never nearer to the skin than a beard that is seen as one."""
    brows = blank(*picture.shape[:2])
    for first in (17, 22):
        stroke(brows, points[first : first + 5], 0.1 * axes(points).unit)
    inside = picture[small(brows) > 0.5].astype(np.float32)
    light = skin_light(picture, points)
    if not len(inside):
        return np.full(3, 0.3 * light, np.float32)
    dark = inside[np.argsort(inside.mean(1))[: max(len(inside) // 2, 1)]]
    colour = np.median(dark, 0)
    return np.asarray(colour * min(1.0, 0.36 * light / max(float(colour.mean()), 1e-6)), np.float32)


def _hairs(where: Map, face: Axes, side: int) -> NDArray[np.uint8]:
    """Strokes that hang down and a little outwards, at places that follow the face, as dense as ``where``."""
    rng = np.random.default_rng(CUT)
    at = rng.uniform((-2.2, 0.6), (2.2, 4.0), (STROKES, 2))
    lean, length, luck = rng.normal(0, 0.16, STROKES), rng.uniform(0.6, 1.3, STROKES) * HAIR, rng.random(STROKES)
    start = face(at)
    end = face(at + np.stack([length * (0.22 * at[:, 0] + lean), length], 1))
    inside = np.round((start + end) / 2).astype(int)
    seen = ((inside >= 0) & (inside < side)).all(1)
    keep = np.zeros(STROKES, bool)
    keep[seen] = luck[seen] < where[inside[seen, 1], inside[seen, 0]] * 1.1 - 0.05
    large = blank(side, side)
    lines = np.stack([start, end], 1)[keep]
    for line, level in zip(fixed(lines), rng.integers(40, 256, len(lines)), strict=True):
        cv2.polylines(large, [line], False, int(level), 1, cv2.LINE_AA, 4)
    return large


def _spot(centre: NDArray, sigma: float, side: int) -> Map:
    y, x = np.mgrid[:side, :side].astype(np.float32)
    return np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * sigma**2)).astype(np.float32)


def greyed(colours: NDArray[np.float32], picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Without hue, where the picture [S, S, 3] has none."""
    if float((picture.max(2) - picture.min(2)).mean()) > GREY:
        return colours
    return np.broadcast_to(colours.mean(-1, keepdims=True), colours.shape)


def levels(x: NDArray) -> NDArray[np.uint8]:
    """Rounded to 0..255."""
    return np.clip(x + 0.5, 0, 255).astype(np.uint8)
