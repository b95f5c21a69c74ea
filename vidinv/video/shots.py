"""Where one shot ends and the next begins."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

CUT_DIFFERENCE = 18.0  # mean absolute difference of thumbnails, 0..255, below which no cut is seen
CUT_RATIO = 3.0  # times the recent frames' own difference: a waving camera is no cut


@dataclass(frozen=True)
class ShotState:
    """What the last frames looked like; handed back by :func:`is_cut`."""

    thumbnail: NDArray[np.float32] | None = None  # [18, 32, 3] RGB, 0..255
    usual: float = 0.0  # running mean of the difference between neighbours


def is_cut(state: ShotState, image: NDArray[np.uint8]) -> tuple[bool, ShotState]:
    """Does a new shot start with this picture [H, W, 3]? The first picture of all is not called a cut."""
    step = max(image.shape[0] // 180, 1)
    small = cv2.resize(np.ascontiguousarray(image[::step, ::step]), (32, 18), interpolation=cv2.INTER_AREA)
    thumbnail = small.astype(np.float32)
    if state.thumbnail is None:
        return False, ShotState(thumbnail)
    difference = float(np.abs(thumbnail - state.thumbnail).mean())
    cut = difference > max(CUT_DIFFERENCE, CUT_RATIO * state.usual)
    usual = 0.0 if cut else 0.8 * state.usual + 0.2 * difference
    return cut, ShotState(thumbnail, usual)
