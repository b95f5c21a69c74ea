"""Boundaries between two kinds of faces, after InterFaceGAN (Shen et al. 2020, arXiv:1907.10786).

Codes are rows [N, D] here: w of W+, flattened. A direction is the unit normal of a boundary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidinv.errors import InputError, MissingExtra, UsageError

Rows = NDArray[np.floating]

NEEDED = 20  # pictures of either kind: a quarter of them is held out, and five say little enough
HELD_OUT = 4  # every how many-th picture nothing is fitted to
OUTER = 1 / 3  # of numbers, the share at either end that makes the two kinds; the paper too takes the extremes
STRENGTHS = (
    0.01,
    0.1,
    1.0,
    10.0,
    100.0,
)  # of the machine's penalty C, of which cross-validation chooses the softest that does
FOLDS = 5
LEFT = 0.05  # length of a unit normal's rest, below which nothing is left of it


@dataclass(frozen=True)
class Boundary:
    """normal . x = offset, and which side is positive."""

    normal: Rows
    """[D], unit."""
    offset: float

    def distances(self, x: Rows) -> Rows:
        """[N], of codes [N, D], signed."""
        return x @ self.normal - self.offset


def kinds_of(values: Rows) -> NDArray[np.int64]:
    """1 of the positive kind, -1 of the negative, 0 of neither, [N].

    Values that are all 0 or 1 are the kinds themselves. Of other numbers the highest third is positive and the lowest
    negative (Shen et al. 2020, section 4.1, takes the extremes): what lies between would blur the boundary.

    :raises InputError: values that are all the same, or so many alike that the thirds touch.
    """
    if len(np.unique(values)) < 2:
        raise InputError("all pictures have the same label, so there is nothing to tell apart; give both kinds")
    if np.isin(values, (0.0, 1.0)).all():
        return np.where(values == 1, 1, -1)
    low, high = np.quantile(values, [OUTER, 1 - OUTER])
    if low == high:
        raise InputError(f"a third of the labels are {low:g}, so there are no two ends to tell apart; label 0 and 1")
    return np.where(values >= high, 1, np.where(values <= low, -1, 0))


def check_counts(kinds: NDArray[np.int64]) -> None:
    """:raises InputError: too few pictures of either kind."""
    for kind, called in ((1, "positive"), (-1, "negative")):
        count = int((kinds == kind).sum())
        if count < NEEDED:
            raise InputError(
                f"{count} {called} pictures can be used, and {NEEDED} of either kind are needed (200 make a good "
                "boundary); give more pictures"
            )


def held_out(kinds: NDArray[np.int64], seed: int = 0) -> NDArray[np.bool_]:
    """A quarter of each kind, by chance, [N]."""
    random, chosen = np.random.default_rng(seed), np.zeros(len(kinds), bool)
    for kind in np.unique(kinds):
        chosen[random.permutation(np.flatnonzero(kinds == kind))[::HELD_OUT]] = True
    return chosen


def require() -> None:
    """:raises MissingExtra: scikit-learn is not installed."""
    try:
        import sklearn.svm  # noqa: F401
    except ImportError:
        raise MissingExtra(
            'boundaries need scikit-learn, which is not installed; pip install "vidinv[report]"'
        ) from None


def boundary(x: Rows, kinds: NDArray[np.int64]) -> Boundary:
    """Of a linear support vector machine, whose penalty is chosen by cross-validation; both kinds weigh the same.

    :param kinds: [N], 1 or -1. :raises MissingExtra: scikit-learn is not installed.
    """
    require()
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import SVC

    mean = x.mean(0)
    centred = (x - mean).astype(np.float64)
    # Codes of any pack come to length 1 or so, which makes C mean the same.
    size = np.sqrt(np.square(centred).sum(1).mean())
    centred /= size
    # There are fewer pictures than numbers of a code: products of codes are all that a linear machine asks for.
    products = centred @ centred.T
    machine = SVC(kernel="precomputed", class_weight="balanced")
    tried = GridSearchCV(
        machine, {"C": STRENGTHS}, scoring="balanced_accuracy", cv=FOLDS, refit=_softest, error_score="raise"
    ).fit(products, kinds)
    machine = tried.best_estimator_
    weights = centred[machine.support_].T @ machine.dual_coef_[0]
    length = float(np.linalg.norm(weights))
    normal = weights / length
    return Boundary(normal, float(normal @ mean - machine.intercept_[0] * size / length))


def _softest(found: Mapping[str, Rows]) -> int:
    """The least penalty that is no worse than the best by more than its standard error.

    A hard margin turns to whatever tells the last few faces apart, along which faces hardly differ; a soft one is
    nearer to the difference of the two kinds, and moves a face more.
    """
    means, errors = found["mean_test_score"], found["std_test_score"] / np.sqrt(FOLDS)
    best = int(np.argmax(means))
    return int(np.flatnonzero(means >= means[best] - errors[best])[0])


def accuracy(distances: Rows, kinds: NDArray[np.int64]) -> float:
    """Balanced, 0..1: the mean share of either kind that lies on its side; 0.5 is chance."""
    right = np.sign(distances) == kinds
    return float(np.mean([right[kinds == kind].mean() for kind in (1, -1)]))


def rank_correlation(distances: Rows, values: Rows) -> float:
    """Spearman's, -1..1."""
    from scipy.stats import spearmanr

    return float(spearmanr(distances, values).statistic)


def conditional(normal: Rows, others: Sequence[Rows]) -> Rows:
    """A unit normal without what it shares with others: n - Q Q^T n, Q an orthonormal basis of them.

    Section 3.3 of Shen et al. 2020, for any number of others.

    :param others: [D] each, of any length. :raises UsageError: nothing is left.
    """
    if not others:
        return normal
    basis, _ = np.linalg.qr(np.stack([o / np.linalg.norm(o) for o in others], 1).astype(np.float64))
    rest = normal - basis @ (basis.T @ normal)
    length = float(np.linalg.norm(rest))
    if length < LEFT:
        raise UsageError("nothing is left of the direction beside those that it is to be held against; leave one out")
    return rest / length


def spread(projections: Rows, kinds: NDArray[np.int64] | None = None) -> float:
    """Standard deviation, where both kinds count the same however many there are."""
    if kinds is None:
        return float(projections.std())
    counts = {kind: (kinds == kind).sum() for kind in np.unique(kinds)}
    weights = np.array([1 / counts[kind] for kind in kinds])
    mean = np.average(projections, weights=weights)
    return float(np.sqrt(np.average(np.square(projections - mean), weights=weights)))
