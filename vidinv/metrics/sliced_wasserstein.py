"""Sliced Wasserstein distance between two sets of features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sliced_wasserstein(a: NDArray, b: NDArray, projections: int = 512, seed: int = 0) -> float:
    """Mean over random directions of the distance between the sets [N, D] and [M, D] projected on them (Rabin et al.
    2011; the first-order distance that Karras et al. 2018 report).

    In one dimension the distance is the mean difference of quantiles, which sorting gives; sets of different size are
    compared at the larger one's. Like a Fréchet distance it means nothing without the feature network's name.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    directions = np.random.default_rng(seed).normal(size=(a.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    at = (np.arange(max(len(a), len(b))) + 0.5) / max(len(a), len(b))
    quantiles = [np.quantile(x @ directions, at, axis=0, method="hazen") for x in (a, b)]
    return float(np.abs(quantiles[0] - quantiles[1]).mean())
