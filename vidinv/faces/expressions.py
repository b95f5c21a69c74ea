"""Expressions and turns of the head as displacements of the 68 landmarks, for faces that are driven by numbers.

They are made by rule, on any face that looks about ahead: nothing here is learned.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidinv.faces.landmark_motion import INNER, LIPS

Points = NDArray[np.floating]
# What each number means at 1; all are 0 at rest.
CONTROLS = {
    "mouth": "inner lips apart by a third of the eyes' distance, the jaw with them; -1..1",
    "smile": "corners of the mouth up and out by an eighth of the eyes' distance; -1: down; -1..1",
    "eyes": "eyes half as wide again; -1: half closed; -1..1",
    "brows": "brows up by an eighth of the eyes' distance; -1: down; -1..1",
    "yaw": "degrees that the head turns to the viewer's right; -20..20",
    "pitch": "degrees that it turns downwards; -20..20",
}
LIMITS = {name: 20.0 if name in ("yaw", "pitch") else 1.0 for name in CONTROLS}
JAW = slice(4, 13)
LOWER_OUTER, LOWER_INNER = [55, 56, 57, 58, 59], [65, 66, 67]
UPPER_OUTER, UPPER_INNER = [49, 50, 51, 52, 53], [61, 62, 63]
CORNERS = ((48, 60, 49, 59), (54, 64, 53, 55))  # of the left, of the right side: outer, inner, and its neighbours
LIDS = (((37, 41), (38, 40)), ((43, 47), (44, 46)))  # upper and lower lid of either eye
NOSE = {27: 0.1, 28: 0.15, 29: 0.22, 30: 0.3, 31: 0.12, 32: 0.15, 33: 0.18, 34: 0.15, 35: 0.12}  # juts out, half widths


def displacement(points: Points, controls: dict[str, float]) -> NDArray[np.float64]:
    """How far each landmark moves, in the points' unit.

    :param points: [68, 2] of a face at rest. :param controls: by the names of CONTROLS; what is missing is 0.
    :return: [68, 2].
    """
    p = np.asarray(points, np.float64)
    unit = float(np.linalg.norm(p[36:42].mean(0) - p[42:48].mean(0)))
    moved = np.zeros_like(p)
    mouth, smile, eyes, brows = (controls.get(name, 0.0) for name in ("mouth", "smile", "eyes", "brows"))
    if mouth:
        moved[LOWER_INNER, 1] += unit * mouth * np.array([0.24, 0.28, 0.24])
        moved[LOWER_OUTER, 1] += unit * mouth * np.array([0.14, 0.22, 0.26, 0.22, 0.14])
        moved[UPPER_INNER, 1] -= 0.05 * unit * mouth
        moved[UPPER_OUTER, 1] -= unit * mouth * np.array([0.02, 0.04, 0.04, 0.04, 0.02])
        moved[JAW, 1] += 0.24 * unit * mouth * np.sin(np.linspace(0, np.pi, 9))
    for outwards, (outer, inner, above, below) in zip((-1, 1), CORNERS, strict=True):
        for point, share in ((outer, 1.0), (inner, 1.0), (above, 0.5), (below, 0.5)):
            moved[point] += 0.125 * unit * share * np.array([outwards * max(smile, 0.0), -smile])
    for upper, lower in (pair for eye in LIDS for pair in eye):
        gap = p[lower] - p[upper]
        moved[upper] += gap * (-0.55 * eyes if eyes < 0 else -0.4 * eyes)
        moved[lower] += gap * (0.1 * eyes)
    moved[17:27, 1] -= 0.125 * unit * brows
    return moved + _turned(p, controls.get("yaw", 0.0), controls.get("pitch", 0.0))


def _turned(p: NDArray[np.float64], yaw: float, pitch: float) -> NDArray[np.float64]:
    """Of a head like an ellipsoid whose middle of eyes and mouth stays where it is."""
    if not (yaw or pitch):
        return np.zeros_like(p)
    half = float(np.linalg.norm(p[16] - p[0])) / 2
    middle = (p[36:48].mean(0) + p[LIPS].mean(0)) / 2
    at = p - middle
    depth = half * np.sqrt(np.clip(1 - (at[:, 0] / half) ** 2 - (at[:, 1] / (1.5 * half)) ** 2, 0, None))
    for point, juts in NOSE.items():
        depth[point] += juts * half
    a, b = np.radians(yaw), np.radians(pitch)
    x = at[:, 0] * np.cos(a) + depth * np.sin(a)
    y = at[:, 1] * np.cos(b) + (depth * np.cos(a) - at[:, 0] * np.sin(a)) * np.sin(b)
    moved = np.stack([x, y], 1) - at
    held = [*range(36, 48), *range(*LIPS.indices(len(p)))[: INNER.start - LIPS.start]]
    return moved - moved[held].mean(0)  # crops follow eyes and mouth
