"""Eyeglasses put on a face in a picture of any size, by the face's landmarks.

They are a thing, not a change of the face: a frame is thinner than a pixel of what a generator draws, and of one shape
whoever wears it. So it is drawn where the landmarks are, as sharp as the footage; its shade is the light's on the skin.

A frame lies before the eyes and bends back to the ears. Under weak perspective what lies nearer moves further when the
head turns, so the lens that turns away becomes the narrower one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.axes import Axes, axes
from vidinv.faces.masks import Map
from vidinv.faces.quads import quad_to_affine, transform_points
from vidinv.faces.strokes import FINER, blank, fill, moved, small, softness, stroke
from vidinv.faces.tones import skin_colour
from vidinv.types import Box, Eyeglasses

# A frame, in halves of the eyes' distance (31 mm or so), as measured on photographs. It is as wide as the face.
WIDE, LONG = 2.32, 1.42  # of most faces: half of their width, and length of the nose
INNER, OUTER, ENDS = 0.3, 0.82, 0.89  # of a lens, from the middle; and the ends of lens and frame over half of the face
HIGH, HIGHS, LOW = 0.6, (0.5, 0.68), 0.17  # half of a lens's height, its least and most; its middle below the eyes'
BEFORE, WRAP = 0.33, 0.42  # how far before the eyes it is, over how far the nose's tip is; and less at its ends
PADS = 0.05  # how thick


@dataclass(frozen=True)
class Style:
    """A frame's make: lengths in halves of the eyes' distance."""

    outline: tuple[tuple[float, float], ...]
    """Of a lens, from above the nose outwards, in halves of its own width and height."""

    high: float = 1.0
    """Of a lens, over the usual."""

    upper: float = 0.1
    lower: float = 0.06
    bridge: float = 0.09
    temple: float = 0.09
    ends: float = 0.1
    """How thick rims, bridge, temples and the pieces at their joints are."""

    dark: tuple[float, float, float] = (0.06, 0.055, 0.055)
    """Its colour, over the light on the skin."""

    shine: float = 0.3
    """How bright the sky is in its upper edges, likewise."""


FLAT = (
    (-0.93, -0.72), (-0.62, -0.93), (0.1, -1.0), (0.7, -0.98), (0.97, -0.82), (0.98, -0.3), (0.88, 0.35), (0.62, 0.83),
    (0.1, 1.0), (-0.42, 0.93), (-0.8, 0.55), (-0.97, -0.1),
)  # fmt: skip
TURN = np.linspace(np.pi * 1.2, np.pi * 3.2, 16, endpoint=False)
PANTO = tuple(  # a superellipse, narrower below
    (float(np.sign(c) * abs(c) ** 0.72 * (1 - 0.07 * s)), float(np.sign(s) * abs(s) ** 0.8))
    for c, s in zip(np.cos(TURN), np.sin(TURN), strict=True)
)
STYLES = (  # by the number of who wears them
    Style(FLAT, 1.04, upper=0.09, lower=0.05, bridge=0.08, temple=0.08, ends=0.08),
    Style(PANTO, 1.1, upper=0.1, lower=0.075, bridge=0.09, temple=0.09, ends=0.09, dark=(0.13, 0.075, 0.05), shine=0.2),
    Style(
        PANTO, 1.14, upper=0.045, lower=0.04, bridge=0.05, temple=0.05, ends=0.045, dark=(0.16, 0.14, 0.12), shine=0.5
    ),
)
SHINE = ((1.15, 0.4, 0.7), (2.1, 0.14, 1.0))  # where from the middle, how wide, how bright the sky shines in its edges
AWAY = 0.6  # how far a head is turned that hides a temple
SHORT = 0.35, 0.7  # how far behind its joint, seen so, a temple's end is that hides it, and that shows all of it
BEYOND = 0.12  # so far the lens that is turned away ends from the face's outline
LARGE = 45.0  # pixels to half of the eyes' distance: from there it need not be drawn larger for even edges
BARE, WEARS = 0.45, 0.55  # P(glasses) up to which somebody wears none, and from which on some already
WHOLE = np.float32(1)
CROPPED, SHARPEST, BLURRED = 0.6, 0.45, 4.0  # pixels: sigma of a crop of sharp footage, least and most of what is drawn
FLATTEST = 0.02  # area of a face's axes over that of one from before
TALLEST = max(STYLES, key=lambda style: style.high)
MARGIN = 0.35  # halves of the eyes' distance about the frame: its shadow's


@dataclass(frozen=True)
class FrameSize:
    """Of glasses, in halves of the eyes' distance from the middle between the eyes."""

    middle: tuple[float, float]  # of a lens
    half: tuple[float, float]  # of its width and height
    end: float  # of the frame, beside the face


def frame_size(points: NDArray, style: Style = STYLES[0]) -> FrameSize:
    """Of a frame that fits a face: as wide as it is, as high as its nose is long. :param points: [68, 2] pixels."""
    face = axes(points)
    half = max(float(np.hypot(*face.right)), 1e-6)
    wide = abs((points[16] - points[0]) @ face.right) / half / max(2 * half, 1e-6)
    wide = float(np.clip(wide, 0.9 * WIDE, 1.12 * WIDE))
    long = (points[33] - points[27]) @ face.down / face.unit**2
    outer, high = OUTER * wide, style.high * float(np.clip(HIGH * long / LONG, *HIGHS))
    return FrameSize(((outer + INNER) / 2, LOW), ((outer - INNER) / 2, high), ENDS * wide)


def fitted(crop: NDArray[np.uint8], points: NDArray) -> Eyeglasses:
    """Those for a face. :param crop: [S, S, 3]. :param points: [68, 2] its pixels."""
    soft = max(softness(crop) - CROPPED, 0.0) / max(axes(points).unit, 1e-6)
    return Eyeglasses(np.asarray(points, np.float32), skin_colour(crop, points), soft=soft)


def opacity(worn: Eyeglasses) -> float:
    """0..1; who wears some already keeps those, and gets no second ones."""
    return worn.share * float(np.interp(worn.wearing, (BARE, WEARS), (1, 0)))


def extent(points: NDArray, height: int, width: int) -> Box:
    """The rectangle of a picture that glasses by these landmarks, [68, 2] pixels of it, may change."""
    face, frame = axes(points), frame_size(points, TALLEST)
    high = frame.half[1] + MARGIN
    corners = np.array([(x, LOW + y) for x in (-frame.end, frame.end) for y in (-high, high)])
    found = np.concatenate([_placed(corners, face), points[[0, 16]]])
    (x0, y0), (x1, y1) = found.min(0) - MARGIN * face.unit, found.max(0) + MARGIN * face.unit
    low, high_ = np.clip((x0, y0), 0, (width, height)), np.clip((x1, y1), 0, (width, height))
    return int(low[0]), int(low[1]), int(np.ceil(high_[0])), int(np.ceil(high_[1]))


def in_frame(worn: Eyeglasses, quad: NDArray, size: int, height: int, width: int) -> tuple[Eyeglasses, Box] | None:
    """Glasses of a crop in its frame's rectangle that they may change, and that; None: they are not in it.

    :param quad: [4, 2] of the crop of ``size`` pixels. :param height, width: of the frame.
    """
    to_frame = np.linalg.inv(np.vstack([quad_to_affine(quad, size), [0, 0, 1]]))[:2]
    points = transform_points(to_frame, worn.points)
    face = axes(points) if np.isfinite(points).all() else None
    if face is None or abs(np.linalg.det(np.stack([face.right, face.down]))) <= FLATTEST * face.unit**2:
        return None  # no landmarks of a face
    box = extent(points, height, width)
    if box[2] - box[0] < 2 or box[3] - box[1] < 2:
        return None
    return replace(worn, points=np.asarray(points - box[:2], np.float32)), box


def put_on(
    picture: NDArray[np.uint8], worn: Eyeglasses, seen: Map | np.float32 = WHOLE, colour: float = 1.0
) -> NDArray[np.uint8]:
    """The picture with them.

    :param picture: [H, W, 3] RGB, or what lies within :func:`extent` of it. :param worn: with points in its pixels.
    :param seen: [H, W], or one number, 0..1: where nothing lies over the face. :param colour: 0..1, how much of their
        own hue they have.
    """
    if (opaque := np.float32(opacity(worn))) <= 0:
        return picture
    points = np.asarray(worn.points, np.float64)
    style = STYLES[worn.style % len(STYLES)]
    face, frame, (height, width) = axes(points), frame_size(points, style), picture.shape[:2]
    finer = FINER if face.unit < LARGE else 2
    soft = float(np.clip(SHARPEST + worn.soft * face.unit, SHARPEST, BLURRED))
    drawn = _outlines(points, face, frame, style, worn.bold, height, width, finer, soft)
    own, light = picture.astype(np.float32), float(worn.skin.mean())
    rims, arms, lens, pads = (part * opaque * seen for part in drawn)
    frames = np.maximum(rims, 0.9 * arms * _skin(own, worn.skin, 0.06 * face.unit)) if arms.any() else rims
    to_face = np.linalg.inv(np.stack([face.right, face.down])).astype(np.float32)
    columns, rows = np.ogrid[:height, :width][::-1]
    right, below = (np.float32(n) - np.float32(o) for n, o in zip((columns, rows), face.origin, strict=True))
    across, down = (right * to_face[0, k] + below * to_face[1, k] for k in (0, 1))
    across = np.abs(across - np.float32(BEFORE * face.turned))
    # Its shadow falls below it, on the skin and not on what is beside the face.
    cast = cv2.GaussianBlur(moved(frames, face.down * 0.13), (0, 0), 0.045 * face.unit + soft)
    x = own * (1 - np.float32(0.42) * cast * np.clip(4 - 4 * across / np.float32(frame.end), 0, 1))[..., None]
    # The sky in the glass: a sickle above and outwards, and a little over all of it.
    (mx, my), (hx, hy) = (tuple(map(np.float32, pair)) for pair in (frame.middle, frame.half))
    u, v = (across - mx) / hx, (down - my) / hy
    sickle = np.exp(-np.square((np.hypot(u + np.float32(0.15), v - np.float32(0.1)) - 0.95) / np.float32(0.12)))
    glare = lens * (np.float32(0.015) + np.float32(0.1) * sickle * np.clip(np.float32(0.3) + u - v, 0, 1))
    x *= (1 - np.float32(0.05) * lens)[..., None]
    x += glare[..., None] * (np.array([0.95, 1.0, 1.05], np.float32) * np.float32(min(1.3 * light, 245)) - x)
    x += (np.float32(0.3) * pads * (1 - frames))[..., None] * (np.float32(1.1 * light) - x)
    # Its upper edges shine; below them it is as dark as it is.
    edge = np.clip(frames - moved(frames, face.down * 0.045), 0, 0.8)
    sky = np.float32(0.15)
    for at, wide, much in np.array(SHINE, np.float32):
        sky = sky + much * np.exp(-np.square((across - at) / wide))
    shine = np.float32(style.shine * light) * edge * np.clip(sky, 0, 1)
    x += frames[..., None] * (np.float32(light) * np.array(style.dark, np.float32) + shine[..., None] - x)
    if colour < 1:  # what is grey stays so
        grey = (x - own).mean(2, keepdims=True)
        x = own + grey + np.float32(colour) * (x - own - grey)
    return np.asarray(np.clip(x + 0.5, 0, 255), np.uint8)


def _outlines(
    points: NDArray[np.float64],
    face: Axes,
    frame: FrameSize,
    style: Style,
    bold: float,
    height: int,
    width: int,
    finer: int,
    soft: float,
) -> tuple[Map, Map, Map, Map]:
    """Frame, its temples, lenses and pads, [height, width] 0..1 each."""
    rims, arms, lenses, pads = (blank(height, width, finer) for _ in range(4))
    for sign, ear in ((-1, points[0]), (1, points[16])):
        away = float(np.clip(sign * face.turned / AWAY, 0, 1))  # 1: that side is turned away, and hides its temple
        narrow = np.array([sign * (1 - away * (1 - _narrowed(points, face, frame, sign))), 1])
        apart = np.array([sign * INNER, 0])
        outer, inner = ((at - (INNER, 0)) * narrow + apart for at in _lens(frame, style, bold))
        fill(lenses, _placed(inner, face), finer)
        fill(rims, _placed(outer, face), finer)
        top, edge = frame.middle[1] - frame.half[1], frame.middle[0] + 0.93 * frame.half[0] - INNER
        joint = sign * INNER + narrow[0] * edge
        tip = joint + (1 - away) * narrow[0] * (frame.end - INNER - edge)
        middle, thick = top + 0.2 * style.high, style.ends * bold
        end = [(joint, middle - 1.6 * thick), (tip, middle - thick), (tip, middle + thick), (joint, middle + 2 * thick)]
        fill(rims, _placed(np.array(end), face), finer)
        hinge = _placed(np.array([tip, middle]), face)
        behind = ear + (hinge - ear) @ face.down / face.unit**2 * face.down * 0.6
        # Seen from the front a temple lies behind its joint.
        long = sign * float((behind - hinge) @ face.right) / face.unit**2
        level = (1 - away) * float(np.clip((long - SHORT[0]) / (SHORT[1] - SHORT[0]), 0, 1))
        stroke(arms, np.stack([hinge, behind]), style.temple * bold * face.unit, finer, level=round(255 * level))
        pad = np.array([(sign * (INNER + 0.06), 0.02), (sign * (INNER + 0.0), 0.16), (sign * (INNER + 0.05), 0.3)])
        stroke(pads, _placed(pad, face), PADS * face.unit, finer)
    rims[lenses > 0] = np.minimum(rims[lenses > 0], 255 - lenses[lenses > 0])
    arch = np.array([(x * (INNER + 0.06), -0.24 - 0.06 * (1 - x * x)) for x in np.linspace(-1, 1, 9)])
    stroke(rims, _placed(arch, face), style.bridge * bold * face.unit, finer)
    made = [small(part, finer, soft) for part in (rims, arms, lenses, pads)]
    return made[0], made[1], made[2], made[3]


def _skin(x: NDArray[np.float32], skin: NDArray[np.float32], soft: float) -> Map:
    """[H, W] 0..1, where a picture is as bare skin is: a temple that goes under hair is not seen there."""
    # Its shades are of one hue: what counts is how far a pixel is from the way from black to white through it.
    unit = skin / max(float(np.linalg.norm(skin)), 1.0)
    along = x @ unit
    off = np.linalg.norm(x - along[..., None] * unit, axis=2) / np.maximum(along, 1) * 5
    dark = np.clip((0.62 - along / max(float(skin @ unit), 1.0)) / 0.25, 0, 1)
    alike = np.clip(1.6 - off, 0, 1) * (1 - dark)
    return np.asarray(cv2.GaussianBlur(np.asarray(alike, np.float32), (0, 0), max(soft, 0.5)), np.float32)


def _narrowed(points: NDArray[np.float64], face: Axes, frame: FrameSize, sign: int) -> float:
    """0..1, of its width, a lens that is turned away: it ends a little beyond the face's outline."""
    outline = max(sign * float(face.at(points[i])[0]) for i in ((0, 1), (15, 16))[sign > 0])
    outer = frame.middle[0] + frame.half[0]
    ahead = sign * float(face.at(_placed(np.array([sign * outer, LOW]), face))[0]) - outer
    return float(np.clip((outline + BEYOND - ahead - INNER) / (outer - INNER), 0.5, 1))


def _placed(at: NDArray[np.float64], face: Axes) -> NDArray[np.float64]:
    """Where what the frame has at [..., 2] is seen: a head that turns takes it along, its ends the least."""
    ahead = BEFORE - WRAP * (at[..., 0] / WIDE) ** 2
    return face(at + np.stack([ahead * face.turned, 0 * ahead], -1))


def _lens(frame: FrameSize, style: Style, bold: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The right rim's outer and inner outline, [96, 2] each, in the face's coordinates."""
    from scipy.interpolate import CubicSpline  # here, for those who put none on

    at = np.array([*style.outline, style.outline[0]])
    turn = np.linspace(0, len(style.outline), 96, endpoint=False)
    outline = CubicSpline(np.arange(len(at)), at, bc_type="periodic")(turn)
    high = np.clip((0.2 - outline[:, 1:]) / 0.9, 0, 1)
    thick = bold * (style.lower + (style.upper - style.lower) * high * high * (3 - 2 * high))
    outer = outline * frame.half
    inner = outer * (1 - thick / np.linalg.norm(outer, axis=1, keepdims=True).clip(frame.half[1]))
    return outer + frame.middle, inner + frame.middle
