"""Glasses and beards drawn on faces that have none: what T is shown, since nobody was photographed with and without.

One frame and one cut for a face: T makes one picture of it, and of many styles it would make their mean, which is a
haze. So what differs between people is told by their faces: the frame is as wide as the face, as high as its nose is
long, and of a colour between black and that of the brows; the beard is of theirs too.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]
FINER = 4  # they are drawn so many times larger, and made smaller with the edges that gives
# A frame, in halves of the eyes' distance: 31 mm or so.
LENS, LENS_HALF = (1.03, 0.1), (0.8, 0.55)  # centre, from the middle between the eyes; half of width and height
WIDE, LONG = 2.32, 1.42  # of most faces: width over the eyes' distance, and length of the nose in halves of it
SIZES = (0.7, 0.9), (0.42, 0.68)  # least and most of what LENS_HALF becomes
SQUARE = 3.0  # exponent of the lenses' outline: 2 is an ellipse
RIM, BROW_RIM, BRIDGE, TEMPLE = 0.066, 0.115, 0.085, 0.075  # thicknesses
BEFORE = 0.33  # how far before the eyes they are, over how far the nose's tip is
STROKES, HAIR = 26000, 0.12  # hairs of a beard, and how long they are
GREY = 4.0  # levels between a picture's channels, on average, at most: one without colours
CUT = 20261129  # of the hairs' places: the same on every face


@dataclass(frozen=True)
class Axes:
    """Coordinates of a face: its middle between the eyes, to the viewer's right, and downwards; pixels."""

    origin: NDArray[np.float64]
    right: NDArray[np.float64]  # half of the eyes' distance, shorter in a turned face
    down: NDArray[np.float64]  # as long in space
    turned: float  # how far the nose's tip is off the middle, in ``right``

    def __call__(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """[..., 2] of the face, to pixels."""
        return self.origin + at[..., :1] * self.right + at[..., 1:] * self.down

    @property
    def unit(self) -> float:
        return float(np.hypot(*self.down))


def axes(points: NDArray) -> Axes:
    """:param points: [68, 2] pixels."""
    left, right, mouth = points[36:42].mean(0), points[42:48].mean(0), points[48:60].mean(0)
    across, origin = (right - left) / 2, (left + right) / 2
    down = (mouth - origin) / np.hypot(*(mouth - origin))
    # A head that turns narrows the eyes' distance, one that nods that to the mouth; the larger one tells the size.
    size = max(np.hypot(*across), 0.45 * np.hypot(*(mouth - origin)))
    tip, width = points[30] - origin, max(np.hypot(*across), 1e-6)
    axis = across / width
    off = tip - down * (tip @ down)
    return Axes(origin, across, down * size, float(off @ axis) / width)


def glasses(picture: NDArray[np.uint8], points: NDArray) -> NDArray[np.uint8]:
    """With a dark frame and clear lenses. :param picture: [S, S, 3] RGB. :param points: [68, 2] pixels."""
    side, face = len(picture), axes(points)
    moved = Axes(face.origin + BEFORE * face.turned * face.right, face.right, face.down, face.turned)
    half, rims, lenses = lens_size(points), _blank(side), _blank(side)
    for sign in (-1, 1):
        at = _outline(sign, half)
        outline = moved(at)
        _fill(lenses, outline)
        stroke(rims, outline, RIM * face.unit, closed=True)
        upper = outline[at[:, 1] < LENS[1] - 0.18]
        stroke(rims, upper[np.argsort(upper @ face.right)], BROW_RIM * face.unit)
    gap = LENS[0] - half[0]
    arch = np.array([(x * (gap + 0.02), -0.14 - 0.08 * (1 - x * x)) for x in np.linspace(-1, 1, 9)])
    stroke(rims, moved(arch), BRIDGE * face.unit)
    temples = _blank(side)
    for sign, ear in ((-1, points[0]), (1, points[16])):
        hinge = moved(np.array([sign * (LENS[0] + half[0]), -0.26]))
        behind = ear + (hinge - ear) @ face.down / face.unit**2 * face.down * 0.6
        if sign * ((behind - hinge) @ face.right) > 0:  # the far one lies behind the face
            stroke(temples, np.stack([hinge, hinge + 0.7 * (behind - hinge)]), TEMPLE * face.unit)
    frame, lens = np.maximum(_small(rims, side), 0.9 * _small(temples, side)), _small(lenses, side)
    light, x = skin_light(picture, points), picture.astype(np.float32)
    cast = cv2.GaussianBlur(_moved(frame, face.down * 0.16), (0, 0), 0.06 * face.unit)
    x = x * (1 - 0.32 * cast[..., None])
    x = x * (1 - 0.03 * lens[..., None]) + 0.015 * light * lens[..., None]
    # The frame's upper edges shine a little; below them it is nearly black.
    edge = np.clip(frame - _moved(frame, face.down * 0.06), 0, 1)
    dark = 0.045 * light + 0.3 * np.minimum(hair_colour(picture, points), 0.3 * light)
    return levels(x + 0.97 * frame[..., None] * (dark + 0.2 * light * edge[..., None] ** 2 - x))


def lens_size(points: NDArray) -> tuple[float, float]:
    """Half of a lens's width and height, in halves of the eyes' distance, of a frame that fits a face."""
    face = axes(points)
    across = face.right / max(np.hypot(*face.right), 1e-6)
    wide = abs((points[16] - points[0]) @ across) / max(2 * np.hypot(*face.right), 1e-6)
    long = (points[33] - points[27]) @ face.down / face.unit**2
    return (
        float(np.clip(LENS_HALF[0] * (wide / WIDE) ** 2, *SIZES[0])),
        float(np.clip(LENS_HALF[1] * (long / LONG) ** 2, *SIZES[1])),
    )


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
    hairs = _small(_hairs(where, face, side), side)
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
    large = _blank(side)
    _fill(large, np.array([*jaw, *right, *under, *left[::-1]]))
    lips = p[48:60].mean(0) + 1.06 * (p[48:60] - p[48:60].mean(0))
    mouth = _blank(side)
    _fill(mouth, lips)
    spared = cv2.GaussianBlur(_small(mouth, side), (0, 0), 0.04 * face.unit)
    # Sharp at the jaw, thinning out over the cheeks; densest about the mouth and at the chin.
    near, far = (cv2.GaussianBlur(_small(large, side), (0, 0), s * face.unit) for s in (0.13, 0.4))
    centre = p[48:60].mean(0) + 0.25 * down
    thick = 0.6 + 0.4 * _spot(centre, 1.0 * face.unit, side)
    grown = np.clip((near - 0.2) / 0.7, 0, 1) * np.clip((far - 0.2) / 0.5, 0, 1) * thick
    grown *= np.clip(1 - 1.15 * spared, 0, 1)
    for corner in (between(48, 6, 0.3), between(54, 10, 0.3)):  # thinner below the corners of the mouth
        grown *= 1 - 0.35 * _spot(corner, 0.2 * face.unit, side)
    return grown.astype(np.float32)


def hair_colour(picture: NDArray[np.uint8], points: NDArray) -> NDArray[np.float32]:
    """Of the brows' darker half, [3] levels; never nearer to the skin than a beard that is seen as one."""
    side, brows = len(picture), _blank(len(picture))
    for first in (17, 22):
        stroke(brows, points[first : first + 5], 0.1 * axes(points).unit)
    inside = picture[_small(brows, side) > 0.5].astype(np.float32)
    light = skin_light(picture, points)
    if not len(inside):
        return np.full(3, 0.3 * light, np.float32)
    dark = inside[np.argsort(inside.mean(1))[: max(len(inside) // 2, 1)]]
    colour = np.median(dark, 0)
    return colour * min(1.0, 0.36 * light / max(float(colour.mean()), 1e-6))


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
    large = _blank(side)
    lines = np.stack([start, end], 1)[keep]
    for line, level in zip(_fixed(lines), rng.integers(40, 256, len(lines)), strict=True):
        cv2.polylines(large, [line], False, int(level), 1, cv2.LINE_AA, 4)
    return large


def _outline(sign: int, half: tuple[float, float]) -> NDArray[np.float64]:
    """A lens, [48, 2], in the face's coordinates: wider above, its outer corner lifted."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    c, s = np.cos(turn), np.sin(turn)
    x, y = (np.sign(v) * np.abs(v) ** (2 / SQUARE) for v in (c, s))
    out = half[0] * x * (1 - 0.09 * y)
    low = half[1] * y - 0.06 * np.clip(x, 0, 1) * np.clip(-y, 0, 1)
    return np.stack([sign * (LENS[0] + out), LENS[1] + low], 1)


def skin_light(picture: NDArray[np.uint8], points: NDArray) -> float:
    """Level of the skin: median of what lies between eyes and jaw."""
    cheeks = np.round((points[[1, 2, 14, 15]] + points[[31, 31, 35, 35]]) / 2).astype(int).clip(0, len(picture) - 1)
    return float(np.median(np.stack([picture[y, x] for x, y in cheeks]).mean(1)))


def _blank(side: int) -> NDArray[np.uint8]:
    return np.zeros((side * FINER, side * FINER), np.uint8)


def _small(large: NDArray[np.uint8], side: int) -> Map:
    small = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 0.45), np.float32)


def _fixed(points: NDArray, finer: int = FINER) -> NDArray[np.int32]:
    """Pixels to those of what is drawn larger, with 4 bits of fraction."""
    return np.round(((np.asarray(points) + 0.5) * finer - 0.5) * 16).astype(np.int32)


def _fill(large: NDArray[np.uint8], outline: NDArray) -> None:
    cv2.fillPoly(large, [_fixed(outline)], 255, cv2.LINE_AA, 4)


def stroke(large: NDArray[np.uint8], line: NDArray, thick: float, finer: int = FINER, closed: bool = False) -> None:
    """A line [P, 2] of pixels, on a map that is ``finer`` times as large."""
    cv2.polylines(large, [_fixed(line, finer)], closed, 255, max(round(thick * finer), 1), cv2.LINE_AA, 4)


def _moved(x: Map, by: NDArray) -> Map:
    shift = np.array([[1, 0, by[0]], [0, 1, by[1]]], np.float32)
    return np.asarray(cv2.warpAffine(x, shift, x.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.float32)


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
