"""Edits at equal effect: where lengths are compared, and what counts as a leak."""

from __future__ import annotations

import pytest

from benchmarks.disentanglement.editing import LENGTHS, leak, length_for
from vidinv.training.card import Effect


def test_a_length_lies_between_those_that_were_tried() -> None:
    a, b = LENGTHS[:2]
    assert length_for(1.0, [2.0, 4.0]) == pytest.approx(a / 2)
    assert length_for(3.0, [2.0, 4.0]) == pytest.approx((a + b) / 2)
    assert length_for(2.0, [2.0, 1.0, 9.0]) == pytest.approx(a)  # the first, where an effect comes and goes


def test_a_leak_is_of_the_other_scores_alone() -> None:
    effect = Effect({}, {"age": 5.0, "smile": 3.0, "gender": -4.0}, 1.0, None, 0.0)
    assert leak(effect, "age") == pytest.approx(12.5**0.5)
