"""An edit comes and goes softly inside its time, and belongs to its people."""

from __future__ import annotations

import pytest
import torch

from vidinv.edits.library import KINDS
from vidinv.edits.linear import Linear, Step
from vidinv.edits.strength import Span
from vidinv.packs.spec import EDIT_KINDS
from vidinv.types import Code, Displacement, Face

CODE = Code(torch.zeros(2, 3), torch.zeros(1, 2, 2))
FACE = Face(torch.zeros(4).numpy(), person=1)


@pytest.mark.parametrize(
    ("time", "share"), [(0.99, 0), (1, 0), (1.05, 0.25), (1.2, 1), (1.7, 1), (1.9, 0.5), (2, 0), (5, 0)]
)
def test_a_span_ramps_inside_its_range(time: float, share: float) -> None:
    assert Span(1, 2).at(time) == pytest.approx(share)


def test_the_videos_own_ends_have_no_ramp() -> None:
    assert Span().at(0) == Span().at(1e6) == 1
    assert Span(0, 2).at(0) == 1


def test_steps_add_up_and_are_counted_without_their_signs() -> None:
    up, down = Displacement(torch.ones(2, 3)), Displacement(-torch.ones(2, 3), torch.ones(1, 2, 2))
    code, amount = Linear((Step(up * 2, 2), Step(down * 1, -1, Span(1, 2)))).apply(CODE, FACE, 1.5)
    assert torch.equal(code.w, torch.ones(2, 3))
    assert torch.equal(code.feature, torch.ones(1, 2, 2))
    assert amount == 3


@pytest.mark.parametrize(
    "step", [Step(Displacement(torch.ones(2, 3)), 0.0), Step(Displacement(torch.ones(2, 3)), 1, persons=frozenset({0}))]
)
def test_an_edit_of_nothing_or_of_others_leaves_the_code_as_it_is(step: Step) -> None:
    assert Linear((step,)).apply(CODE, FACE, 0) == (CODE, 0.0)


def test_every_kind_that_a_pack_may_name_has_its_row() -> None:
    assert set(KINDS) == set(EDIT_KINDS)
