"""Fréchet distance between two sets of features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def frechet_distance(a: NDArray, b: NDArray) -> float:
    """Distance of Gaussians fitted to [N, D] and [M, D]: |mu_a - mu_b|^2 + tr(A + B - 2 (A B)^(1/2)).

    (Heusel et al. 2017 with Inception features; the number means nothing without the feature network's name.)
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # tr (A B)^(1/2) through the symmetric A^(1/2) B A^(1/2), whose eigenvalues are real and not negative.
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ cov_b @ root), 0, None)).sum()
    return float(np.square(a.mean(0) - b.mean(0)).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)
