"""Soft masks in crop space: 1 on the face, 0 well before the crop's border."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=8)
def oval(
    size: int, reach: float = 0.97, feather: float = 0.3, content: tuple[float, float] = (1.0, 1.0)
) -> NDArray[np.float32]:
    """Rounded square that falls smoothly to 0 at ``reach`` of the half side; ``feather`` is the fall's share of it.

    :param content: share of the width and height that the shape fills, a rounded rectangle then.
    :return: [size, size], 0..1; read-only, shared.
    """
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    # A superellipse: wide enough for jaw and forehead, without the corners where the background is.
    x, y = (np.abs(axis / share) ** 3 for share in content)
    radius = (x[None, :] + y[:, None]) ** (1 / 3)
    ramp = np.clip((reach - radius) / (feather * reach), 0, 1)
    mask = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
    mask.setflags(write=False)
    return mask


def unoccluded(
    occluder: NDArray[np.float32], size: int, low: float = 0.12, high: float = 0.35, sure: float = 0.7
) -> NDArray[np.float32] | None:
    """Where a face may be edited, from where something probably lies over it: 0 on that, rising softly around it.

    A patch that is nowhere probable by more than ``sure`` is a network's noise. Of what is left even the less probable
    counts: a change on a hand is seen at once, one that ends a little before the hand is not.

    :param occluder: [h, h] probabilities. :param low: probability at which the edit is whole, at ``high`` it is gone.
    :return: [size, size], 0..1; None where nothing covers anything.
    """
    count, patches = cv2.connectedComponents((occluder > low).astype(np.uint8))
    kept = [i for i in range(1, count) if occluder[patches == i].max() > sure]
    if not kept:
        return None
    rise = np.clip((np.where(np.isin(patches, kept), occluder, 0) - low) / (high - low), 0, 1)
    # The rise is widened by a cell: the maps are coarse, and the hand's border must lie inside.
    wide = cv2.GaussianBlur(cv2.dilate(rise.astype(np.float32), np.ones((3, 3), np.uint8)), (0, 0), 0.8)
    ramp = np.clip(np.asarray(cv2.resize(wide, (size, size), interpolation=cv2.INTER_LINEAR), np.float32) / 0.8, 0, 1)
    return 1 - ramp * ramp * (3 - 2 * ramp)


def occluded_share(visible: NDArray[np.float32], face: NDArray[np.float32]) -> float:
    """Share of a face that is not to be seen.

    :param visible: [S, S] of :func:`unoccluded`. :param face: [h, h] 0..1, where the whole face is.
    """
    height, width = visible.shape
    there = np.asarray(cv2.resize(face, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return float(((1 - visible) * there).sum() / max(float(there.sum()), 1.0))


def face_region(parts: NDArray[np.float32], margin: float = 0.03) -> NDArray[np.float32]:
    """Where an edit of the face may go, from where a parsing network sees one: whole on it, soft beyond.

    :param parts: [S, S] probabilities. :param margin: by which the region is wider than the face, share of the side.
    :return: [S, S], 0..1.
    """
    reach = max(round(margin * len(parts)), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.clip(cv2.GaussianBlur(cv2.dilate(parts, kernel), (0, 0), reach / 2), 0, 1).astype(np.float32)
