"""Do the points of the face move as they did? Figures on landmark tracks [T, P, 2] in order of time, in pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shaking(a: NDArray, b: NDArray, c: NDArray) -> float:
    """How far three neighbouring frames' points [P, 2] are from moving evenly: mean |a - 2 b + c|, pixels."""
    a, b, c = (np.asarray(p, np.float64) for p in (a, b, c))
    return float(np.linalg.norm(a - 2 * b + c, axis=-1).mean())


def jitter(points: NDArray) -> float:
    """Mean length of the second difference over time and points, pixels; 0 for still or even motion.

    NaN with fewer than three frames.
    """
    if len(points) < 3:
        return float("nan")
    return float(np.mean([shaking(*points[i : i + 3]) for i in range(len(points) - 2)]))


def hausdorff(a: NDArray, b: NDArray) -> float:
    """Hausdorff distance of two point sets [P, 2] and [Q, 2], in their unit: the farthest that a point of either lies
    from the other set."""
    from scipy.spatial.distance import cdist  # a large import, of use only to a full report

    apart = cdist(a, b)
    return float(max(apart.min(0).max(), apart.min(1).max()))


def motion_kept(source: NDArray, output: NDArray) -> float:
    """Share of the source's motion that the output repeats: the slope of a least-squares fit of its deviations from
    each point's mean place on the source's. 1 is the goal, 0 a frozen face; NaN where the source does not move."""
    s, o = (np.asarray(p, np.float64) - np.mean(p, 0, dtype=np.float64) for p in (source, output))
    moved = float((s * s).sum())
    return float((s * o).sum()) / moved if moved > 0 else float("nan")


def amplitude_kept(source: NDArray, output: NDArray, frequency: float, rate: float) -> float:
    """Amplitude of the oscillation at ``frequency`` (Hz) in ``output`` [T] over that in ``source`` [T].

    For a nod of known frequency; ``rate`` is in frames per second. A straight line is taken out of both first.
    """
    t = np.arange(len(source)) / rate
    basis = np.stack([np.ones_like(t), t, np.cos(2 * np.pi * frequency * t), np.sin(2 * np.pi * frequency * t)], 1)
    fits = [np.linalg.lstsq(basis, np.asarray(v, np.float64), rcond=None)[0] for v in (source, output)]
    before, after = (float(np.hypot(fit[2], fit[3])) for fit in fits)
    return after / before
