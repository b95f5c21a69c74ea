"""Directions of the Feature-Style space for named scores, fitted to labels.

Codes are regressed on all scores at once (the forward model): the pattern of one score is what changes with it while
the others, pose, light and the data set stay as they are. That is the supervised counterpart of InterFaceGAN's
conditional manipulation (Shen et al. 2020, section 3.3), which projects the others out afterwards.

The pattern has two parts, of the styles w and of the feature code F. Eq. 1 of Yao et al. 2022 moves F by what the
styles do below layer K alone; with a small generator, whose F knows most of the face, that is little more than a tint.
Since crops are aligned, a mouth lies in F where every mouth lies: so F has directions of its own, and they draw the
teeth of a smile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.training.scores import ATTRIBUTES, eligible, nuisances, scores
from vidinv.types import Displacement

Encode = Callable[[NDArray], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Faces:
    """Encoded faces that a displacement is tried on."""

    w: Tensor  # [N, L, D]
    feature: Tensor  # [N, C, h, h]
    points68: NDArray  # [N, 68, 2]
    identity_grids: Tensor
    attribute_grids: Tensor
    hair: NDArray[np.bool_]  # [N, S, S], where the picture shows hair


@dataclass(frozen=True)
class Fitted:
    patterns: dict[str, Displacement]  # one standard deviation of each score
    mean_latent: Tensor  # [L, D]


def fit(
    encode: Encode, labels: dict[str, NDArray], weights: NDArray, names: tuple[str, ...], ridge: float = 1e-3
) -> Fitted:
    """Pattern of one standard deviation of each score of ``names``.

    Codes are seen once, in batches, and never held together: F of a few thousand faces would not fit into memory.

    :param encode: rows [B] -> w [B, L, D] and F [B, C, h, h] of those faces.
    :param labels: of the N faces. :param weights: [N] how much each face counts.
    """
    shares = {n: torch.from_numpy(_shares(n, labels, weights, ridge)).float() for n in names}
    patterns: dict[str, list[Tensor]] = {n: [torch.zeros(()), torch.zeros(())] for n in names}
    mean = torch.zeros(())
    for rows in np.array_split(np.arange(len(weights)), max(len(weights) // 32, 1)):
        w, feature = (c.float() for c in encode(rows))
        mean = mean + w.sum(0) / len(weights)
        for name, share in shares.items():
            codes = zip(patterns[name], (w, feature), strict=True)
            patterns[name] = [p + torch.tensordot(share[rows], c, 1) for p, c in codes]
    return Fitted({n: Displacement(*p) for n, p in patterns.items()}, mean)


def _shares(name: str, labels: dict[str, NDArray], weights: NDArray, ridge: float) -> NDArray[np.float64]:
    """How much of each face's code goes into the pattern of ``name``, [N]: the score's row of the regression's
    pseudo-inverse. Faces that are not eligible have none."""
    rows = np.flatnonzero(eligible(name, labels))
    some = {k: v[rows] for k, v in labels.items()}
    named, counted = scores(some), weights[rows] / weights[rows].sum()
    x = _design([named[a] for a in _beside(name)], nuisances(some, name), counted)
    weighted = x * counted[:, None]
    shares = np.zeros(len(weights))
    shares[rows] = weighted @ np.linalg.inv(weighted.T @ x + ridge * np.eye(x.shape[1]))[0]
    return shares


def _beside(name: str) -> list[str]:
    """The score itself, and what is held fixed beside it."""
    return [name, *(a for a in ATTRIBUTES if a != name)]


def _design(named: list[NDArray], others: NDArray, weights: NDArray) -> NDArray:
    """Columns with weighted mean 0 and standard deviation 1, [N, K]."""
    x = np.column_stack([*named, others])
    x = x - np.average(x, 0, weights)
    return x / np.maximum(np.sqrt(np.average(x**2, 0, weights)), 1e-6)


def untangled(
    patterns: dict[str, Displacement], responses: dict[str, dict[str, float]], keep: tuple[str, ...] = ATTRIBUTES
) -> dict[str, Displacement]:
    """Patterns that leave the other scores of ``keep`` where they are, as far as their effects add up.

    What the labels leave together by chance or by nature (age and sex, say) is taken off again: of each other score's
    pattern so much is added as makes the measured change of that score vanish.

    :param responses: per pattern the measured change of every score by one length of it.
    """
    pure = {}
    for name, pattern in patterns.items():
        others = [a for a in keep if a != name and a in patterns]
        leaks = np.array([responses[name][o] for o in others])
        each = np.array([[responses[a][o] for o in others] for a in others])
        for other, share in zip(others, np.linalg.solve(each.T, -leaks), strict=True):
            pattern = pattern + patterns[other] * float(share)
        pure[name] = pattern
    return pure


def calibrate(changes: Callable[[list[float]], list[float]], target: float, longest: float, points: int = 8) -> float:
    """How many patterns long a displacement must be to change its score by ``target``, between ``points`` that are
    tried, linearly.

    :param changes: mean change of the score at each of several lengths. :param longest: what is never exceeded, reached
        or not.
    """
    lengths = np.linspace(0, longest, points + 1)
    reached = np.array([0.0, *changes(lengths[1:].tolist())])
    beyond = np.flatnonzero(reached >= target)
    if not len(beyond):
        return longest
    ends = slice(beyond[0] - 1, beyond[0] + 1)
    return float(np.interp(target, reached[ends], lengths[ends]))
