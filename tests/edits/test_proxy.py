"""Edits of the kind "proxy": a walk through W*, from a face's own code and back to W+."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.toy import GENERATOR, add_toy_flow, write_toy_pack
from vidinv.edits.library import resolve
from vidinv.edits.linear import Linear
from vidinv.edits.parse import parse_edits
from vidinv.edits.proxy import ProxyEdit
from vidinv.errors import DamagedPack
from vidinv.faces.regions import Touch
from vidinv.packs.load import Pack, load_pack
from vidinv.packs.spec import NetworkSpec
from vidinv.packs.write import write_pack
from vidinv.types import Code, Face

FACE = Face(torch.zeros(4).numpy(), person=1)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(add_toy_flow(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy")))


def code(seed: int = 0) -> Code:
    rng = torch.Generator().manual_seed(seed)
    return Code(
        torch.randn(GENERATOR.layers, GENERATOR.d_style, generator=rng),
        torch.randn(GENERATOR.feature_shape, generator=rng),
    )


def test_a_code_goes_along_the_attributes_normal_by_the_packs_steps(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("smile=+2"), pack)
    assert isinstance(edit, ProxyEdit)
    mine, flow = code(), pack.latent_flow
    edited, amount = edit.apply(mine, FACE, 0.0)
    assert amount == 2
    assert edited.feature is mine.feature
    along = flow(edited.w[None]) - flow(mine.w[None])
    number = flow.config.attributes.index("smile")
    assert torch.allclose(along[0], 2 * flow.steps[number] * flow.normals[number], atol=1e-3)


def test_two_faces_are_moved_differently(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("smile=+2"), pack)
    a, b = (edit.apply(code(s), FACE, 0.0)[0].w - code(s).w for s in (0, 1))
    assert (a - b).abs().max() > 1e-2


def test_zero_is_nothing_and_two_edits_add_up_in_w_star(pack: Pack) -> None:
    proxy = replace(pack.spec.edits["smile"], kind="proxy")
    both = Pack(pack.folder, replace(pack.spec, edits={"smile": proxy, "age": proxy}))
    (none,) = resolve(parse_edits("smile=0"), both)
    mine = code()
    assert none.apply(mine, FACE, 0.0) == (mine, 0.0)
    one, other = (resolve(parse_edits(t), both)[0].apply(mine, FACE, 0.0) for t in ("smile=1,age=-1", "age=-1,smile=1"))
    assert torch.allclose(one[0].w, other[0].w, atol=1e-6)
    assert one[1] == other[1] == 2
    along = both.latent_flow(one[0].w[None]) - both.latent_flow(mine.w[None])
    lengths = both.latent_flow.steps * torch.tensor([-1.0, 1.0])
    assert torch.allclose(along[0], lengths @ both.latent_flow.normals, atol=1e-3)


def test_a_proxy_edit_has_its_time_and_its_people_and_its_region(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("1:smile=+1@2s-4s"), pack)
    other, mine = replace(FACE, person=0), code()
    assert [edit.acts(FACE, t) for t in (1.0, 3.0, 5.0)] == [False, True, False]
    assert edit.apply(mine, other, 3.0) == (mine, 0.0)
    assert edit.apply(mine, FACE, 2.1)[1] == pytest.approx(0.5)
    assert edit.touches(FACE, 2.1) == [Touch("face", pytest.approx(0.5))]


def test_w_star_is_entered_before_a_direction_moves_the_code(pack: Pack) -> None:
    for text in ("age=+1,smile=+1", "smile=+1,age=+1"):
        assert [type(e) for e in resolve(parse_edits(text), pack)] == [ProxyEdit, Linear]


def test_half_precision_around_it_does_not_reach_the_code(pack: Pack) -> None:
    (edit,) = resolve(parse_edits("smile=+2"), pack)
    plain = edit.apply(code(), FACE, 0.0)[0].w
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(edit.apply(code(), FACE, 0.0)[0].w, plain)


def test_an_attribute_that_the_flow_does_not_know_is_a_damaged_pack(tmp_path: Path) -> None:
    folder = add_toy_flow(write_toy_pack(tmp_path / "toy"), ("age", "mouth"))
    with pytest.raises(DamagedPack, match=r"calls smile an edit of kind proxy.*knows age, mouth"):
        resolve(parse_edits("smile=+1"), load_pack(folder))


def test_a_flow_for_another_generator_is_refused(tmp_path: Path) -> None:
    folder = add_toy_flow(write_toy_pack(tmp_path / "toy"))
    spec = load_pack(folder).spec
    sizes = replace(spec.networks["generator"].config, channels=(16, 16, 16, 8))
    write_pack(folder, replace(spec, networks={**spec.networks, "generator": NetworkSpec("stylegan2", sizes)}))
    pack = load_pack(folder)
    pack.__dict__["generator"] = type("G", (), {"config": sizes})()
    with pytest.raises(DamagedPack, match="latent_flow is for another generator"):
        _ = pack.latent_flow
