"""Codes of several pictures made into one."""

from __future__ import annotations

import pytest
import torch

from vidinv.edits.mixing import LAYERS, between, crossed, layers_of, transferred
from vidinv.errors import UsageError
from vidinv.types import Code


def code(seed: int, layers: int = 12) -> Code:
    rng = torch.Generator().manual_seed(seed)
    return Code(torch.randn(layers, 4, generator=rng), torch.randn(2, 3, 3, generator=rng))


@pytest.mark.parametrize("count", [8, 12, 18])
def test_the_layers_have_no_gap_and_no_overlap(count: int) -> None:
    assert [i for name in LAYERS for i in layers_of(name, count)] == list(range(count))


def test_unknown_layers_are_named_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="coarse, middle, fine"):
        layers_of("medium", 12)


def test_crossing_takes_the_other_s_styles_in_these_layers_alone() -> None:
    a, b = code(0), code(1)
    mixed = crossed(a, b, range(4, 8))
    assert torch.equal(mixed.w[4:8], b.w[4:8])
    assert torch.equal(mixed.w[[0, 3, 8, 11]], a.w[[0, 3, 8, 11]])
    assert torch.equal(mixed.feature, a.feature)


def test_a_way_leads_from_one_to_the_other() -> None:
    a, b = code(0), code(1)
    for share, end in ((0.0, a), (1.0, b)):
        there = between(a, b, share)
        assert torch.allclose(there.w, end.w)
        assert torch.allclose(there.feature, end.feature)
    assert torch.allclose(between(a, b, 0.5).w, (a.w + b.w) / 2)


def test_an_expression_is_what_two_pictures_of_one_person_differ_in() -> None:
    a, neutral, smiling = code(0), code(1), code(2)
    assert torch.allclose(transferred(a, neutral, smiling, 2.0).w, a.w + 2 * (smiling.w - neutral.w))
    assert torch.allclose(transferred(neutral, neutral, smiling).w, smiling.w, atol=1e-6)
