"""Coordinates of a face: what is put on it is told in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Axes:
    """Its middle between the eyes, to the viewer's right, and downwards; pixels."""

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
        """Half of the eyes' distance of a face that is not turned, 31 mm or so; pixels."""
        return float(np.hypot(*self.down))


def axes(points: NDArray) -> Axes:
    """:param points: [68, 2] pixels."""
    points = np.asarray(points, np.float64)
    left, right, mouth = points[36:42].mean(0), points[42:48].mean(0), points[48:60].mean(0)
    across, origin = (right - left) / 2, (left + right) / 2
    long = max(float(np.hypot(*(mouth - origin))), 1e-6)
    down, width = (mouth - origin) / long, max(float(np.hypot(*across)), 1e-6)
    # A head that turns narrows the eyes' distance, one that nods that to the mouth; the larger one tells the size.
    size, tip = max(width, 0.45 * long), points[30] - origin
    off = tip - down * (tip @ down)
    return Axes(origin, across, down * size, float(off @ across / width) / width)
