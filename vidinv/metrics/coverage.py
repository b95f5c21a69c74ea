"""How real samples look and how much of the data they reach, as two numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _squared_distances(a: NDArray, b: NDArray) -> NDArray:
    """[N, M] between rows of [N, D] and [M, D]."""
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2 * a @ b.T
    return np.clip(squares, 0, None)


def density_coverage(real: NDArray, fake: NDArray, k: int = 5) -> dict[str, float]:
    """Density and coverage of features (Naeem et al. 2020, arXiv:2002.09797, Eq. 3 and 4).

    A real feature's ball reaches to its ``k``-th nearest real neighbour. Density is the mean number of balls that a
    fake lies in, over k (about 1 for the same distribution, not bounded above); coverage the share of balls that hold
    a fake, 0..1 (about 1 - 2**-k for as many fakes as reals of the same distribution).

    :param real: [N, D], N > k. :param fake: [M, D].
    """
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    if len(real) <= k:
        raise ValueError(f"{len(real)} real features have no {k}-th neighbour")
    among = _squared_distances(real, real)
    np.fill_diagonal(among, -1)  # each is its own zeroth neighbour, rounding or not
    radius = np.partition(among, k, axis=1)[:, k]
    inside = _squared_distances(real, fake) <= radius[:, None]
    return {"density": float(inside.sum() / (k * len(fake))), "coverage": float(inside.any(1).mean())}
