"""Landmarks over time: the last frame's, moved to where the face is now, and the new ones mixed into them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.masks import Map
from vidinv.types import Eyeglasses

LASTING = 0.1  # who wears glasses does so for long: the past's word counts for ten times as long as its places do


def steadied(past: Eyeglasses, now: Eyeglasses, by: NDArray[np.float32], keep: Map) -> Eyeglasses:
    """Now's, the past's mixed into them where they have come to since.

    :param by: [S, S, 2] where each pixel of this crop is found in the past one. :param keep: [S, S] 0..1, how much the
        past counts.
    """
    x, y = np.asarray(now.points, np.float32)[None].transpose(2, 0, 1).copy()
    step, counts = (cv2.remap(part, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0] for part in (by, keep))
    each = np.asarray(counts, np.float32).reshape(-1, 1)
    share = float(each.mean())
    long = share**LASTING
    return replace(
        now,
        points=np.asarray((past.points - step) * each + now.points * (1 - each), np.float32),
        skin=np.asarray(share * past.skin + (1 - share) * now.skin, np.float32),
        soft=long * past.soft + (1 - long) * now.soft,
        wearing=long * past.wearing + (1 - long) * now.wearing,
    )
