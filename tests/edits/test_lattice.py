"""Between whole steps nothing jumps, and where nothing acts nothing is left."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from vidinv.edits.lattice import corners, unit


def value(at: np.ndarray, seed: int = 0) -> float:
    """Of random values at the corners, what lies between them."""
    return sum(w * np.random.default_rng([seed, *(x + 99 for x in c)]).normal() for c, w in corners(at))


def test_a_whole_point_is_one_corner_and_the_origin_none() -> None:
    assert corners([1.0, -2.0]) == [((1, -2), 1.0)]
    assert corners([0.0, 0.0]) == []
    assert corners([]) == []
    assert corners([2.9999999999999996]) == [((3,), 1.0)]


@pytest.mark.parametrize("seed", range(3))
def test_values_are_continuous_everywhere_and_through_changes_of_sign(seed: int) -> None:
    ways = np.random.default_rng(seed).uniform(-2.5, 2.5, (8, 3))
    for a, b in pairwise(ways):
        jumps = [np.abs(np.diff([value(p) for p in np.linspace(a, b, n)])).max() for n in (50, 800)]
        assert jumps[1] < 0.2 * jumps[0]


def test_few_corners_are_needed_and_an_edit_that_does_not_act_is_in_none() -> None:
    for at in np.random.default_rng(0).uniform(-3, 3, (50, 4)):
        at[2] = 0
        around = corners(at)
        assert len(around) <= 4
        assert all(corner[2] == 0 for corner, _ in around)
        assert np.allclose(sum(np.array(c) * w for c, w in around), at)
        assert corners(-at) == [(tuple(-x for x in c), w) for c, w in around]


def test_the_most_that_is_asked_for_is_whole_units_of_about_a_step() -> None:
    assert [most / unit(most) for most in (0.3, 1.0, 1.5, 2.0, 3.7)] == [1, 1, 2, 2, 4]
    assert unit(0.0) == 1
