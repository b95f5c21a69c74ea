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
from scipy.interpolate import CubicSpline

Map = NDArray[np.float32]
FINER = 4  # they are drawn so many times larger, and made smaller with the edges that gives
# A frame, in halves of the eyes' distance (31 mm or so), as measured on photographs. It is as wide as the face.
WIDE, LONG = 2.32, 1.42  # of most faces: half of their width, and length of the nose
INNER, OUTER, ENDS = 0.3, 0.89, 0.98  # of a lens, from the middle; and the ends of lens and frame over half of the face
HIGH, HIGHS, LOW = 0.52, (0.44, 0.62), 0.16  # half of a lens's height, its least and most; its middle below the eyes'
UPPER_RIM, LOWER_RIM, BRIDGE, TEMPLE, PADS = 0.125, 0.055, 0.1, 0.1, 0.05  # thicknesses
BEFORE, WRAP = 0.33, 0.3  # how far before the eyes it is, over how far the nose's tip is; and less at its ends
# A lens's outline from above the nose outwards, in halves of its own width and height: flat above, narrower below.
OUTLINE = (
    (-0.93, -0.72), (-0.62, -0.93), (0.1, -1.0), (0.7, -0.98), (0.97, -0.82), (0.98, -0.3), (0.88, 0.35), (0.62, 0.83),
    (0.1, 1.0), (-0.42, 0.93), (-0.8, 0.55), (-0.97, -0.1),
)  # fmt: skip
SHINE = ((1.15, 0.4, 0.7), (2.1, 0.14, 1.0))  # where from the middle, how wide, how bright the sky shines in its edges
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

    def at(self, pixels: NDArray) -> NDArray[np.float64]:
        """[..., 2] pixels, to coordinates of the face."""
        return (pixels - self.origin) @ np.linalg.inv(np.stack([self.right, self.down]))

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
    side, face, frame = len(picture), axes(points), frame_size(points)
    rims, arms, lenses, pads = (_blank(side) for _ in range(4))

    def placed(at: NDArray) -> NDArray[np.float64]:
        """Where what the frame has at [..., 2] is seen: a head that turns takes it along, its ends the least."""
        ahead = BEFORE - WRAP * (at[..., 0] / WIDE) ** 2
        return face(at + np.stack([ahead * face.turned, 0 * ahead], -1))

    for sign, ear in ((-1, points[0]), (1, points[16])):
        outer, inner = (at * np.array([sign, 1]) for at in _lens(frame))
        _fill(lenses, placed(inner))
        _fill(rims, placed(outer))
        top = frame.middle[1] - frame.half[1]
        tip, joint = sign * frame.end, sign * (frame.middle[0] + 0.93 * frame.half[0])
        _fill(rims, placed(np.array([(joint, top + 0.03), (tip, top + 0.08), (tip, top + 0.26), (joint, top + 0.4)])))
        hinge = placed(np.array([tip, top + 0.17]))
        behind = ear + (hinge - ear) @ face.down / face.unit**2 * face.down * 0.6
        if sign * ((behind - hinge) @ face.right) > 0:  # the far one lies behind the face
            stroke(arms, np.stack([hinge, hinge + 0.75 * (behind - hinge)]), TEMPLE * face.unit)
        pad = np.array([(sign * (INNER + 0.06), 0.02), (sign * (INNER + 0.0), 0.16), (sign * (INNER + 0.05), 0.3)])
        stroke(pads, placed(pad), PADS * face.unit)
    rims[lenses > 0] = np.minimum(rims[lenses > 0], 255 - lenses[lenses > 0])
    arch = np.array([(x * (INNER + 0.06), -0.2 - 0.06 * (1 - x * x)) for x in np.linspace(-1, 1, 9)])
    stroke(rims, placed(arch), BRIDGE * face.unit)
    frames, lens = np.maximum(_small(rims, side), 0.85 * _small(arms, side)), _small(lenses, side)
    light, x = skin_light(picture, points), picture.astype(np.float32)
    cast = cv2.GaussianBlur(_moved(frames, face.down * 0.14), (0, 0), 0.06 * face.unit)
    x = x * (1 - 0.3 * cast[..., None])
    across, down = np.moveaxis(face.at(np.stack(np.meshgrid(*[np.arange(side)] * 2), -1)), -1, 0)
    across = np.abs(across - BEFORE * face.turned)
    # The sky in the glass, strongest above and outwards, and the frame's pads beside the nose.
    u, v = (across - frame.middle[0]) / frame.half[0], (down - frame.middle[1]) / frame.half[1]
    glare = lens * (0.02 + 0.1 * np.exp(-(((u - 0.5) / 0.4) ** 2) - ((v + 0.55) / 0.6) ** 2))
    x = x * (1 - 0.04 * lens[..., None])
    x = x + glare[..., None] * (np.array([0.95, 1.0, 1.05]) * 235 - x)
    x = x + 0.35 * (_small(pads, side) * (1 - frames))[..., None] * (1.1 * light - x)
    # The frame's upper edges shine; below them it is nearly black.
    edge = np.clip(frames - _moved(frames, face.down * 0.06), 0, 1)
    sky = 0.12 + sum(much * np.exp(-(((across - at) / wide) ** 2)) for at, wide, much in SHINE)
    dark = 0.05 * light + 0.35 * np.minimum(hair_colour(picture, points), 0.3 * light)
    shine = (0.4 * light + 20) * np.clip(edge, 0, 0.8) * np.clip(sky, 0, 1)
    return levels(x + 0.95 * frames[..., None] * (dark + shine[..., None] - x))


@dataclass(frozen=True)
class FrameSize:
    """Of glasses, in halves of the eyes' distance from the middle between the eyes."""

    middle: tuple[float, float]  # of a lens
    half: tuple[float, float]  # of its width and height
    end: float  # of the frame, beside the face


def frame_size(points: NDArray) -> FrameSize:
    """Of a frame that fits a face: as wide as it is, as high as its nose is long."""
    face = axes(points)
    across = face.right / max(np.hypot(*face.right), 1e-6)
    wide = abs((points[16] - points[0]) @ across) / max(2 * np.hypot(*face.right), 1e-6)
    wide = float(np.clip(wide, 0.9 * WIDE, 1.12 * WIDE))
    long = (points[33] - points[27]) @ face.down / face.unit**2
    outer, high = OUTER * wide, float(np.clip(HIGH * long / LONG, *HIGHS))
    return FrameSize(((outer + INNER) / 2, LOW), ((outer - INNER) / 2, high), ENDS * wide)


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


def _lens(frame: FrameSize) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The right rim's outer and inner outline, [96, 2] each, in the face's coordinates."""
    at = np.array([*OUTLINE, OUTLINE[0]])
    turn = np.linspace(0, len(OUTLINE), 96, endpoint=False)
    outline = CubicSpline(np.arange(len(at)), at, bc_type="periodic")(turn)
    high = np.clip((0.2 - outline[:, 1:]) / 0.9, 0, 1)
    thick = LOWER_RIM + (UPPER_RIM - LOWER_RIM) * high * high * (3 - 2 * high)
    outer = outline * frame.half
    inner = outer * (1 - thick / np.linalg.norm(outer, axis=1, keepdims=True).clip(frame.half[1]))
    return outer + frame.middle, inner + frame.middle


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
