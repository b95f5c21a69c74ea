"""What is around the generated face of assets/sample.mp4: hair, neck and sweater, all drawn.

Drawn once, at rest; ``make_sample`` moves it. Lengths are in sides of the face crop, whose middle is the origin.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.sample_hair import hair
from pipelines.sample_layout import Image, Layout, curve, over
from vidinv.faces.masks import oval, smooth_step

JAW = ((-0.44, -0.1), (-0.43, 0.16), (-0.345, 0.36), (-0.19, 0.525), (0.0, 0.575), (0.19, 0.525), (0.345, 0.36),
       (0.44, 0.18), (0.44, -0.1), (0.36, -0.4), (0.15, -0.60), (-0.04, -0.63), (-0.24, -0.60),
       (-0.40, -0.4))  # fmt: skip
SWEATER = np.array((72.0, 92.0, 96.0))


def neck(layout: Layout, skin: NDArray) -> tuple[Image, Image]:
    """Round, in the chin's shadow above, with the hollow between the collarbones: picture and alpha."""
    x, y = layout.grid()
    half = 0.255 + 0.5 * np.clip(y - 0.66, 0, 1) ** 1.5
    across = x / half
    light = 0.93 - 0.38 * np.abs(across + 0.12) ** 2.2
    chin = 0.57 - 0.6 * x**2
    light *= 1 - 0.47 * np.exp(-np.clip(y - chin, 0, 9) / 0.10)
    for side in (-1, 1):  # the two cords that run down to the hollow
        light += 0.09 * np.exp(-(((x - side * (0.17 - 0.35 * (y - 0.6))) / 0.025) ** 2)) * smooth_step((y - 0.62) / 0.1)
    light -= 0.10 * np.exp(-((x / 0.05) ** 2) - ((y - 0.80) / 0.05) ** 2)
    light = np.clip(light, 0.05, 1.1)
    tint = np.stack([light, light**1.12, light**1.2], 2)  # shadows in skin are redder
    alpha = smooth_step((half - np.abs(x)) / 0.02) * smooth_step((y - 0.2) / 0.05)
    return (tint * skin).astype(np.float32), alpha


def sweater(layout: Layout) -> tuple[Image, Image]:
    """Knitted, with a ribbed collar, lit as the face is: picture and alpha."""
    x, y = layout.grid()
    collar = 0.79 - 0.9 * x**2 + 0.35 * np.clip(np.abs(x) - 0.3, 0, 1)  # its upper edge
    shoulder = 0.70 + 0.16 * np.clip((np.abs(x) - 0.28) / 0.6, 0, 9) ** 1.6
    shoulder += 0.9 * np.clip(np.abs(x) - 0.92, 0, 9) ** 1.5
    top = np.where(np.abs(x) < 0.30, collar, np.maximum(shoulder, 0))
    down = y - shoulder
    light = 0.62 + 0.50 * np.exp(-((down - 0.05) ** 2) / 0.03) - 0.14 * x + 0.05 * np.sin(9 * x + 14 * y)
    u, v = x * 62, (y - 0.12 * x**2) * 46  # stitches: columns of small Vs
    stitch = np.abs(np.sin(np.pi * u)) ** 0.6 * (0.72 + 0.28 * np.sin(2 * np.pi * (v + 0.6 * np.abs(u % 1 - 0.5))))
    around = smooth_step((0.062 - np.abs(y - collar - 0.05)) / 0.01) * (np.abs(x) < 0.34)
    rib = (0.65 + 0.35 * np.abs(np.sin(np.pi * 34 * np.arctan2(x, 0.42)))) * (1.12 - 60 * (y - collar - 0.05) ** 2)
    texture = (0.80 + 0.30 * stitch) * (1 - around) + rib * around
    texture *= 1 - 0.35 * np.exp(-(((y - collar - 0.115) / 0.012) ** 2)) * (np.abs(x) < 0.36)
    alpha = smooth_step((y - top) / 0.012)
    return (light * texture)[..., None].astype(np.float32) * SWEATER.astype(np.float32), alpha


class Portrait:
    """All around the face, drawn for one face picture [S, S, 3] 0..255; :meth:`__call__` puts any picture of it in."""

    def __init__(self, layout: Layout, face: Image, rng: np.random.Generator) -> None:
        size, scale = len(face), layout.side / len(face)
        self.layout, middle = layout, ((size - 1) / 2, (size - 1) / 2)
        self.to_canvas = np.asarray(cv2.getRotationMatrix2D(middle, 0, scale), np.float64)
        self.to_canvas[:, 2] += np.array(layout.centre) - (size - 1) / 2
        strands = np.percentile(face[80:120, :8].reshape(-1, 3), 60, 0) * 1.15 + (10, 6, 3)
        skin = np.median(face[84:100, 40:88].reshape(-1, 3), 0)
        hairs, covered = hair(layout, strands, rng, (0.0, 1.0))
        picture, alpha = hair(layout, 0.6 * strands, rng, (-0.9, 0.3), locks=40)
        alpha = np.maximum(covered, alpha)
        shadow = cv2.GaussianBlur(covered, (0, 0), 14)
        for drawn, there in (neck(layout, skin), sweater(layout)):
            picture = over(picture, drawn * (1 - 0.6 * shadow[..., None]), there)
            alpha = np.maximum(alpha, there)
        outside = cv2.GaussianBlur(self._placed(face, cv2.BORDER_REPLICATE), (0, 0), 5)
        x, y = layout.grid()
        round_off = 1 - 0.30 * smooth_step((y - 0.50 + 0.35 * x**2) / 0.11) - 0.25 * smooth_step((-0.5 - y) / 0.12)
        shape = layout.filled(curve(JAW, 200, closed=True), 2.5)
        picture, alpha = over(picture, outside * round_off[..., None], shape), np.maximum(alpha, shape)
        roots = cv2.GaussianBlur(covered, (0, 0), 7)[..., None]  # hair shades the skin beside it
        self.picture, self.alpha = over(picture * (1 - 0.25 * roots), hairs, covered), alpha
        self.light = (1.0 - 0.17 * np.clip(x, -0.7, 0.7) - 0.10 * np.clip(y, -0.6, 0.6))[..., None]  # the window's
        self.mask = cv2.warpAffine(np.array(oval(size, 0.985, 0.16)), self.to_canvas, (layout.width, layout.height))

    def _placed(self, face: Image, border: int) -> NDArray:
        size = (self.layout.width, self.layout.height)
        return cv2.warpAffine(face, self.to_canvas, size, flags=cv2.INTER_LANCZOS4, borderMode=border)

    def __call__(self, face: Image) -> NDArray:
        placed = cv2.GaussianBlur(self._placed(face, cv2.BORDER_REPLICATE), (0, 0), 1.0)
        return over(self.picture, placed, self.mask) * self.light
