"""Landmarks over time: the last frame's, moved to where the face is now, and the new ones mixed into them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.masks import Map
from vidinv.types import Eyeglasses, Lips

LASTING = 0.1  # who wears glasses does so for long: the past's word counts for ten times as long as its places do
QUICK = 3.0  # lips move on their own: theirs count for a third as long


def steady_glasses(past: Eyeglasses, now: Eyeglasses, by: NDArray[np.float32], keep: Map) -> Eyeglasses:
    """Now's, the past's mixed into them where they have come to since.

    :param by: [S, S, 2] where each pixel of this crop is found in the past one. :param keep: [S, S] 0..1, how much the
        past counts.
    """
    points, share = _mixed(past.points, now.points, by, keep)
    long = share**LASTING
    return replace(
        now,
        points=points,
        skin=np.asarray(share * past.skin + (1 - share) * now.skin, np.float32),
        wearing=long * past.wearing + (1 - long) * now.wearing,
    )


def steady_lips(past: Lips, now: Lips, by: NDArray[np.float32], keep: Map) -> Lips:
    """Likewise."""
    points, share = _mixed(past.points, now.points, by, keep**QUICK)
    whole = share ** (1 / QUICK)
    return replace(
        now,
        points=points,
        skin=np.asarray(whole * past.skin + (1 - whole) * now.skin, np.float32),
        smiling=whole * past.smiling + (1 - whole) * now.smiling,
    )


def _mixed(
    past: NDArray[np.float32], now: NDArray[np.float32], by: NDArray[np.float32], keep: Map
) -> tuple[NDArray[np.float32], float]:
    """[68, 2] both, and how much the past counts on average."""
    x, y = np.asarray(now, np.float32)[None].transpose(2, 0, 1).copy()
    step, counts = (cv2.remap(part, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0] for part in (by, keep))
    share = np.asarray(counts, np.float32).reshape(-1, 1)
    return np.asarray((past - step) * share + now * (1 - share), np.float32), float(share.mean())
