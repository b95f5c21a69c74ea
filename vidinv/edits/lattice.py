"""Whole steps of several edits at once, and what lies between them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Corner = tuple[int, ...]
"""Whole numbers, one for each edit, with their sign."""

DIGITS = 9  # what lies nearer to a whole number is one


def unit(most: float) -> float:
    """Of an edit of ``most`` steps at the strongest: about a step, and ``most`` is a whole number of it."""
    return most / math.ceil(most) if most > 0 else 1.0


def corners(at: Sequence[float]) -> list[tuple[Corner, float]]:
    """The corners around a point that it is linear between, with their weights, all above 0; without the origin.

    They are those of its simplex in Kuhn's triangulation (1960) of the lattice, mirrored where a number changes its
    sign: n + 1 at most for n numbers, one for a point of the lattice, and none for the origin. Weights are continuous
    in the point and, on a ray from the origin to the lattice's nearest corners, linear. A number that is 0 is 0 in
    every corner.
    """
    rounded = np.round(np.asarray(at, np.float64), DIGITS)
    size, sign = np.abs(rounded), np.where(rounded < 0, -1, 1)
    corner = np.floor(size).astype(int)
    over = size - corner
    order = np.argsort(-over, kind="stable")
    weights = -np.diff(np.concatenate([[1.0], over[order], [0.0]]))
    found = []
    for i, weight in enumerate(weights):
        if i:
            corner[order[i - 1]] += 1
        if weight > 0 and corner.any():
            found.append((tuple(int(x) for x in sign * corner), float(weight)))
    return found
