"""Smoothing damps the detector's jitter, not the head."""

import numpy as np
import pytest

from vidinv.faces.smoothing import reach, smooth_at


def smoothed(values: np.ndarray, sigma: float) -> np.ndarray:
    far = reach(sigma)
    out = []
    for i in range(len(values)):
        near = np.arange(max(i - far, 0), min(i + far + 1, len(values)))
        out.append(smooth_at(near - i, values[near], sigma))
    return np.array(out)


@pytest.mark.parametrize("rate", [24, 30, 60])
def test_a_nod_of_one_hertz_keeps_its_amplitude(rate: int) -> None:
    t = np.arange(6 * rate) / rate
    nod = 10 * np.sin(2 * np.pi * t)
    kept = smoothed(nod, 0.13 * rate)[rate:-rate]
    assert 0.9 < np.abs(kept).max() / 10 <= 1.02


def test_jitter_is_damped() -> None:
    noise = np.random.default_rng(0).normal(size=600)
    assert smoothed(noise, 3.9)[30:-30].std() < 0.4


def test_straight_motion_is_not_touched_even_at_the_ends() -> None:
    line = np.stack([np.arange(40.0), 3 - 2 * np.arange(40.0)], 1)
    assert np.allclose(smoothed(line, 3.9), line)


def test_sigma_zero_and_single_samples_pass_through() -> None:
    assert smooth_at(np.array([-1, 0, 1]), np.array([5.0, 7.0, 9.0]), 0) == 7
    assert smooth_at(np.array([0]), np.array([[1.0, 2.0]]), 3).tolist() == [1, 2]
