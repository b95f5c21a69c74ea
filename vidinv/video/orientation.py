"""Between the picture as coded and the picture as a player shows it: quarter turns and mirrors, exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.types import Box


@dataclass(frozen=True)
class Orientation:
    """Transpose first, then flip: the eight ways a rectangle lies on the pixel grid."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def upright(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """[H, W, 3] as coded -> [H', W', 3] as shown, contiguous."""
        return _flip(_transposed(image) if self.transpose else image, self.flip_x, self.flip_y)

    def coded(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The inverse of ``upright``."""
        image = _flip(image, self.flip_x, self.flip_y)
        return _transposed(image) if self.transpose else image

    def coded_box(self, box: Box, size: tuple[int, int]) -> Box:
        """Where a rectangle of the upright picture lies in the coded one. :param size: of that, width and height."""
        width, height = reversed(size) if self.transpose else size
        x0, y0, x1, y1 = _flipped(box, width if self.flip_x else None, height if self.flip_y else None)
        return (y0, x0, y1, x1) if self.transpose else (x0, y0, x1, y1)

    def upright_box(self, box: Box, size: tuple[int, int]) -> Box:
        """The inverse of ``coded_box``."""
        width, height = reversed(size) if self.transpose else size
        x0, y0, x1, y1 = box
        turned = (y0, x0, y1, x1) if self.transpose else box
        return _flipped(turned, width if self.flip_x else None, height if self.flip_y else None)


def from_matrix(matrix: Sequence[int] | None) -> Orientation | None:
    """The orientation a display matrix asks for (9 integers, 16.16 fixed point, p = a x + c y, q = b x + d y).

    None when the matrix turns by something else than a multiple of 90 degrees.
    """
    if matrix is None:
        return Orientation()
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    if abs(a) + abs(d) > 100 * (abs(b) + abs(c)):
        return Orientation(False, a < 0, d < 0)
    if abs(b) + abs(c) > 100 * (abs(a) + abs(d)):
        return Orientation(True, c < 0, b < 0)
    return None


# The library's answers carry no type of their pixels; asarray names it and copies nothing.
def _transposed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.transpose(image), np.uint8)


def _flip(image: NDArray[np.uint8], x: bool, y: bool) -> NDArray[np.uint8]:
    return np.asarray(cv2.flip(image, -1 if x and y else int(x)), np.uint8) if x or y else image


def _flipped(box: Box, width: int | None, height: int | None) -> Box:
    """A rectangle in the mirrored picture. :param width: of the picture, where it is mirrored across; likewise."""
    x0, y0, x1, y1 = box
    x0, x1 = (x0, x1) if width is None else (width - x1, width - x0)
    y0, y1 = (y0, y1) if height is None else (height - y1, height - y0)
    return x0, y0, x1, y1


def fitted(size: tuple[int, int], whole: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The largest size of the same shape within the whole, and where it lies: (width, height), (left, top)."""
    scale = min(whole[0] / size[0], whole[1] / size[1])
    width, height = (max(1, min(round(s * scale), w)) for s, w in zip(size, whole, strict=True))
    return (width, height), ((whole[0] - width) // 2, (whole[1] - height) // 2)
