"""What is drawn into the frame: upwards only, on whom and when it was asked for; downwards the pack's own way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.toy import GENERATOR, write_toy_pack
from vidinv.edits.drawn import DrawnEdit, worn_at
from vidinv.edits.held import guarded
from vidinv.edits.library import resolve
from vidinv.edits.linear import Linear
from vidinv.edits.parse import parse_edits
from vidinv.errors import DamagedPack
from vidinv.packs.load import Pack, load_pack
from vidinv.packs.write import write_pack
from vidinv.types import Code, Face, known

CROP = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
FACE = Face(np.zeros(4, np.float32), person=1, crop=CROP)
CODE = Code(torch.zeros(GENERATOR.layers, GENERATOR.d_style), torch.zeros(GENERATOR.feature_shape))


def drawing(folder: Path) -> Path:
    """The toy pack, whose "smile" is a pair of eyeglasses."""
    spec = load_pack(write_toy_pack(folder)).spec
    write_pack(folder, replace(spec, edits={**spec.edits, "smile": replace(spec.edits["smile"], drawn="eyeglasses")}))
    return folder


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(drawing(tmp_path_factory.mktemp("packs") / "toy"))


def test_upwards_it_is_put_on_and_the_code_stays(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("smile=+2"), pack)
    assert isinstance(edit, DrawnEdit)
    code, amount = edit.apply(CODE, FACE, 0.0)
    assert amount == 0  # as of all that leaves w and F as they are: others would be steadied by it
    assert known(code.worn).steps == 2
    assert code.w is CODE.w
    assert code.feature is CODE.feature
    assert known(code.worn).points.shape == (68, 2)
    assert known(code.worn).points.min() >= 0
    assert known(code.worn).points.max() < 64
    assert edit.touches(FACE, 0.0) == []


def test_downwards_it_goes_the_packs_own_way(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("smile=-2"), pack)
    assert isinstance(edit, Linear)
    code, _ = edit.apply(CODE, FACE, 0.0)
    assert code.worn is None
    torch.testing.assert_close(code.w, -2 * pack.directions["smile"].w)


def test_a_curve_through_zero_does_one_after_the_other(pack: Pack) -> None:
    taken, put = resolve(parse_edits("smile=-2@0s..+2@4s"), pack)
    assert (type(taken), type(put)) == (Linear, DrawnEdit)
    assert [(taken.acts(FACE, t), put.acts(FACE, t)) for t in (0.5, 3.5)] == [(True, False), (False, True)]
    assert put.apply(CODE, FACE, 0.5) == (CODE, 0.0)


def test_it_has_its_people_and_faces_are_looked_at_together(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("1:smile=+1"), pack)
    assert isinstance(edit, DrawnEdit)
    other = replace(FACE, person=0)
    made = edit.apply_together([CODE] * 3, [FACE, other, replace(FACE, crop=CROP[::-1])], [0.0] * 3)
    assert [code.worn is None for code, _ in made] == [False, True, False]
    assert [amount for _, amount in made] == [0, 0, 0]
    alone = edit.apply(CODE, FACE, 0.0)[0]
    np.testing.assert_allclose(known(made[0][0].worn).points, known(alone.worn).points, atol=1e-3)


def test_eyeglasses_come_by_getting_opaque_and_grow_bolder(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("smile=+1"), pack)
    usual = known(edit.apply(CODE, FACE, 0.0)[0].worn)
    made = [worn_at(usual, steps) for steps in (0.1, 0.5, 1, 2, 3)]
    assert [one.share for one in made] == pytest.approx([0.2, 1, 1, 1, 1])
    assert made[2].bold < made[3].bold < made[4].bold


def test_holding_it_needs_a_code_and_gets_one(pack: Pack) -> None:
    """What is put on changes no code, so nothing could be held by it."""
    _, guard = guarded(parse_edits("age=+1"), ["smile"], pack)
    assert isinstance(known(guard).own[0], Linear)


def test_a_pack_without_landmarks_says_so(tmp_path: Path) -> None:
    folder = drawing(tmp_path / "toy")
    spec = load_pack(folder).spec
    (folder / "landmarks.safetensors").unlink()
    networks = {name: network for name, network in spec.networks.items() if name != "landmarks"}
    write_pack(folder, replace(spec, networks=networks))
    with pytest.raises(DamagedPack, match="landmarks"):
        resolve(parse_edits("smile=+1"), load_pack(folder))
