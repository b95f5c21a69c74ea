"""Motion between two pictures: optical flow, and moving a picture along it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FAST, MEDIUM = cv2.DISOPTICAL_FLOW_PRESET_FAST, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM


def optical_flow(a: NDArray[np.uint8], b: NDArray[np.uint8], preset: int = FAST) -> NDArray[np.float32]:
    """Dense inverse search (Kroeger et al. 2016): where each pixel of ``a`` is found in ``b``.

    :param a: [H, W, 3] RGB. :param b: likewise.
    :return: [H, W, 2] pixels (dx, dy).
    """
    grey = [np.asarray(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), np.uint8) for p in (a, b)]
    no_guess = np.empty(0, np.float32)  # a flow of the pictures' size would be where the search starts
    return np.asarray(cv2.DISOpticalFlow.create(preset).calc(grey[0], grey[1], no_guess), np.float32)


def fetch(
    picture: NDArray,
    by: NDArray[np.float32],
    corner: tuple[int, int] = (0, 0),
    origin: tuple[int, int] = (0, 0),
    how: int = cv2.INTER_LINEAR,
) -> NDArray:
    """The picture whose pixel at p is ``picture``'s at corner + p + by(p); the border is repeated.

    :param picture: [H, W] or [H, W, C], C at most 4. :param by: [h, w, 2] pixels (dx, dy).
    :param corner: x and y in ``picture`` of ``by``'s first pixel. :param origin: if it is a part of a larger picture,
        x and y of its own first pixel there, where ``corner`` is meant then. :param how: it interpolates, of OpenCV.
    """
    columns = np.arange(corner[0], corner[0] + by.shape[1], dtype=np.float32)
    rows = np.arange(corner[1], corner[1] + by.shape[0], dtype=np.float32)[:, None]
    across, down = columns + by[..., 0], rows + by[..., 1]
    if origin != (0, 0):  # behind the sums, whose last bits then are those of the whole picture
        across, down = across - np.float32(origin[0]), down - np.float32(origin[1])
    return cv2.remap(picture, across, down, how, borderMode=cv2.BORDER_REPLICATE)
