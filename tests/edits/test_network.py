"""Edits of the kind "network": the pack's network is asked once for a face, with all that acts on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.toy import GENERATOR, add_toy_edit_network, write_toy_pack
from vidinv.edits.library import resolve
from vidinv.edits.linear import Linear
from vidinv.edits.network import NetworkEdit
from vidinv.edits.parse import parse_edits
from vidinv.errors import DamagedPack
from vidinv.faces.regions import Touch
from vidinv.packs.load import Pack, load_pack
from vidinv.types import Code, Face

FACE = Face(torch.zeros(4).numpy(), person=1)


def pack_with_network(folder: Path, edits: tuple[str, ...] = ("mouth", "smile")) -> Pack:
    """The toy pack, whose edit "smile" is a network's and whose "age" is linear."""
    return load_pack(add_toy_edit_network(write_toy_pack(folder), edits))


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return pack_with_network(tmp_path_factory.mktemp("packs") / "toy")


def code(seed: int = 0) -> Code:
    rng = torch.Generator().manual_seed(seed)
    return Code(
        torch.randn(GENERATOR.layers, GENERATOR.d_style, generator=rng),
        torch.randn(GENERATOR.feature_shape, generator=rng),
    )


def test_the_networks_answer_is_added_to_the_code_at_the_packs_steps(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("smile=+2"), pack)
    assert isinstance(edit, NetworkEdit)
    mine = code()
    edited, amount = edit.apply(mine, FACE, 0.0)
    with torch.inference_mode():
        change, styles = pack.edit_network(mine.feature[None], mine.w[None], torch.tensor([[0.0, 2 * 1.5]]))
    assert amount == 2
    assert torch.equal(edited.feature, mine.feature + change[0])
    assert torch.equal(edited.w, mine.w + styles[0])
    assert not torch.equal(edited.feature, mine.feature)


def test_the_same_feature_code_is_changed_differently_in_another_face(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("smile=+2"), pack)
    mine, other = code(0), Code(code(1).w, code(0).feature)
    a, b = (edit.apply(c, FACE, 0.0)[0].feature for c in (mine, other))
    assert not torch.allclose(a, b, atol=1e-4)


def test_a_network_edit_has_its_time_and_its_people(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("1:smile=+1@2s-4s"), pack)
    other = replace(FACE, person=0)
    assert [edit.acts(FACE, t) for t in (1.0, 3.0, 5.0)] == [False, True, False]
    assert not edit.acts(other, 3.0)
    mine = code()
    assert edit.apply(mine, other, 3.0) == (mine, 0.0)
    assert edit.apply(mine, FACE, 2.1)[1] == pytest.approx(0.5)


def test_a_network_looks_at_the_code_before_a_direction_moves_it(pack: Pack) -> None:
    """In whatever order the two were asked for."""
    first, second = (resolve(parse_edits(text), pack) for text in ("age=+1,smile=+1", "smile=+1,age=+1"))
    for edits in (first, second):
        assert [type(e) for e in edits] == [NetworkEdit, Linear]


def test_only_linear_edits_need_a_displacement(tmp_path: Path) -> None:
    pack = pack_with_network(tmp_path / "toy")
    assert "age" in pack.directions


def test_an_edit_that_the_network_does_not_know_is_a_damaged_pack(tmp_path: Path) -> None:
    with pytest.raises(DamagedPack, match=r"calls smile an edit of kind network.*knows mouth"):
        resolve(parse_edits("smile=+1"), pack_with_network(tmp_path / "toy", ("mouth",)))


def test_a_network_edit_names_its_region(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("smile=+1@2s-4s"), pack)
    assert edit.touches(FACE, 2.1) == [Touch("face", pytest.approx(0.5))]
    assert edit.touches(FACE, 5.0) == []


def test_a_network_edit_follows_a_curve_through_nothing_to_the_other_sign(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("smile=-1@0s..+2@4s"), pack)
    mine = code()
    assert [edit.apply(mine, FACE, time)[1] for time in (0.0, 9.0)] == [1, 2]
    (constant,) = resolve(parse_edits("smile=-1"), pack)
    assert torch.equal(edit.apply(mine, FACE, 0.0)[0].feature, constant.apply(mine, FACE, 0.0)[0].feature)
