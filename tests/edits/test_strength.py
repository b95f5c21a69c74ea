"""An edit comes and goes softly inside its time, and belongs to its people."""

from __future__ import annotations

import pytest
import torch

from vidinv.edits.curve import Curve
from vidinv.edits.library import IN_FRAME, KINDS
from vidinv.edits.linear import Linear, Step
from vidinv.edits.strength import Span, Strength
from vidinv.faces.regions import Touch
from vidinv.packs.spec import EDIT_KINDS, Scale
from vidinv.types import Code, Displacement, Face

CODE = Code(torch.zeros(2, 3), torch.zeros(1, 2, 2))
FACE = Face(torch.zeros(4).numpy(), person=1)


@pytest.mark.parametrize(
    ("time", "share"), [(0.99, 0), (1, 0), (1.05, 5 / 32), (1.1, 0.5), (1.2, 1), (1.7, 1), (1.9, 0.5), (2, 0), (5, 0)]
)
def test_a_span_eases_inside_its_range(time: float, share: float) -> None:
    assert Span(1, 2).at(time) == pytest.approx(share)


def test_the_videos_own_ends_have_no_ramp() -> None:
    assert Span().at(0) == Span().at(1e6) == 1
    assert Span(0, 2).at(0) == 1


def test_a_range_without_room_for_its_eases_still_reaches_its_strength() -> None:
    assert Span(1, 1.2, ease=0.5).at(1.1) == pytest.approx(1)
    assert Span(0, 1, ease=5).at(0) == 1
    assert [Span(1, 2, ease=0).at(t) for t in (0.99, 1, 1.99, 2)] == [0, 1, 1, 0]


def test_a_curve_changes_the_sign_of_what_acts_and_says_how_much() -> None:
    one = Linear((Step(Displacement(torch.ones(2, 3)), Strength(Curve(((0, -1), (2, 2), (4, 2))))),))
    found = {time: one.apply(CODE, FACE, time) for time in (0.0, 0.5, 3.0, 9.0)}
    assert float(found[0.0][0].w[0, 0]) == -1
    assert float(found[0.5][0].w[0, 0]) < 0
    assert [found[t][1] for t in (0.0, 3.0, 9.0)] == [1, 2, 2]
    assert one.touches(FACE, 0) == [Touch("face", 0.5)]
    assert one.touches(FACE, 3) == [Touch("face", 1)]


def test_an_edit_does_not_act_where_its_curve_is_nothing() -> None:
    one = Linear((Step(Displacement(torch.ones(2, 3)), Strength(Curve(((1, 0), (2, 3))))),))
    assert not one.acts(FACE, 0.5)
    assert one.acts(FACE, 1.5)


def test_a_curve_in_years_has_its_years_at_every_time() -> None:
    scale = Scale((-10, 0, 10, 20), (-2, 0, 1, 5))  # as measured: the first ten years take a step, the next four
    strength = Strength(Curve(((0, 0), (4, 20))), scale=scale)
    assert strength.at(2) == pytest.approx(1), "ten years half way"
    assert (strength.at(9), strength.most) == (5, 5)


def test_steps_add_up_and_are_counted_without_their_signs() -> None:
    up, down = Displacement(torch.ones(2, 3)), Displacement(-torch.ones(2, 3), torch.ones(1, 2, 2))
    code, amount = Linear((Step(up, Strength(2)), Step(down * -1, Strength(-1, Span(1, 2))))).apply(CODE, FACE, 1.5)
    assert torch.equal(code.w, torch.ones(2, 3))
    assert torch.equal(code.feature, torch.ones(1, 2, 2))
    assert amount == 3


@pytest.mark.parametrize(
    "step",
    [
        Step(Displacement(torch.ones(2, 3)), Strength(0.0)),
        Step(Displacement(torch.ones(2, 3)), Strength(1), persons=frozenset({0})),
        Step(Displacement(torch.ones(2, 3)), Strength(1), persons=frozenset({"anna"})),
    ],
)
def test_an_edit_of_nothing_or_of_others_leaves_the_code_as_it_is(step: Step) -> None:
    assert Linear((step,)).apply(CODE, FACE, 0) == (CODE, 0.0)


def test_every_kind_that_a_pack_may_name_has_its_row() -> None:
    assert set(KINDS) == {*EDIT_KINDS, IN_FRAME}
