"""Smiles and open mouths by a face's landmarks: its own lips, cheeks and lids are moved as most people's are, and where
the lips part its upper teeth are drawn.

Moved pixels stay as sharp as the footage, and a mouth that speaks goes on speaking: what is added is how far lips move
from rest, measured on 322 serious and 771 smiling faces that look ahead and made a little stronger, as a smile is that
shall be seen. Teeth do not move with the lips: they are where they always are, a little below where the lips meet, and
the lips uncover them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.axes import Axes, axes
from vidinv.faces.landmark_motion import dense_motion, opening, reached
from vidinv.faces.masks import Map, smooth_step
from vidinv.faces.motion import fetch
from vidinv.faces.strokes import blank, fill, small, softness, stroke
from vidinv.faces.tones import light_colour, tooth_level
from vidinv.types import Box, Change, Lips

Steps = Mapping[int, tuple[float, float]]
# Points of the right half of the mouth and nose, and how far they go, rightwards and downwards in halves of the eyes'
# distance: of a smile with lips closed, and of a broad one. The left half's mirror them.
GENTLE = {
    54: (0.12, -0.13), 53: (0.07, -0.07), 52: (0.015, -0.025), 51: (0, -0.02), 55: (0.06, -0.085), 56: (0.025, -0.05),
    57: (0, -0.04), 64: (0.115, -0.125), 63: (0.035, -0.045), 62: (0, -0.035), 65: (0.03, -0.042), 66: (0, -0.033),
    34: (0.01, -0.01), 35: (0.025, -0.02), 46: (0, -0.035), 47: (0, -0.035),
}  # fmt: skip
BROAD = {
    54: (0.235, -0.21), 53: (0.165, -0.19), 52: (0.045, -0.15), 51: (0, -0.14), 55: (0.16, -0.01), 56: (0.075, 0.07),
    57: (0, 0.09), 64: (0.23, -0.2), 63: (0.085, -0.165), 62: (0, -0.15), 65: (0.08, 0.06), 66: (0, 0.08),
    34: (0.02, -0.05), 35: (0.04, -0.06), 46: (0, -0.065), 47: (0, -0.065), 8: (0, 0.05), 9: (0, 0.04),
}  # fmt: skip
# Of an open mouth: the upper lip stays, and the jaw takes the lower one along.
OPEN = {
    54: (-0.03, 0.05), 53: (-0.01, -0.01), 52: (0, -0.02), 51: (0, -0.02), 55: (0, 0.2), 56: (0, 0.3), 57: (0, 0.32),
    64: (-0.03, 0.05), 63: (0, -0.02), 62: (0, -0.02), 65: (0, 0.29), 66: (0, 0.32), 8: (0, 0.3), 9: (0, 0.29),
    10: (0, 0.25), 11: (0, 0.17), 12: (0, 0.08),
}  # fmt: skip
ACROSS = {
    54: 48, 53: 49, 52: 50, 55: 59, 56: 58, 64: 60, 63: 61, 65: 67, 34: 32, 35: 31, 46: 41, 47: 40,
    9: 7, 10: 6, 11: 5, 12: 4,
}  # fmt: skip
UPPER_LIP, LOWER_LIP = (49, 50, 51, 52, 53, 61, 62, 63), (55, 56, 57, 58, 59, 65, 66, 67)
LIFTED = (0.04, -0.15)  # of a cheek, of a broad smile
HALF = 0.5  # of a broad smile: lips part from there on
PARTED = 0.02, 0.07  # how much further than before lips are apart: no teeth below, all of them above
OPENED = 0.05, 0.12  # how far apart they are by themselves, so that their own inside is seen: not below, surely above
AWAY = 0.6  # how far a head is turned that lets the far corner of the mouth go only half as far
FOLDS, GLOW = 0.2, 0.06  # how much darker a smile's folds are, and how much lighter the cheeks above them
KEPT = 0.45  # of a smile, what a face does not get that is sure to smile already
# Outer edges of the upper right teeth, from the middle outwards; how much higher than the first each ends; how light.
TEETH = (
    (0.27, 0.0, 1.0), (0.475, 0.028, 0.985), (0.66, 0.008, 0.94), (0.8, 0.04, 0.92), (0.91, 0.065, 0.88),
    (1.0, 0.09, 0.82),
)  # fmt: skip
EDGE, ARC = 0.085, 0.13  # of the teeth below where the lips meet, and how much higher at a distance of 1


def moved_points(lips: Lips) -> NDArray[np.float64]:
    """[68, 2] how far each landmark moves, in their unit."""
    face, by = axes(lips.points), np.zeros((68, 2))
    opened = {number: (lips.open * x, lips.open * y) for number, (x, y) in OPEN.items()}
    for number, (x, y) in _sum(_smiling(_smile(lips)), opened):
        for point, sign in ((number, 1), (ACROSS.get(number), -1)):
            if point is not None:
                away = float(np.clip(sign * face.turned / AWAY, 0, 1))
                by[point] = sign * x * (1 - 0.5 * away) * face.right + y * face.down
    return by


def _smile(lips: Lips) -> float:
    """How much is added to how it smiles already; 1 is a broad smile."""
    return lips.smile * (1 - KEPT * lips.smiling)


def _smiling(amount: float) -> Steps:
    low, high = min(amount / HALF, 1.0), max(amount - HALF, 0.0) / (1 - HALF)
    found = {}
    for number, (x, y) in BROAD.items():
        a, b = GENTLE.get(number, (0.0, 0.0))
        found[number] = (low * a + high * (x - a), low * b + high * (y - b))
    return found


def _sum(first: Steps, second: Steps) -> Iterator[tuple[int, tuple[float, float]]]:
    for number in sorted(first.keys() | second.keys()):
        (a, b), (c, d) = (some.get(number, (0.0, 0.0)) for some in (first, second))
        yield number, (a + c, b + d)


def lips_moved(crop: NDArray[np.uint8], lips: Lips) -> Change:
    """What it does to a face, but for teeth. :param crop: [S, S, 3], in whose pixels the points are."""
    size, amount, face = len(crop), _smile(lips), axes(lips.points)
    points = (np.asarray(lips.points, np.float64) + 0.5) / size
    cheeks, lifted = _cheeks(lips.points, face), amount * np.array([(-1, 1), (1, 1)]) * LIFTED
    extra = (cheeks + 0.5) / size, (lifted[:, :1] * face.right + lifted[:, 1:] * face.down) / size
    goal, motion = _apart(points, moved_points(lips) / size, size, extra)
    # What is seen of the mouth's inside is the skull's, and stays while lips move before it.
    motion = motion * (1 - _own(points * size - 0.5, face, size, size, 0.6))[..., None]
    y, x = np.mgrid[:size, :size].astype(np.float32)
    wide = 2 * (0.38 * face.unit) ** 2
    glow = sum(np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / wide) for cx, cy in cheeks)
    shade, light = (much * min(amount, 1.0) for much in (FOLDS, GLOW))
    gain = (1 - shade * _folds(goal * size - 0.5, face, size)) * (1 + light * glow) - 1
    residual = np.asarray(gain, np.float32)[..., None] * fetch(crop, motion).astype(np.float32)
    return Change(motion, residual)


def _apart(
    points: NDArray[np.float64], by: NDArray[np.float64], size: int, extra: tuple[NDArray, NDArray]
) -> tuple[NDArray[np.floating], NDArray[np.float32]]:
    """As of :func:`vidinv.faces.landmark_motion.reached`; but lips that part are not stretched over what is between
    them: above and below the middle of the mouth each goes with its own landmarks only."""
    goal, motion = reached(points, by, size, extra)
    share = float(np.abs(goal - points).max() / max(float(np.abs(by).max()), 1e-9))
    every, to = np.concatenate([points, extra[0]]), np.concatenate([goal, extra[0] + share * extra[1]])
    if opening(goal) - opening(points) < 0.25 / size:
        return goal, motion
    above, below = (dense_motion(every, to, size, without) for without in (LOWER_LIP, UPPER_LIP))
    face, (y, x) = axes(goal), np.mgrid[:size, :size]
    middle = face.at((goal[[60, 61, 62, 63, 64]] + goal[[60, 67, 66, 65, 64]]) / 2)
    at = face.at((np.stack([x, y], -1) + 0.5) / size)
    under = at[..., 1] > np.interp(at[..., 0], middle[:, 0], middle[:, 1])
    # Beyond the corners of the mouth, where there is one skin, the two go over into one.
    beside = np.maximum(middle[0, 0] - at[..., 0], at[..., 0] - middle[-1, 0]) / 0.12
    whole = np.clip(beside, 0, 1)[..., None]
    made = np.where(under[..., None], below, above)
    return goal, np.asarray(made + whole * (motion - made), np.float32)


def _cheeks(points: NDArray, face: Axes) -> NDArray[np.float64]:
    """[2, 2]: the left one and the right one."""
    sides = ((-1, 48, slice(36, 42)), (1, 54, slice(42, 48)))
    return np.stack([0.45 * points[c] + 0.55 * points[eye].mean(0) + 0.25 * s * face.right for s, c, eye in sides])


def _folds(points: NDArray, face: Axes, size: int) -> Map:
    """From the wings of the nose around the corners of the mouth, [size, size] 0..1."""
    large, unit = blank(size, size), face.unit
    for sign, corner, wing in ((-1, 48, 31), (1, 54, 35)):
        beside = sign * face.right
        first, last = points[wing] + 0.14 * beside - 0.12 * face.down, points[corner] + 0.26 * beside
        bend = (first + last) / 2 + 0.12 * beside
        t = np.linspace(0, 1, 12)[:, None]
        line = (1 - t) ** 2 * first + 2 * t * (1 - t) * bend + t * t * last
        for number in range(11):
            stroke(large, line[number : number + 2], 0.09 * unit * np.sin(np.pi * (number + 1) / 12))
    return small(large, soft=0.08 * unit)


def extent(points: NDArray, height: int, width: int) -> Box:
    """Of a picture the rectangle in which teeth may be drawn. :param points: [68, 2] its pixels, of lips at rest."""
    face = axes(points)
    found = np.concatenate([points[48:68] + s * face.down for s in (-0.35, 0.6)])
    low = np.clip(found.min(0) - 0.35 * face.unit, 0, (width, height))
    high = np.clip(found.max(0) + 0.35 * face.unit, 0, (width, height))
    return int(low[0]), int(low[1]), int(np.ceil(high[0])), int(np.ceil(high[1]))


def show_teeth(
    picture: NDArray[np.uint8], lips: Lips, seen: Map | np.float32 = np.float32(1), colour: float = 1.0
) -> NDArray[np.uint8]:
    """A picture whose lips have been moved, with teeth where they parted; what was seen of its own teeth stays.

    :param picture: [H, W, 3] RGB, or what lies within :func:`extent` of it. :param lips: with points in its pixels.
    :param seen: [H, W], or one number, 0..1: where nothing lies over the face. :param colour: 0..1, how much of their
        own hue they have.
    """
    points, (height, width) = np.asarray(lips.points, np.float64), picture.shape[:2]
    goal, face = points + moved_points(lips), axes(points)
    apart = (opening(goal) - opening(points)) / face.unit
    share = float(smooth_step(np.array((apart - PARTED[0]) / (PARTED[1] - PARTED[0]))))
    if share <= 0:
        return picture
    soft = min(softness(picture), 0.02 * face.unit + 0.5)
    shown = _inside(goal, height, width, soft) * (1 - _own(points, face, height, width, soft))
    inside = shown * np.float32(share) * seen
    drawn = cv2.GaussianBlur(_teeth(points, goal, face, height, width, lips.skin), (0, 0), 0.7 * soft)
    grey = drawn.mean(2, keepdims=True)
    x = picture.astype(np.float32)
    x += inside[..., None] * (grey + colour * (drawn - grey) - x)
    return np.asarray(np.clip(x + 0.5, 0, 255), np.uint8)


def _inside(points: NDArray[np.float64], height: int, width: int, soft: float) -> Map:
    """[height, width] 0..1, what lies between the lips."""
    large = blank(height, width)
    fill(large, _outline(points[60:68]))
    return small(large, soft=soft)


def _own(points: NDArray[np.float64], face: Axes, height: int, width: int, soft: float) -> Map:
    """[height, width] 0..1, where the inside of a mouth is seen that is open by itself."""
    share = float(np.clip((opening(points) / face.unit - OPENED[0]) / (OPENED[1] - OPENED[0]), 0, 1))
    return np.float32(share) * _inside(points, height, width, soft)


def _outline(inner: NDArray[np.float64]) -> NDArray[np.float64]:
    """[P, 2] a smooth line through the inner edges of both lips, with corners where they meet."""
    from scipy.interpolate import CubicSpline  # here, for those who never open a mouth

    t = np.linspace(0, 1, 16)
    upper, lower = inner[[0, 1, 2, 3, 4]], inner[[4, 5, 6, 7, 0]]
    return np.concatenate([CubicSpline(np.linspace(0, 1, 5), some)(t) for some in (upper, lower)])


def _teeth(
    points: NDArray[np.float64],
    goal: NDArray[np.float64],
    face: Axes,
    height: int,
    width: int,
    skin: NDArray[np.float32],
) -> NDArray[np.float32]:
    """[height, width, 3] levels: upper teeth, and what is dark below and beside them."""
    rest = face.at(np.stack([points[[61, 62, 63]].mean(0), points[[65, 66, 67]].mean(0), points[62]]))
    seam, light = min(rest[0, 1], rest[1, 1]), float(skin.mean())
    lip, lower_lip = face.at(goal[[60, 61, 62, 63, 64]]), face.at(goal[66])[1] - seam
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float64)
    across, down = np.moveaxis(face.at(grid), -1, 0)
    x, y = across - rest[2, 0], down - seam
    edges, higher, white = ([tooth[part] for tooth in TEETH] for part in range(3))
    start, stop, up, pale = (_at(x, edges, some) for some in ([0.0, *edges[:-1]], edges, higher, white))
    s = 2 * (np.abs(x) - start) / (stop - start) - 1  # -1..1 across a tooth
    end = EDGE - ARC * x * x - up - 0.03 * s**4
    top = np.interp(across, lip[:, 0], lip[:, 1]) - seam
    deep = np.clip((y - top) / np.clip(end - top, 0.02, None), 0, 1)  # 0 at the lip, 1 at a tooth's edge
    tooth = np.clip((end - y) * face.unit + 0.5, 0, 1) * (np.abs(x) < edges[-1])
    # A tooth is round, it shines where it looks up, and towards the gum there is a wedge of shade beside it.
    wedge = np.exp(-(((1 - np.abs(s)) * (stop - start) / (0.016 + 0.035 * (1 - deep))) ** 2))
    shine = 0.1 * np.exp(-(((s + 0.15) / 0.4) ** 2) - ((deep - 0.6) / 0.25) ** 2)
    body = pale * (0.95 - 0.07 * s * s + shine - 0.06 * np.clip(deep - 0.8, 0, 1) / 0.2)
    body *= np.clip(1 - 0.4 * x * x, 0.2, 1) * (1 + 0.015 * np.sign(x))  # the arch goes back
    shade = np.clip(0.3 * wedge + 0.3 * np.exp(-np.clip(y - top, 0, None) / 0.04), 0, 0.7)[..., None]
    # In no light that a face is seen in are they greenish or blue; skin that is nearly white tells too little of it.
    warm = np.minimum.accumulate(np.array([1.02, 0.99, 0.94]) * light_colour(skin) * (1.0, 1.0, 0.98))
    bright = (tooth_level(light) * body)[..., None] * warm * (1 - shade * np.array([0.85, 1.05, 1.15]))
    # Below them it is dark; the tongue, further down, catches some light.
    below = np.clip((y - end) / max(float(lower_lip) - EDGE, 0.05), 0, 1)
    tongue = np.array([0.46, 0.22, 0.21]) * (below * below * (3 - 2 * below))[..., None]
    dark = (np.array([0.2, 0.085, 0.08]) + 0.75 * tongue) * light * np.clip(1 - 0.6 * np.abs(x), 0.3, 1)[..., None]
    return np.asarray(dark + tooth[..., None] * (bright - dark), np.float32)


def _at(x: NDArray[np.float64], edges: list[float], values: list[float]) -> NDArray[np.float64]:
    """What the tooth at each place has of ``values``."""
    return np.asarray(values)[np.searchsorted(edges, np.abs(x)).clip(0, len(values) - 1)]
