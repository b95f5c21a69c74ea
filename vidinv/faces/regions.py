"""Where on a face an edit may act: soft regions in crop space, placed from the face's five points.

Coordinates are pixels of the crop; (0, 0) is the centre of the top-left pixel. The five points come in the order of
``Face.points``. Heights on a face are told in lengths from the eyes to the mouth, from the line through the eyes (0)
downwards: the brows lie at about -0.4, the tip of the nose at 0.6, the mouth at 1, the chin at 1.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidinv.faces.masks import Map, smooth_step


def heights(points: NDArray, size: int) -> Map:
    """How far below the line through the eyes every pixel lies, in lengths from the eyes to the mouth.

    :param points: [5, 2]. :return: [size, size].
    """
    p = np.asarray(points, np.float64)
    across = p[1] - p[0]
    down = np.array([-across[1], across[0]]) / max(float(np.linalg.norm(across)), 1e-6)
    unit = max(float((p[3:5].mean(0) - p[:2].mean(0)) @ down), 1e-6)
    x, y = (((np.arange(size) - p[0, i]) * down[i] / unit).astype(np.float32) for i in (0, 1))
    return x + y[:, None]


def lower(points: NDArray, size: int) -> Map:
    """From below the eyes down: 0 at the eyes, whole from the middle of the nose."""
    return smooth_step((heights(points, size) - 0.1) / 0.3)


def eyes(points: NDArray, size: int) -> Map:
    """The band of brows and eyes, as high as large glasses: whole from above the brows to the middle of the nose."""
    height = heights(points, size)
    return smooth_step((height + 0.85) / 0.3) * smooth_step((0.85 - height) / 0.35)


def skin(points: NDArray, size: int) -> Map:
    """All but the eyes and what is between the lips."""
    p = np.asarray(points, np.float64)
    across = p[1] - p[0]
    apart = float(np.linalg.norm(across))
    down = p[3:5].mean(0) - p[:2].mean(0)
    # The eyes of a turned head come close together, and each stays as high as it was.
    unit = max(apart, 0.9 * float(np.linalg.norm(down)))
    ellipses = [(eye, 0.26 * apart, 0.16 * unit) for eye in p[:2]]
    ellipses.append((p[3:5].mean(0), 0.45 * float(np.linalg.norm(p[4] - p[3])), 0.15 * unit))
    along = across / max(apart, 1e-6)
    y, x = np.ogrid[:size, :size]
    region = np.ones((size, size), np.float32)
    for centre, half_width, half_height in ellipses:
        dx, dy = (x - centre[0]).astype(np.float32), (y - centre[1]).astype(np.float32)
        cos, sin = (np.float32(v) for v in along)
        right = (dx * cos + dy * sin) / np.float32(max(half_width, 1e-6))
        below = (dy * cos - dx * sin) / np.float32(max(half_height, 1e-6))
        region *= smooth_step((np.sqrt(right * right + below * below) - 0.6) / 0.9)
    return region


CROP, EYEWEAR = "crop", "eyewear"
BEYOND = (CROP, EYEWEAR)  # these go on beside the face
# By the name that pack.toml gives it. Those that are None need no points: the face itself, and the crop's middle with
# the hair and what is around the face, for edits that move its outline. Temples of glasses go to the ears.
REGIONS: dict[str, Callable[[NDArray, int], Map] | None] = {
    "face": None,
    CROP: None,
    "lower": lower,
    "eyes": eyes,
    EYEWEAR: eyes,
    "skin": skin,
}


@dataclass(frozen=True)
class Touch:
    """Where on a face an edit acts, and how what it draws there is put in."""

    region: str = "face"  # of REGIONS
    share: float = 1.0  # 0..1, how much of it acts
    colours: float = 1.0  # 0..1, how much of the colours it draws in are its own: EditSpec.colours
    moves: bool = True  # EditSpec.moves
    edges: float = 0.0  # EditSpec.edges


def together(touches: Iterable[Touch]) -> dict[str, float]:
    """Each region once, with the largest of its shares; what has no share is left out."""
    found: dict[str, float] = {}
    for touch in touches:
        if touch.share > found.get(touch.region, 0.0):
            found[touch.region] = touch.share
    return found


def colours(touches: Sequence[Touch]) -> float:
    """0..1, the largest share of own colours that an edit asks for; one that comes while another acts does so by its
    share."""
    most = max((touch.share for touch in touches), default=0.0)
    return max(touch.colours * touch.share for touch in touches) / most if most > 0 else 1.0


def steep(touches: Iterable[Touch]) -> dict[str, float]:
    """Regions in which edges are made steeper, and how much; what has no share has none."""
    found: dict[str, float] = {}
    for touch in touches:
        if touch.share * touch.edges > found.get(touch.region, 0.0):
            found[touch.region] = touch.share * touch.edges
    return found


def moving(touches: Iterable[Touch]) -> bool:
    """Does any of the edits that act move parts of the face?"""
    return any(touch.moves for touch in touches if touch.share > 0)


def union(named: Mapping[str, float], face: Map | None, points: NDArray | None, size: int) -> Map | None:
    """Where the edits that act on a face may change it.

    :param named: the regions of those edits, and how much each counts, 0..1: where an edit comes while another acts,
        its region grows with it. None named: the face.
    :param face: [size, size] 0..1, where the face is; None: nobody knows.
    :param points: [5, 2]; None: the face has none, and then every region is the whole face.
    :return: [size, size], 0..1; None: everywhere.
    """
    named = named or {"face": 1.0}
    if face is None and (points is None or all(REGIONS[name] is None for name in named)):
        return None
    whole = np.ones((size, size), np.float32)
    inside = whole if face is None else face
    found = np.zeros((size, size), np.float32)
    for name, share in named.items():
        place = None if points is None else REGIONS[name]
        within = whole if name == CROP or (name in BEYOND and points is not None) else inside
        region = within if place is None or points is None else within * place(points, size)
        found = np.maximum(found, np.float32(share) * region)
    return found
