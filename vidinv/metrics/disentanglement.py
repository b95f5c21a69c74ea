"""DCI (Eastwood & Williams 2018): has each code dimension one factor, and each factor few dimensions?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidinv.errors import MissingExtra


@dataclass(frozen=True)
class Dci:
    disentanglement: float  # 0..1; 1: every dimension matters for one factor only
    completeness: float  # 0..1; 1: every factor is held by one dimension
    informativeness: float  # on codes that were not fitted; see what made it
    importance: NDArray[np.float64]  # [D, K] R_ij of the paper


def disentanglement(importance: NDArray) -> float:
    """D of the paper from R [D, K] >= 0: sum_i rho_i (1 - H_K(P_i)), rho_i a dimension's share of all importance."""
    r = np.asarray(importance, np.float64)
    total = r.sum()
    if total <= 0 or r.shape[1] < 2:
        return float("nan")
    return float((r.sum(1) / total) @ (1 - _entropy(r)))


def completeness(importance: NDArray) -> float:
    """C of the paper from R [D, K] >= 0: the mean over factors of 1 - H_D(P_j)."""
    r = np.asarray(importance, np.float64)
    return float(np.mean(1 - _entropy(r.T))) if r.shape[0] > 1 else float("nan")


def _entropy(rows: NDArray) -> NDArray[np.float64]:
    """Entropy of each row as a distribution, to the base of its length; a row of zeros says nothing: 1."""
    sums = rows.sum(1, keepdims=True)
    share = np.divide(rows, sums, out=np.full(rows.shape, 1 / rows.shape[1]), where=sums > 0)
    logs = np.log(share, out=np.zeros(share.shape), where=share > 0)
    return -(share * logs).sum(1) / np.log(rows.shape[1])


def dci(codes: NDArray, factors: NDArray, *, trees: int = 50, seed: int = 0, held_out: float = 0.25) -> Dci:
    """Fit a random forest per factor and read R off its importances; informativeness is their mean accuracy.

    :param codes: [N, D]. :param factors: [N, K] class labels, whole numbers (a score is cut at its median first).
    :param held_out: share of the codes that informativeness is measured on.
    :raises MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.model_selection import train_test_split
    except ImportError:
        raise MissingExtra('DCI needs scikit-learn, which is not installed; pip install "vidinv[report]"') from None
    x, x_test, y, y_test = train_test_split(codes, factors, test_size=held_out, random_state=seed)
    columns, accuracies = [], []
    for k in range(factors.shape[1]):
        # Every split looks at all dimensions: among few drawn at random the wrong ones would earn importance too.
        forest = RandomForestClassifier(trees, max_features=None, random_state=seed).fit(x, y[:, k])
        columns.append(forest.feature_importances_)
        accuracies.append(forest.score(x_test, y_test[:, k]))
    importance = np.stack(columns, 1)
    return Dci(disentanglement(importance), completeness(importance), float(np.mean(accuracies)), importance)


def dci_lasso(
    codes: NDArray, factors: NDArray, unseen: NDArray, unseen_factors: NDArray, *, alpha: float = 0.05
) -> Dci:
    """Fit a lasso per factor, all in standard deviations, and read R off its coefficients' sizes.

    Informativeness is an error here: the mean over factors of the root mean square by which the lasso misses, over that
    of answering the mean; 0 is best, and 1 says nothing.

    :param codes: [N, D]. :param factors: [N, K]. :param unseen: [M, D] codes, and :param unseen_factors: [M, K] of
        them, that informativeness is measured on.
    :raises MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.linear_model import Lasso
    except ImportError:
        raise MissingExtra('DCI needs scikit-learn, which is not installed; pip install "vidinv[report]"') from None
    x, x_test = _standardised(codes, unseen)
    y, y_test = _standardised(factors, unseen_factors)
    gram = x.T @ x
    columns, errors = [], []
    for truth, test in zip(y.T, y_test.T, strict=True):
        lasso = Lasso(alpha, precompute=gram, fit_intercept=False).fit(x, truth)
        columns.append(np.abs(lasso.coef_))
        errors.append(np.sqrt(np.mean((lasso.predict(x_test) - test) ** 2) / np.mean(test**2)))
    importance = np.stack(columns, 1)
    return Dci(disentanglement(importance), completeness(importance), float(np.mean(errors)), importance)


def _standardised(fitted: NDArray, others: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both, by the mean and the spread of the first; a column that never differs stays 0."""
    mean, spread = fitted.mean(0, dtype=np.float64), fitted.std(0, dtype=np.float64)
    scale = np.where(spread > 0, spread, 1)
    return np.ascontiguousarray((fitted - mean) / scale), (others - mean) / scale
