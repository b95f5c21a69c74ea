"""How the person of assets/sample.mp4 moves. Lengths are in sides of the face crop, times in seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.sample_layout import Layout
from vidinv.edits.curve import Curve
from vidinv.faces.masks import smooth_step

YAW = ((0.5, 0.0), (1.6, 0.8), (2.2, 0.7), (3.8, -0.8), (4.5, -0.7), (5.5, 0.0))
BLINKS = (0.44, 3.0, 5.44)  # seconds
EYES = ((-0.209, -0.157, 0.095, 0.025), (0.182, -0.160, 0.095, 0.025))  # middle, half width and height; crop's sides


def moved(layout: Layout, height: int, t: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where in the portrait at rest each pixel of the picture at ``t`` seconds comes from, x and y in pixels.

    The head turns and nods as a round thing does, its middle farther than its outline; shoulders follow a little.
    """
    (cx, cy), side = layout.centre, layout.side
    ys, xs = np.mgrid[0:height, 0 : layout.width].astype(np.float32)
    sway, nod = 15 * np.sin(2 * np.pi * t / 5.3), 5 * np.sin(2 * np.pi * t / 2.6 + 1) + 3 * np.sin(2 * np.pi * t / 1.7)
    breath, angle = 2.2 * np.sin(2 * np.pi * t / 3.4), np.radians(2.6 * np.sin(2 * np.pi * t / 4.3 + 0.5))
    scale = 1 + 0.012 * np.sin(2 * np.pi * t / 6)
    head = 1 - smooth_step((ys - cy - 0.30 * side) / (0.62 * side))
    x, y = xs - cx - sway * (0.35 + 0.65 * head), ys - (cy + 0.45 * side) - nod * head - breath * (1 - head)
    turn = angle * head
    u = (np.cos(turn) * x + np.sin(turn) * y) / scale / side
    v = (np.cos(turn) * y - np.sin(turn) * x) / scale / side + 0.45
    depth = np.clip(1 - (u / 0.62) ** 2 - ((v + 0.05) / 0.75) ** 2, 0, 1) ** 1.5
    u -= 0.050 * Curve(YAW).at(t) * depth
    v -= 0.0022 * nod * depth
    shut = max(np.exp(-(((t - at) / 0.055) ** 2)) for at in BLINKS)
    for ex, ey, half, lid in EYES:  # the upper lid comes down and covers what is below it
        across = np.clip(1 - ((u - ex) / half) ** 2, 0, 1)
        low = ey + 1.25 * lid * across
        fall = np.where(v < low, np.clip((v - low) / 0.11 + 1, 0, 1), np.clip(1 - (v - low) / 0.003, 0, 1))
        v = v - shut * 2.35 * lid * across * fall
    return (u * side + cx).astype(np.float32), (v * side + cy).astype(np.float32)
