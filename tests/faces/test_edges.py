"""Edges of what is drawn, made as steep at the frame's size as they are at the crop's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidinv.faces.edges import steepened

SCALE = 3.0


@pytest.fixture
def rim() -> np.ndarray:
    """A dark line of 12 pixels whose edges a crop has softened."""
    change = np.zeros((60, 80, 3), np.float32)
    change[24:36] = -120
    return cv2.GaussianBlur(change, (0, 0), 1.2 * SCALE)


def width(line: np.ndarray) -> int:
    """Pixels between a tenth and nine tenths of the darkest, both sides."""
    share = line / line.min()
    return int(((share > 0.1) & (share < 0.9)).sum())


def test_an_edge_becomes_steeper_and_does_not_ring(rim: np.ndarray) -> None:
    made = steepened(rim, np.full(rim.shape[:2], 2.5, np.float32), SCALE)
    assert made.dtype == np.float32
    assert width(made[:, 40, 0]) < 0.6 * width(rim[:, 40, 0])
    assert made.max() <= rim.max()
    assert made.min() >= rim.min()
    assert np.abs(made.mean() - rim.mean()) < 0.15 * np.abs(rim.mean())


def test_only_where_it_is_asked_for_and_only_in_larger_faces(rim: np.ndarray) -> None:
    amount = np.zeros(rim.shape[:2], np.float32)
    amount[:, 50:70] = 2.5
    made = steepened(rim, amount, SCALE)
    assert np.array_equal(made[:, :50], rim[:, :50])
    assert np.array_equal(made[:, 70:], rim[:, 70:])
    assert not np.array_equal(made[:, 55:65], rim[:, 55:65])
    assert steepened(rim, amount, 1.0) is rim
    assert steepened(rim, 0 * amount, SCALE) is rim


def test_a_smooth_change_stays_as_it_is() -> None:
    ramp = np.linspace(-40, 40, 90, dtype=np.float32)[None, :, None].repeat(60, 0).repeat(3, 2)
    made = steepened(ramp, np.full(ramp.shape[:2], 2.5, np.float32), SCALE)
    assert np.abs(made - ramp)[:, 20:-20].max() < 0.01
