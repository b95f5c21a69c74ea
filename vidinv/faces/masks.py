"""Soft masks in crop space: 1 on the face, 0 well before the crop's border."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]
GUIDED = 128  # pixels: side of the pictures on which outlines are looked for
EVEN = 0.05  # of 0..1, spread of light below which there is no edge to follow


def smooth_step(rise: NDArray) -> Map:
    """0 below 0, 1 above 1, without corners in between."""
    ramp = np.clip(rise, 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


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


def face_outline(probable: Map, picture: NDArray[np.uint8], low: float = 0.5, high: float = 0.95) -> Map:
    """The face up to its outline, from where a network thinks that it is, and the picture that it saw.

    Its map is right to about one of its cells, and beside a turned cheek it takes in a strip of what is behind. So it
    is drawn to the picture's own edges by a guided filter (He et al. 2013): about the outline, what differs in light
    from the face is none of it. Nothing is added to the map by that, and well inside, where the map is even, nothing is
    taken.

    :param probable: [h, h] probabilities. :param picture: [S, S, 3] RGB.
    :param low: probability at which the region begins: at the outline; at ``high``, a little inside, it is whole.
    :return: [S, S], 0..1.
    """
    size = len(picture)
    light = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32) / 255
    side = min(size, GUIDED)
    small = np.asarray(cv2.resize(light, (side, side), interpolation=cv2.INTER_AREA), np.float32)
    rough = _soft(cv2.resize(probable, (side, side), interpolation=cv2.INTER_CUBIC), side / 128)

    # Around every place, the line that best tells the map from the light: on small pictures, then on the whole one.
    sigma = 0.04 * side
    mean_light, mean_map = _soft(small, sigma), _soft(rough, sigma)
    spread = _soft(small * small, sigma) - mean_light * mean_light
    rise = (_soft(small * rough, sigma) - mean_light * mean_map) / (spread + EVEN * EVEN)
    slope, offset = _soft(rise, sigma), _soft(mean_map - rise * mean_light, sigma)
    if side != size:
        slope, offset, rough = (
            np.asarray(cv2.resize(m, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)
            for m in (slope, offset, rough)
        )
    return smooth_step((np.minimum(rough, slope * light + offset) - low) / (high - low))


def _soft(picture: NDArray, sigma: float) -> Map:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
