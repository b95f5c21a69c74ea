"""Smoothing over time that keeps slow motion as it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CUTOFF = 3.0  # standard deviations at which the window ends


def reach(sigma: float) -> int:
    """Frames on either side that the smoothed value of a frame depends on."""
    return int(np.ceil(CUTOFF * sigma)) if sigma > 0 else 0


def smooth_at(offsets: NDArray, values: NDArray, sigma: float) -> NDArray[np.float64]:
    """Value at offset 0 of a quadratic fitted to the samples with Gaussian weights (local regression of order 2).

    A plain Gaussian that damps jitter also damps the head: it keeps exp(-u), u = 2 (pi f sigma)^2, of a motion of
    frequency f. The quadratic keeps (1 + u) exp(-u): at the same amplitude kept it may be more than twice as wide.
    With few samples, or at the ends of a track where a quadratic would follow the noise, the order falls to 1 and 0.

    :param offsets: [N] frames from the one asked for, 0 among them or between the ends.
    :param values: [N, ...] samples.
    :param sigma: standard deviation, frames; 0 gives the sample at 0.
    """
    t, v = np.asarray(offsets, np.float64), np.asarray(values, np.float64)
    if sigma <= 0 or len(t) == 1:
        return v[np.argmin(np.abs(t))]
    weight = np.exp(-0.5 * (t / sigma) ** 2)
    both_sides = min(-t.min(), t.max()) >= sigma
    order = min(2 if both_sides else 1, len(t) - 1)
    basis = t[:, None] ** np.arange(order + 1)
    fit = np.linalg.pinv(basis * np.sqrt(weight)[:, None], rcond=1e-9)[0] * np.sqrt(weight)
    return np.tensordot(fit, v, 1)
