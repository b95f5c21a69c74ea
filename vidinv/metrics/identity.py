"""Do they still look like themselves? Figures on unit embeddings of an identity network, [N, D] in order of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def similarity(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    """Cosine of each pair of unit vectors: [N, D], [N, D] -> [N], -1..1."""
    return np.sum(np.asarray(a, np.float64) * np.asarray(b, np.float64), -1)


def csim(source: NDArray, edited: NDArray) -> float:
    """CSIM: mean cosine of each edited frame and its source frame."""
    return float(similarity(source, edited).mean())


def consistency(embeddings: NDArray) -> float:
    """Identity consistency, Eq. 9 of Yao et al. 2022: mean over frames of <R(x_i), R(x_0)>; 1 for a still picture."""
    return float(similarity(embeddings, np.broadcast_to(embeddings[:1], np.shape(embeddings))).mean())


def local_consistency(source: NDArray, edited: NDArray) -> float:
    """TL-ID (Tzaban et al. 2022): similarity of neighbouring frames, edited over source, their mean; 1 is the goal.

    NaN with fewer than two frames.
    """
    if len(source) < 2:
        return float("nan")
    return float((similarity(edited[1:], edited[:-1]) / similarity(source[1:], source[:-1])).mean())


def global_consistency(source: NDArray, edited: NDArray) -> float:
    """TG-ID (Tzaban et al. 2022): the same over all pairs of different frames."""
    if len(source) < 2:
        return float("nan")
    s, e = np.asarray(source, np.float64), np.asarray(edited, np.float64)
    off = ~np.eye(len(s), dtype=bool)
    return float(((e @ e.T)[off] / (s @ s.T)[off]).mean())
