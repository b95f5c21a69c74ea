"""Crop a face out of a frame and put a picture back under it. Images are [H, W, C]; maps are 2x3, frame -> crop."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.quads import quad_side, quad_to_affine
from vidinv.types import Box, Frame, inside


def crop(image: NDArray, quad: NDArray, size: int, content: tuple[float, float] = (1.0, 1.0)) -> NDArray:
    """Cut the quad out as a ``size`` x ``size`` picture, reflected at the frame's border.

    Shrinking is anti-aliased: the region is averaged down by a whole factor first, then warped bilinearly. Without
    it a face twice as large as the crop twinkles from frame to frame.

    :param image: [H, W, 3] uint8.
    :param quad: [4, 2] corners, pixels.
    :param content: share of the width and height, in the middle, outside of which the crop is black.
    :return: [size, size, 3] uint8.
    """
    return _warped(partial(inside, image), image.shape, quad, size, content)


def crop_of(frame: Frame, quad: NDArray, size: int, content: tuple[float, float] = (1.0, 1.0)) -> NDArray:
    """:func:`crop` of a frame's picture, of which no more is made than :func:`needed`."""
    return _warped(frame.part, frame.image.shape, quad, size, content)


def _warped(
    part: Callable[[Box], NDArray], shape: tuple[int, ...], quad: NDArray, size: int, content: tuple[float, float]
) -> NDArray:
    box = needed(quad, size, shape)
    region, quad, factor = part(box), quad - box[:2], _factor(quad, size)
    if factor >= 2:
        rows, columns = max(region.shape[0] // factor, 1), max(region.shape[1] // factor, 1)
        region = cv2.resize(region, (columns, rows), interpolation=cv2.INTER_AREA)
        quad = (quad + 0.5) / factor - 0.5
    cut = cv2.warpAffine(
        region, quad_to_affine(quad, size), (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    x, y = (round(size * (1 - share) / 2) for share in content)
    cut[:y], cut[size - y :], cut[:, :x], cut[:, size - x :] = 0, 0, 0, 0
    return cut


def _factor(quad: NDArray, size: int) -> int:
    """By which a picture is averaged before it is warped; below 2 it is not."""
    return int(quad_side(quad) / size)


def needed(quad: NDArray, size: int, shape: tuple[int, ...]) -> Box:
    """Of a picture [H, W, ...] the rectangle that a crop is made of."""
    factor, (height, width) = _factor(quad, size), shape[:2]
    if factor < 2:
        (x0, x1), (y0, y1) = (_reflected(quad[:, axis], n) for axis, n in ((0, width), (1, height)))
        return x0, y0, x1, y1
    # Blocks are aligned to the frame, not to the quad, so that a still background averages to the same values in every
    # frame. Of a quad beside the frame the nearest edge is left, whose reflection it shows.
    last = np.maximum(np.array((width, height)) - 1, 0) // factor
    low = np.clip(np.floor(quad.min(0) / factor) - 1, 0, last).astype(int) * factor
    high = np.minimum((np.ceil(quad.max(0) / factor) + 1).astype(int) * factor, (width, height))
    high = np.maximum(high - (high - low) % factor, low + factor)
    x1, y1 = np.minimum(high, (width, height))
    return int(low[0]), int(low[1]), int(x1), int(y1)


def _reflected(along: NDArray, count: int) -> tuple[int, int]:
    """Of so many pixels in a row, those that lie under a quad, or are shown where it reaches over their ends."""
    low, high = math.floor(along.min()) - 1, math.ceil(along.max()) + 2
    if low <= -count or high >= 2 * count:  # over its other end, too
        return 0, count
    first = max(low, 0) if high <= count else min(max(low, 0), 2 * count - 1 - high)
    last = min(high, count) if low >= 0 else max(min(high, count), 1 - low)
    return max(first, 0), min(last, count)


def bounds(quad: NDArray, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Frame rectangle (x0, y0, x1, y1), half open, that holds the quad; empty if the quad lies outside."""
    height, width = shape[:2]
    x0, y0 = (math.floor(v) for v in quad.min(0))
    x1, y1 = (math.ceil(v) + 1 for v in quad.max(0))
    return max(x0, 0), max(y0, 0), max(min(x1, width), 0), max(min(y1, height), 0)


def uncrop(picture: NDArray, quad: NDArray, box: tuple[int, int, int, int]) -> NDArray:
    """Warp a crop-space picture back onto the frame rectangle ``box``; outside the quad it is 0.

    :param picture: [S, S] or [S, S, C] float32 or uint8.
    :param box: frame rectangle (x0, y0, x1, y1).
    :return: [y1 - y0, x1 - x0(, C)], same dtype.
    """
    x0, y0, x1, y1 = box
    to_crop = quad_to_affine(quad, picture.shape[0])
    to_crop = np.concatenate([to_crop[:, :2], (to_crop @ np.array([x0, y0, 1.0]))[:, None]], 1)
    return cv2.warpAffine(
        picture, to_crop, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=0
    )
