"""Where and how the parts of assets/sample.mp4 are drawn. Lengths are in sides of the face crop, from its middle."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """Where the face crop lies in the picture at rest, pixels."""

    width: int
    height: int
    centre: tuple[float, float]
    side: float

    def grid(self) -> tuple[Image, Image]:
        """x and y of all pixels, in sides of the crop."""
        ys, xs = np.mgrid[0 : self.height, 0 : self.width].astype(np.float32)
        return (xs - self.centre[0]) / self.side, (ys - self.centre[1]) / self.side

    def pixels(self, points: NDArray) -> NDArray[np.int32]:
        """Points to what OpenCV draws with ``shift=4``."""
        return np.rint((np.asarray(points) * self.side + self.centre) * 16).astype(np.int32)

    def filled(self, points: NDArray, blur: float) -> Image:
        mask = np.zeros((self.height, self.width), np.float32)
        cv2.fillPoly(mask, [self.pixels(points)], 1.0, cv2.LINE_AA, 4)
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), np.float32)


def curve(points: tuple[tuple[float, float], ...] | NDArray, count: int, closed: bool = False) -> NDArray:
    """A smooth line through points, [count, 2] (Catmull-Rom)."""
    p = np.asarray(points, float)
    p = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    at = np.linspace(0, len(p) - 3 - 1e-6, count)
    i, t = at.astype(int), (at % 1)[:, None]
    a, b, c, d = (p[i + k] for k in range(4))
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)


def over(below: NDArray, above: NDArray, alpha: NDArray) -> NDArray:
    return below + (above - below) * alpha[..., None]
