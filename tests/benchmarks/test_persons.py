"""The films of the benchmark tell right numbers from wrong ones."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.persons.__main__ import films, unit

RNG = np.random.default_rng(0)


def clip(middle: np.ndarray, spread: float, looks: int = 60) -> list[np.ndarray]:
    return list(unit(middle + spread * RNG.normal(size=(looks, len(middle)))).astype(np.float32))


def test_people_who_are_alike_to_themselves_only_are_found_and_others_are_new() -> None:
    people = np.eye(4, 16)
    (two, four) = films([clip(one, 0.05) for one in people], 10)
    assert (two["people"], four["people"]) == (2, 4)
    assert four["right"] == two["right"] == 1
    assert four["taken"] == four["wrong"] == four["new"] == 0
    changing = films([clip(one, 10) for one in people], 10)[1]
    assert changing["new"] == pytest.approx(1, abs=0.1)


def test_people_who_look_the_same_are_counted_as_wrong() -> None:
    (two,) = films([clip(np.ones(16), 0.05) for _ in range(2)], 10)
    assert two["taken"] == 0.5, "the second of two"
    assert two["wrong"] > 0.3
