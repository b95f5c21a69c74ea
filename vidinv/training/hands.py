"""Hands, drawn: fingers as tapered chains of capsules with their surface's slope, creases, nails and gaps.

A hand is a picture without colour and light, so that one drawing serves for every skin and every lamp.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

PALM = 50.0  # width of the palm, pixels of the drawing
WIDTH, HEIGHT = 176, 288  # of the drawing; fingers point up, the forearm leaves it at the bottom
WRIST = (WIDTH / 2, 168.0)
SLOPE_X, SLOPE_Y, ALBEDO, ALPHA = range(4)

Chain = NDArray[np.float64]  # [P, 3] x, y and radius along a limb, pixels


@dataclass(frozen=True)
class HandPose:
    """How a hand is held; lengths in widths of the palm, angles in radians."""

    spread: float  # between neighbouring fingers
    flexions: NDArray[np.float64]  # [4, 3] of each finger's joints, out of the picture's plane
    leans: NDArray[np.float64]  # [4] of each finger, in the plane
    bend: float  # of every joint, in the plane
    thumb: tuple[float, float]  # angle away from the palm, and at its joint
    back: bool  # its back is seen, hence nails
    plump: float  # thickness of the fingers, 1 is usual
    narrow: float = 1.0  # width of the palm as it is seen, less from the side
    shown: tuple[bool, ...] = (True,) * 4


def draw_pose(rng: np.random.Generator) -> HandPose:
    """Open, relaxed, pointing, closed, curled or from the side, at random."""
    kinds = {"open": 0.14, "flat": 0.24, "relaxed": 0.16, "pointing": 0.08, "fist": 0.1, "side": 0.12, "curled": 0.16}
    kind = rng.choice(list(kinds), p=list(kinds.values()))
    flexions = {
        "open": rng.uniform(0.0, 0.25, (4, 3)),
        "flat": rng.uniform(0.0, 0.3) + rng.uniform(0.0, 0.12, (4, 3)),
        "relaxed": rng.uniform(0.2, 0.55) + rng.uniform(-0.1, 0.2, (4, 3)),
        "pointing": np.where(np.arange(4)[:, None] < rng.integers(1, 3), rng.uniform(0, 0.25, (4, 3)), 1.2),
        "fist": rng.uniform(1.0, 1.5, (4, 3)),
        "side": rng.uniform(0.0, 0.2, (4, 3)),
        # Folded at the middle joint, the first finger often less.
        "curled": np.stack([*rng.uniform([[0.0], [1.1], [0.2]], [[0.5], [1.7], [0.8]], (3, 4))], 1)
        * np.where(np.arange(4) < rng.integers(0, 2), rng.uniform(0.1, 0.7), 1)[:, None],
    }[kind]
    spread = {"open": rng.uniform(0.1, 0.28), "relaxed": rng.uniform(0.0, 0.14)}.get(kind, rng.uniform(-0.02, 0.07))
    pose = HandPose(
        spread=spread,
        flexions=flexions,
        leans=rng.normal(0, 0.05, 4),
        bend=rng.choice([-1, 1]) * rng.uniform(0.15, 0.8) if kind == "side" else rng.normal(0, 0.09),
        thumb=(rng.uniform(0.1, 1.1), rng.uniform(-0.5, 0.3)),
        back=bool(rng.random() < 0.7),
        plump=rng.uniform(0.95, 1.3),
        narrow=rng.uniform(0.3, 0.8) if kind == "side" else 1.0,
    )
    if kind in ("flat", "relaxed") and rng.random() < 0.25:  # the others are behind, or out of sight
        first = int(rng.integers(0, 3))
        pose = replace(pose, shown=tuple(first <= i < first + int(rng.integers(1, 3)) + 1 for i in range(4)))
    return pose


def draw_hand(rng: np.random.Generator) -> NDArray[np.float32]:
    """A left or right hand at random.

    :return: [HEIGHT, WIDTH, 4]: slope of the surface's normal to the right and downwards (-1..1), albedo (1: plain
        skin), and alpha.
    """
    pose = draw_pose(rng)
    canvas = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    canvas[..., ALBEDO] = 1
    _paint(canvas, _forearm(rng), 0.0)
    for i in range(4):
        _paint(canvas, _metacarpal(i, pose), 0.1)
    # The palm is one surface, with no more than a hint of the bones.
    canvas[..., :ALPHA] = cv2.GaussianBlur(canvas[..., :ALPHA], (0, 0), 0.08 * PALM)
    thumb = _thumb(pose)
    if not pose.back or rng.random() < 0.5:
        _paint(canvas, thumb, 0.5)
    else:
        canvas = _behind(canvas, thumb)
    fingers = [_finger(i, pose) for i in range(4) if pose.shown[i]]
    for i in rng.permutation(len(fingers)):
        _paint(canvas, fingers[i], rng.uniform(0.3, 0.75))
        _creases(canvas, fingers[i], rng)
        if pose.back:
            _nail(canvas, fingers[i], rng)
    if pose.back:
        _nail(canvas, thumb, rng)
    return canvas if rng.random() < 0.5 else np.ascontiguousarray(canvas[:, ::-1] * np.array([-1, 1, 1, 1], np.float32))


def _knuckle(i: int, pose: HandPose) -> NDArray[np.float64]:
    """Where finger ``i`` of index, middle, ring and little finger begins."""
    arch = (0.0, 0.06, 0.03, -0.08)[i]
    return np.array([WRIST[0] + PALM * (i - 1.5) * 0.25 * pose.narrow, WRIST[1] - PALM * (1.05 + arch)])


def _metacarpal(i: int, pose: HandPose) -> Chain:
    knuckle, start = _knuckle(i, pose), (WRIST[0] + PALM * (i - 1.5) * 0.14, WRIST[1])
    return np.array([[*start, 0.24 * PALM], [*knuckle, 0.145 * PALM * pose.plump]])


def _forearm(rng: np.random.Generator) -> Chain:
    width, side = rng.uniform(0.3, 0.4), rng.normal(0, 0.25)
    elbow = (WRIST[0] + side * PALM, HEIGHT + PALM)
    return np.array([[*WRIST, width * PALM], [*elbow, (width + 0.14) * PALM]])


def _finger(i: int, pose: HandPose) -> Chain:
    length, radius = (0.92, 1.0, 0.94, 0.74)[i], (0.122, 0.125, 0.12, 0.104)[i] * pose.plump
    angle = pose.spread * (i - 1.5) + pose.leans[i]
    points, at, flexion = [], _knuckle(i, pose), 0.0
    for k, share in enumerate((0.0, 0.46, 0.3, 0.24)):
        if k:
            flexion += pose.flexions[i, k - 1]
            # A segment that turns out of the plane is seen shortened; one that is folded back lies over the last.
            at = at + PALM * length * share * np.cos(flexion) * np.array([np.sin(angle), -np.cos(angle)])
            angle += pose.bend
        points.append([*at, PALM * radius * (1 - 0.09 * k)])
    return np.array(points)


def _thumb(pose: HandPose) -> Chain:
    angle, joint = pose.thumb
    at, points = np.array([WRIST[0] - 0.3 * PALM, WRIST[1] - 0.15 * PALM]), []
    for length, radius, turn in ((0, 0.2, 0), (0.45, 0.16, joint), (0.35, 0.135, joint), (0.27, 0.115, 0)):
        at = at + PALM * length * np.array([-np.sin(angle), -np.cos(angle)])
        points.append([*at, PALM * radius * pose.plump])
        angle += turn
    return np.array(points)


def _window(chain: Chain, margin: float) -> tuple[slice, slice]:
    low, high = (chain[:, :2] - chain[:, 2:]).min(0) - margin, (chain[:, :2] + chain[:, 2:]).max(0) + margin
    x0, y0 = np.clip(low.astype(int), 0, (WIDTH, HEIGHT))
    x1, y1 = np.clip(high.astype(int) + 1, 0, (WIDTH, HEIGHT))
    return slice(y0, y1), slice(x0, x1)


def _surface(chain: Chain, rows: slice, columns: slice) -> tuple[NDArray, NDArray, NDArray]:
    """Distance from the limb's edge (pixels, negative inside) and slopes, on a part of the drawing."""
    y, x = np.mgrid[rows, columns].astype(np.float32)
    best, sx, sy = np.full(x.shape, 1e3, np.float32), np.zeros_like(x), np.zeros_like(x)
    for a, b in pairwise(chain):
        axis = (b - a)[:2]
        t = np.clip(((x - a[0]) * axis[0] + (y - a[1]) * axis[1]) / max(float(axis @ axis), 1e-6), 0, 1)
        dx, dy, radius = x - a[0] - t * axis[0], y - a[1] - t * axis[1], a[2] + t * (b[2] - a[2])
        away = np.hypot(dx, dy)
        nearer = away - radius < best
        best = np.where(nearer, away - radius, best)
        sx, sy = np.where(nearer, dx / radius, sx), np.where(nearer, dy / radius, sy)
    return best, sx, sy


def _paint(canvas: NDArray[np.float32], chain: Chain, seam: float) -> None:
    """Over what is there, which darkens by ``seam`` where the limb touches it; at its root it grows out of it."""
    rows, columns = _window(chain, 6)
    edge, sx, sy = _surface(chain, rows, columns)
    part = canvas[rows, columns]
    y, x = np.mgrid[rows, columns].astype(np.float32)
    grown = np.clip(np.hypot(x - chain[0, 0], y - chain[0, 1]) / chain[0, 2] / 1.2 - 0.75, 0, 1)
    part[..., ALBEDO] *= 1 - seam * grown * np.exp(-np.square(np.maximum(edge, 0) / 2.2))
    alpha = np.clip(0.5 - edge, 0, 1)
    # Limbs are flat where they lie on: the slope counts less in the middle than a cylinder's.
    flat = np.clip(np.hypot(sx, sy), 0, 1) ** 0.7
    albedo = 1 - 0.5 * seam * grown * np.clip(1 + edge / 2.5, 0, 1)
    new = np.stack([sx * flat, sy * flat, albedo, np.ones_like(sx)], -1)
    part += (alpha * np.maximum(grown, 1 - part[..., ALPHA]))[..., None] * (new - part)


def _behind(canvas: NDArray[np.float32], chain: Chain) -> NDArray[np.float32]:
    """The limb, with what is there over it."""
    below = np.zeros_like(canvas)
    below[..., ALBEDO] = 1
    _paint(below, chain, 0.4)
    return below + canvas[..., ALPHA:] * (canvas - below)


def _creases(canvas: NDArray[np.float32], chain: Chain, rng: np.random.Generator) -> None:
    """Dark lines across the joints."""
    for k in (1, 2):
        if rng.random() < 0.3:
            continue
        axis = chain[k + 1, :2] - chain[k - 1, :2]
        axis = axis / max(float(np.hypot(*axis)), 1e-6)
        for shift in rng.normal(0, 1.5, int(rng.integers(1, 4))):
            rows, columns = _window(chain[k : k + 1], 3)
            y, x = np.mgrid[rows, columns].astype(np.float32)
            dx, dy = x - chain[k, 0], y - chain[k, 1]
            along, across = dx * axis[0] + dy * axis[1] - shift, dx * axis[1] - dy * axis[0]
            line = np.exp(-np.square(along / 0.9) - np.square(across / (0.8 * chain[k, 2])) ** 2)
            canvas[rows, columns, ALBEDO] *= 1 - rng.uniform(0.08, 0.35) * line


def _nail(canvas: NDArray[np.float32], chain: Chain, rng: np.random.Generator) -> None:
    """Lighter or, varnished, darker than the skin, with a dark rim."""
    axis = chain[-1, :2] - chain[-2, :2]
    if np.hypot(*axis) < 4:  # folded away
        return
    axis, radius = axis / np.hypot(*axis), chain[-1, 2]
    centre = chain[-1, :2] + 0.25 * radius * axis
    rows, columns = _window(chain[-1:], 4)
    y, x = np.mgrid[rows, columns].astype(np.float32)
    dx, dy = x - centre[0], y - centre[1]
    along, across = (dx * axis[0] + dy * axis[1]) / (0.85 * radius), (dx * axis[1] - dy * axis[0]) / (0.62 * radius)
    inside = np.clip(1.5 - 1.5 * (along**4 + across**4), 0, 1)
    tone = rng.uniform(1.02, 1.25) if rng.random() < 0.8 else rng.uniform(0.4, 1.0)
    rim = np.exp(-np.square((along**4 + across**4) - 1) / 0.3)
    part = canvas[rows, columns]
    part[..., ALBEDO] = part[..., ALBEDO] * (1 + inside * (tone - 1)) * (1 - 0.15 * rim)
    part[..., :2] *= 1 - 0.6 * inside[..., None]
