"""The hair of the person of assets/sample.mp4: thousands of strands in locks. Lengths are in sides of the face crop."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.sample_layout import Image, Layout, curve
from vidinv.faces.masks import smooth_step

# Where hair meets the face, and its outline, from the parting down; x grows to the picture's right.
INNER = {
    -1: ((-0.06, -0.615), (-0.20, -0.585), (-0.36, -0.49), (-0.45, -0.28), (-0.48, 0.0), (-0.46, 0.25), (-0.385, 0.5),
         (-0.30, 0.75), (-0.31, 1.05)),
    1: ((-0.06, -0.615), (0.12, -0.585), (0.29, -0.49), (0.42, -0.29), (0.47, -0.02), (0.46, 0.2), (0.39, 0.5),
        (0.29, 0.75), (0.30, 1.05)),
}  # fmt: skip
OUTER = {
    -1: ((-0.06, -0.75), (-0.27, -0.725), (-0.455, -0.57), (-0.545, -0.28), (-0.575, 0.05), (-0.60, 0.35),
         (-0.645, 0.6), (-0.65, 0.8), (-0.60, 1.05)),
    1: ((-0.06, -0.75), (0.19, -0.735), (0.405, -0.59), (0.52, -0.29), (0.555, 0.03), (0.57, 0.33), (0.61, 0.6),
        (0.625, 0.8), (0.58, 1.05)),
}  # fmt: skip


def lock(side: int, s: float, count: int, rng: np.random.Generator) -> tuple[list[NDArray], NDArray]:
    """Lines of one lock of hair that lies at ``s``, 0 at the face .. 1 outside, and the share of each point."""
    t = np.linspace(0, 1, 40)
    inner, outer = curve(INNER[side], len(t)), curve(OUTER[side], len(t))
    phase, turns, lines, shares = rng.uniform(0, 2 * np.pi), rng.uniform(5, 9), [], []
    swing = (0.11 * np.sin(turns * t + phase) + 0.07 * np.sin(2.3 * turns * t + 2 * phase)) * smooth_step(2 * t - 0.3)
    width = rng.uniform(0.02, 0.05) * (1 - 0.3 * t)
    for _ in range(count):
        stray = width * rng.normal() + rng.normal(0, 0.03) * t
        own = s + swing + stray + 0.02 * np.sin(12 * t + rng.normal(phase, 0.4)) * t
        lines.append(inner + (outer - inner) * own[:, None] + rng.normal(0, 0.004, 2))
        shares.append(own)
    return lines, np.array(shares)


def hair(
    layout: Layout, colour: NDArray, rng: np.random.Generator, lie: tuple[float, float], locks: int = 90
) -> tuple[Image, Image]:
    """Strands in locks, from the parting to below the picture: picture, and alpha [H, W]."""
    picture = np.broadcast_to(0.5 * colour, (layout.height, layout.width, 3)).astype(np.float32).copy()
    body, loose = (np.zeros((layout.height, layout.width), np.float32) for _ in range(2))
    t, todo = np.linspace(0, 1, 40), []
    for side in (-1, 1):
        inner, outer = curve(INNER[side], len(t)), curve(OUTER[side], len(t))
        edges = [inner + (outer - inner) * s for s in (lie[0] + 0.10, lie[1] - 0.02)]
        body += layout.filled(np.vstack([edges[0], edges[1][::-1]]), 3.5)
        for s in rng.uniform(*lie, locks):
            tone, order = rng.normal(1, 0.20), s + rng.normal(0, 0.3)
            todo += [(order, side, tone, *one) for one in zip(*lock(side, s, 55, rng), strict=True)]
        for s in rng.uniform(0.9, 1.06, 30):  # a few that have come loose
            todo += [(9.0, side, 0.9, *one) for one in zip(*lock(side, s, 2, rng), strict=True)]
    for _, side, tone, points, own in sorted(todo, key=lambda item: item[0]):
        out = np.clip(own, 0, 1)
        # Sheen where the head turns to the light, which is above and, as the window, on the left.
        sheen = 1.5 * np.exp(-(((t - 0.17 - 0.03 * out) / 0.06) ** 2)) + 0.5 * np.exp(-(((t - 0.60) / 0.09) ** 2))
        shade = 0.55 + 0.55 * out**0.7 + (1.0 if side < 0 else 0.65) * sheen * np.clip(out + 0.1, 0, 1)
        shade = shade * tone * rng.normal(1, 0.2) * (1 - 0.4 * smooth_step((own - 0.75) / 0.3))
        shade = shade * smooth_step(0.6 + 8 * t)
        line, end = layout.pixels(points), len(t) - int(rng.integers(0, 8))
        for k in range(end - 1):
            tint = colour * shade[k] + np.array((10.0, 7.0, 4.0)) * max(shade[k] - 0.9, 0)
            cv2.line(picture, line[k], line[k + 1], tint.tolist(), 1, cv2.LINE_AA, 4)
        cv2.polylines(loose, [line[:end]], False, 1.0, 1, cv2.LINE_AA, 4)
    alpha = np.maximum(body, cv2.GaussianBlur(loose, (0, 0), 0.9))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0), np.float32), np.clip(alpha, 0, 1)
