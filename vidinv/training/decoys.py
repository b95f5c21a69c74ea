"""What looks like an occluder and is none: strands of hair, glasses, cast shadows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.training.limbs import CROP
from vidinv.training.objects import Rng, polygon


def decoys(base: NDArray[np.float32], points: NDArray, rng: Rng) -> NDArray[np.float32]:
    """What looks like an occluder and is none: strands of hair, glasses, cast shadows."""
    size = len(base)
    if rng.random() < 0.16:
        base = _hair(base, points, rng)
    if rng.random() < 0.06:
        base = _glasses(base, points, rng)
    if rng.random() < 0.25:  # shadow, or sun, of a warmer or colder light
        outline = rng.uniform(-0.4, 1.4, (int(rng.integers(3, 7)), 2)) * size
        edge = cv2.GaussianBlur(polygon(outline, size), (0, 0), rng.uniform(0.005, 0.12) * size)
        gain = np.exp(rng.uniform(-0.9, 0.45) + rng.normal(0, 0.06, 3)).astype(np.float32)
        base = base * (1 + edge[..., None] * (gain - 1))
    return base


def _hair(base: NDArray[np.float32], points: NDArray, rng: Rng) -> NDArray[np.float32]:
    """Single strands from above, or a fringe over the forehead, in the colour of what is at the crop's top."""
    size = len(base)
    hair = base[: size // 8].mean((0, 1)) * rng.uniform(0.3, 1.1) * np.exp(rng.normal(0, 0.05, 3)).astype(np.float32)
    mask = np.zeros((size, size), np.uint8)
    fringe = rng.random() < 0.4
    start = np.array([rng.uniform(0, size), rng.uniform(-0.1, 0.15) * size])
    lean, curve = rng.normal(0, 0.5), rng.normal(0, 0.6)
    for _ in range(int(rng.integers(60, 160) if fringe else rng.integers(2, 30))):
        t = np.linspace(0, rng.uniform(0.3, 1.0), 10)[:, None]
        if fringe:
            t = t * max(points[17:27, 1].mean() / size + rng.normal(0.02, 0.06), 0.1)
            start = np.array([rng.uniform(0, size), 0])
        x = start[0] + rng.normal(0, 0.06) * size + size * (lean * t + curve * t * t)
        line = np.concatenate([x, start[1] + size * t], 1)
        width = 1 + (rng.random() < 0.5) * (size > 64 or fringe)
        cv2.polylines(mask, [np.round(line * 16).astype(np.int32)], False, 255, width, cv2.LINE_AA, 4)
    alpha = cv2.GaussianBlur(mask, (0, 0), 0.7)[..., None].astype(np.float32) / 255 * rng.uniform(0.4, 1)
    grain = 1 + rng.uniform(0, 0.25) * rng.standard_normal((size, size, 1), np.float32)
    return base + alpha * (hair * grain - base)


def _glasses(base: NDArray[np.float32], points: NDArray, rng: Rng) -> NDArray[np.float32]:
    """A frame, with clear or dark lenses."""
    size, centres = len(base), [points[36:42].mean(0), points[42:48].mean(0)]
    apart = float(np.hypot(*(centres[1] - centres[0])))
    axes = (apart * rng.uniform(0.3, 0.45), apart * rng.uniform(0.2, 0.38))
    turn = np.degrees(np.arctan2(*(centres[1] - centres[0])[::-1]))
    frame, lens = np.zeros((size, size), np.uint8), np.zeros((size, size), np.uint8)
    thick = max(1, round(rng.uniform(1, 4) * size / CROP))
    for centre in centres:
        box = (tuple(float(v) for v in centre), tuple(2 * a for a in axes), float(turn))
        cv2.ellipse(lens, box, 255, -1, cv2.LINE_AA)
        cv2.ellipse(frame, box, 255, thick, cv2.LINE_AA)
    for a, b in ((centres[0], centres[1]), (centres[0], points[0]), (centres[1], points[16])):
        a = a + (b - a) / np.hypot(*(b - a)) * axes[0]
        b = b - (b - a) / np.hypot(*(b - a)) * axes[0] if b is centres[1] else b
        first, second = (tuple(int(v) for v in np.round(p)) for p in (a, b))
        cv2.line(frame, first, second, 255, thick, cv2.LINE_AA)
    dark = rng.uniform(0.5, 1.0) if rng.random() < 0.5 else rng.uniform(0, 0.15)
    for mask, alpha in ((lens, dark), (frame, rng.uniform(0.7, 1))):
        colour = np.float32(rng.uniform(5, 90)) * np.exp(rng.normal(0, 0.15, 3)).astype(np.float32)
        cover_ = (mask.astype(np.float32) / 255 * alpha)[..., None]
        base = base + cover_ * (colour - base)
    return base
