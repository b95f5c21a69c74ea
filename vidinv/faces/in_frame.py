"""What is drawn into a frame by a face's landmarks, one after the other: moved lips, teeth between them, eyeglasses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vidinv.faces import eyeglasses, lips
from vidinv.faces.compositing import changed_picture
from vidinv.faces.masks import Map
from vidinv.types import Box, Eyeglasses, Lips

WHOLE = np.float32(1)


def extent(mark: Eyeglasses | Lips, height: int, width: int) -> Box:
    """The rectangle of a picture that :func:`draw` may change. :param mark: with points in its pixels."""
    of = eyeglasses.extent if isinstance(mark, Eyeglasses) else lips.extent
    return of(np.asarray(mark.points, np.float64), height, width)


def draw(
    picture: NDArray[np.uint8], mark: Eyeglasses | Lips, seen: Map | np.float32 = WHOLE, colour: float = 1.0
) -> NDArray[np.uint8]:
    """A picture with eyeglasses, or with teeth between lips that have been moved.

    :param picture: [H, W, 3] RGB, or what lies within :func:`extent` of it. :param mark: with points in its pixels.
    :param seen: [H, W], or one number, 0..1: where nothing lies over the face. :param colour: 0..1, how much hue is
        there.
    """
    if isinstance(mark, Eyeglasses):
        return eyeglasses.put_on(picture, mark, seen)
    return lips.show_teeth(picture, mark, seen, colour)


def finished(crop: NDArray[np.uint8], worn: Eyeglasses | None, moving: Lips | None) -> NDArray[np.uint8]:
    """All of it at once, at the crop's own size. :param crop: [S, S, 3]."""
    if moving is not None:
        change = lips.lips_moved(crop, moving)
        moved = changed_picture(crop.astype(np.float32), change)
        crop = draw(np.rint(moved).astype(np.uint8), moving)
    return crop if worn is None else draw(crop, worn)


def moved_to(mark: Eyeglasses | Lips, points: NDArray) -> Eyeglasses | Lips:
    """The same in another picture, where its landmarks, [68, 2], are elsewhere."""
    return replace(mark, points=np.asarray(points, np.float32))
