"""The room behind the person of assets/sample.mp4, drawn sharp and then put out of focus as a lens would."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def room(width: int, height: int, rng: np.random.Generator, radius: int = 17) -> NDArray[np.float32]:
    """[H, W, 3] 0..255: a window with a curtain on the left, a shelf with books, a lamp and a plant on the right."""
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    light = 0.10 + 0.17 * np.exp(-(((xs - 250) / 620) ** 2) - ((ys - 180) / 480) ** 2)
    scene = light[..., None] * np.array((1.0, 0.93, 0.84), np.float32)  # linear light, 1 is white

    def box(x0: float, y0: float, x1: float, y1: float, colour: tuple[float, ...]) -> None:
        cv2.rectangle(scene, (round(x0), round(y0)), (round(x1), round(y1)), colour, -1)

    box(30, -40, 352, 470, (0.30, 0.28, 0.25))  # the frame
    for x0 in (48, 200):
        for y0 in (-60, 210):
            box(x0, y0, x0 + 136, y0 + 252, (0.86, 0.95, 1.0))
    for _ in range(260):  # leaves before the window
        at = (int(rng.uniform(40, 345)), int(470 - abs(rng.normal(0, 130))))
        green = rng.uniform(0.3, 1.0)
        if at[0] < 342 and at[1] > 20:
            cv2.circle(scene, at, int(rng.uniform(4, 15)), (0.42 * green, 0.62 * green, 0.30 * green), -1)
    box(30, 455, 352, 478, (0.55, 0.52, 0.47))
    for x in range(-20, 112, 3):  # a curtain's folds
        fold = 0.42 + 0.20 * np.sin(x / 7.5) + 0.1 * np.sin(x / 3.1)
        box(x, -10, x + 3, height, (fold, 0.95 * fold, 0.86 * fold))
    for shelf in (150, 375, 600):
        left = 905.0
        while left < width:
            wide, high = rng.uniform(12, 34), rng.uniform(110, 165)
            hue = np.array(((0.20, 0.07, 0.05), (0.06, 0.10, 0.15), (0.26, 0.21, 0.13), (0.07, 0.12, 0.08),
                            (0.33, 0.29, 0.23), (0.10, 0.06, 0.05)))[rng.integers(6)]  # fmt: skip
            if rng.uniform() < 0.82:
                box(left, shelf - high, left + wide - 2, shelf, tuple(hue * rng.uniform(0.5, 1.1)))
            left += wide
        box(885, shelf, width, shelf + 14, (0.17, 0.11, 0.065))
    box(880, -10, 897, height, (0.14, 0.09, 0.055))
    for k in range(16):  # small lights on a string, too even for the detector to see eyes in them
        at = (int(960 + 20 * k + rng.uniform(-4, 4)), int(228 + 9 * np.cos(k * 0.8) + rng.uniform(-3, 3)))
        cv2.circle(scene, at, 3, (3.2, 2.1, 0.9), -1)
    for angle in rng.uniform(-1.35, 1.35, 46):  # a plant on the floor
        length, bend = rng.uniform(90, 290), rng.normal(0, 0.3)
        s = np.linspace(0, 1, 12)
        x = 1120 + length * s * np.sin(angle + bend * s)
        y = 690 - length * s * np.cos(angle + bend * s) + 60 * s**2 * abs(angle)
        leaf = np.stack([x, y], 1).astype(np.int32)
        tone = rng.uniform(0.4, 1.2)
        cv2.polylines(scene, [leaf], False, (0.06 * tone, 0.14 * tone, 0.05 * tone), int(rng.uniform(6, 15)))
    yy, xx = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = np.clip(radius + 0.5 - np.hypot(xx, yy), 0, 1).astype(np.float32)
    scene = cv2.filter2D(scene, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT)
    return 255 * np.clip(cv2.GaussianBlur(scene, (0, 0), 2), 0, 1) ** (1 / 2.2)
