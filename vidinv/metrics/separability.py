"""How well hyperplanes tell attributes apart in a space of codes: a linear support vector machine for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidinv.errors import InputError, MissingExtra

COMPONENTS = 256  # principal ones of the codes that the machines see: of 3072 numbers more are hardly ever in use


@dataclass(frozen=True)
class Hyperplanes:
    """sign(codes @ weights.T + biases) says who has each attribute; the machines' margins end at -1 and 1."""

    weights: NDArray[np.float64]  # [K, M]
    biases: NDArray[np.float64]  # [K]

    def outputs(self, codes: NDArray) -> NDArray[np.float64]:
        """[N, K] of codes [N, M]."""
        return codes @ self.weights.T + self.biases

    def accuracies(self, codes: NDArray, truth: NDArray) -> NDArray[np.float64]:
        """Share of codes [N, M] on the right side, [K]. :param truth: [N, K], -1, 1, or 0 where it is not known."""
        right = np.sign(self.outputs(codes)) == truth
        return np.array([column[known].mean() for column, known in zip(right.T, truth.T != 0, strict=True)])


def fit_hyperplanes(codes: NDArray, truth: NDArray, c: float = 1e-3, seed: int = 0) -> Hyperplanes:
    """A linear SVM (squared hinge) for each attribute, in the codes' first principal components.

    :param codes: [N, M], numbers of about the same spread. :param truth: [N, K], -1, 1, or 0 where it is not known.
    :param c: inverse regularisation.
    :raises MissingExtra: scikit-learn is not installed. :raises InputError: an attribute that all or none have.
    """
    try:
        from sklearn.decomposition import PCA
        from sklearn.svm import LinearSVC
    except ImportError:
        raise MissingExtra(
            'hyperplanes need scikit-learn, which is not installed; pip install "vidinv[report]"'
        ) from None
    for number, column in enumerate(truth.T):
        if not ((column > 0).any() and (column < 0).any()):
            raise InputError(f"attribute {number} of {truth.shape[1]}: all or none of {len(codes)} faces have it")
    pca = PCA(min(COMPONENTS, *codes.shape), svd_solver="randomized", random_state=seed).fit(codes)
    seen, weights, biases = pca.transform(codes), [], []
    for column in truth.T:
        known = column != 0
        machine = LinearSVC(C=c, dual=False, tol=1e-3, random_state=seed).fit(seen[known], column[known])
        weights.append(machine.coef_[0] @ pca.components_)
        biases.append(machine.intercept_[0] - weights[-1] @ pca.mean_)
    return Hyperplanes(np.stack(weights), np.array(biases))
