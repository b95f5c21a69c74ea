"""The optimisers: their gradients, that they get nearer, and that a picture's code is its own affair."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.toy import ALIAS_FREE, GENERATOR, write_toy_pack
from vidinv.errors import UsageError
from vidinv.inversion import Inverter, make_inverter, search_options
from vidinv.inversion.base import SearchOptions, together
from vidinv.inversion.image2stylegan import begin_at
from vidinv.inversion.search import Point, point_of, search, styles
from vidinv.packs.load import Pack, load_pack
from vidinv.packs.write import write_pack
from vidinv.runtime.compute import Compute

SPACES = ("w+", "w", "z")


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    pack = load_pack(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"))
    for conv in pack.generator.convs:
        conv.noise_strength.fill_(0.3)  # as trained generators have it
    return pack


@pytest.fixture(scope="module")
def pictures(pack: Pack) -> Tensor:
    """Three that the generator can draw, and noise that it cannot."""
    torch.manual_seed(3)
    with torch.no_grad():
        drawn = pack.generator(torch.randn(3, GENERATOR.layers, GENERATOR.d_style)).clamp(-1, 1)
    return torch.cat([drawn, torch.rand(1, 3, 64, 64) * 2 - 1])


def inverter(pack: Pack, method: str = "image2stylegan", **wanted: object) -> Inverter:
    return make_inverter(pack, method, search_options(method, wanted))


def losses(invert: Inverter, pictures: Tensor, steps: int) -> Tensor:
    """Before each step, [steps, B]."""
    begin = begin_at(len(pictures), invert.networks, invert.options)
    return torch.stack([loss for _, loss in search(pictures, invert.networks, invert.options, begin, steps)])


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("start", ["mean", "random"])
def test_the_loss_of_every_picture_falls_in_every_space_and_from_every_start(
    pack: Pack, pictures: Tensor, space: str, start: str
) -> None:
    found = losses(inverter(pack, space=space, start=start), pictures, 25)
    assert (found[-1] < found[0]).all()


@pytest.mark.parametrize("space", SPACES)
def test_gradients_are_those_of_finite_differences(pack: Pack, pictures: Tensor, space: str) -> None:
    """Of the whole loss, F and noise included, along random directions, in double precision."""
    rng = torch.Generator().manual_seed(5)
    options = SearchOptions(space=space, feature=True, noise=True, feature_pull=0.5)  # type: ignore[arg-type]
    invert = inverter(pack, space=space)
    networks = replace(invert.networks, perceptual=None)
    begin = begin_at(1, networks, replace(options, start="random"))
    begin = Point(begin.style, 0.1 * torch.randn(begin.offset.shape, generator=rng), begin.noise)

    def loss_at(point: Point) -> tuple[Point, Tensor]:
        return next(search(pictures[:1], networks, replace(options, rate=0.0), point, 1))

    point, _ = loss_at(begin)
    for name in ("style", "offset", "noise"):
        variable = getattr(point, name)
        way = torch.randn(variable.shape, generator=rng)
        way /= way.norm()
        slope = (variable.grad * way).sum()
        ahead, behind = (
            loss_at(replace(begin, **{name: getattr(begin, name) + step * way}))[1].item() for step in (1e-2, -1e-2)
        )
        assert slope.item() == pytest.approx((ahead - behind) / 2e-2, rel=0.05, abs=1e-5), name


def test_a_picture_alone_gets_the_code_it_gets_among_others(pack: Pack, pictures: Tensor) -> None:
    invert = inverter(pack, steps=10, feature=True)
    whole = invert(pictures)
    for row, picture in zip(whole.rows(), pictures, strict=True):
        alone = invert(picture[None])
        assert torch.allclose(alone.w, row.w, atol=2e-3)
        assert torch.allclose(alone.feature, row.feature, atol=2e-2)


def test_a_seed_fixes_the_code_and_another_gives_another(pack: Pack, pictures: Tensor) -> None:
    first, again, other = (inverter(pack, steps=4, start="random", seed=seed)(pictures[:1]).w for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 0.1


def test_half_precision_ends_where_full_precision_does(pack: Pack, pictures: Tensor) -> None:
    """Within 5 % of the loss: what docs/inversion.md says."""
    invert = inverter(pack)
    full = losses(invert, pictures, 40)
    with Compute("cpu", torch.bfloat16).autocast():
        half = losses(invert, pictures, 40)
    assert torch.allclose(half[-1], full[-1], rtol=0.05)
    assert (full[-1] < 0.9 * full[0]).any(), "a search that goes nowhere agrees with everything"


def test_a_feature_code_and_noise_maps_bring_a_picture_nearer(pack: Pack, pictures: Tensor) -> None:
    def apart(**wanted: object) -> Tensor:
        code = inverter(pack, steps=40, **wanted)(pictures)
        with torch.no_grad():
            return (pack.generator(code.w, code.feature, noise=code.noise) - pictures).square().flatten(1).mean(1)

    plain = apart()
    assert (apart(feature=True) < plain).all()
    assert (apart(noise=True) < plain).all()


def test_f_of_a_code_without_one_of_its_own_is_what_its_styles_make(pack: Pack, pictures: Tensor) -> None:
    code = inverter(pack, steps=3)(pictures)
    with torch.no_grad():
        assert torch.allclose(pack.generator(code.w, code.feature), pack.generator(code.w), atol=1e-5)


@pytest.mark.parametrize("space", ["w", "z"])
def test_in_w_and_z_all_layers_share_a_style(pack: Pack, pictures: Tensor, space: str) -> None:
    code = inverter(pack, steps=3, space=space)(pictures)
    assert torch.equal(code.w, code.w[:, :1].expand_as(code.w))


@pytest.mark.parametrize("space", SPACES)
def test_a_search_goes_on_exactly_where_an_earlier_one_ended(pack: Pack, pictures: Tensor, space: str) -> None:
    invert = inverter(pack, steps=3, space=space, feature=True, noise=True)
    code = invert(pictures)
    point = point_of(code, invert.options, pack.generator)
    assert torch.allclose(styles(point, invert.options, pack.generator), code.w, atol=1e-6)
    assert torch.equal(point.noise, code.noise)
    assert torch.equal(together(code.rows()).feature, code.feature)


def test_a_warm_start_is_nearer_after_few_steps_than_a_cold_one(pack: Pack, pictures: Tensor) -> None:
    """The frame before is the best guess that there is of a frame."""
    nearly = (pictures + 0.02 * torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)
    invert = inverter(pack, steps=60, warm_steps=8)
    before = invert(nearly)
    short = inverter(pack, steps=8)

    def apart(w: Tensor) -> float:
        with torch.no_grad():
            return float((pack.generator(w) - pictures).square().mean())

    assert apart(invert(pictures, before).w) < apart(short(pictures).w)


def test_what_a_method_cannot_do_is_refused_by_name(pack: Pack) -> None:
    for method, wanted, words in (
        ("image2styleg", {}, "image2stylegan"),
        ("feature-style", {"steps": 5}, "does not search"),
        ("image2stylegan", {"speed": 5}, "no search option 'speed'"),
        ("image2stylegan", {"space": "w++"}, "w+, w, z"),
        ("image2stylegan", {"start": "encoder"}, "mean, random"),
        ("in-domain", {"space": "z"}, "w+"),
        ("image2stylegan", {"steps": 0}, "steps is 0; give a whole number from 1 to"),
        ("image2stylegan", {"steps": 10**15}, "whole number from 1 to"),
        ("image2stylegan", {"rate": float("nan")}, "rate is nan; give a number from 0"),
        ("image2stylegan", {"feature": "yes"}, "True or False"),
        ("image2stylegan", {"domain": 1.0}, "no domain encoder"),
        ("image2stylegan", {"seed": 3}, "a random start"),
        ("in-domain", {"warm_steps": 3}, "begins every frame anew"),
    ):
        with pytest.raises(UsageError, match=words.replace("+", r"\+")):
            search_options(method, wanted)


def test_noise_maps_of_a_generator_that_gives_them_no_weight_are_refused(tmp_path: Path) -> None:
    pack = load_pack(write_toy_pack(tmp_path / "toy"))
    with pytest.raises(UsageError, match="noise"):
        make_inverter(pack, "image2stylegan", search_options("image2stylegan", {"noise": True}))


def test_an_alias_free_generator_is_searched_too(tmp_path: Path) -> None:
    pack = load_pack(write_toy_pack(tmp_path / "toy", alias_free=True))
    torch.manual_seed(0)
    with torch.no_grad():
        picture = pack.generator(torch.randn(1, ALIAS_FREE.layers, ALIAS_FREE.d_style)).clamp(-1, 1)
    invert = inverter(pack, steps=8, feature=True)
    assert losses(invert, picture, 8)[-1] < losses(invert, picture, 1)[0]
    code = invert(picture)
    assert code.feature.shape[1:] == ALIAS_FREE.feature_shape
    with pytest.raises(UsageError, match="noise"):
        inverter(pack, noise=True)


def test_a_pack_without_an_encoder_asks_for_something_to_compare_by(tmp_path: Path) -> None:
    """An imported generator alone can be searched: by pixels, or by LPIPS where its weights are given."""
    folder = write_toy_pack(tmp_path / "toy")
    whole = load_pack(folder)
    networks = {name: spec for name, spec in whole.spec.networks.items() if name != "encoder"}
    (folder / "encoder.safetensors").unlink()
    write_pack(folder, replace(whole.spec, networks=networks, files={}))
    pack = load_pack(folder)
    with pytest.raises(UsageError, match="--lpips"):
        inverter(pack)
    code = inverter(pack, steps=2, perceptual=0.0)(torch.zeros(1, 3, 64, 64))
    assert code.w.shape == (1, GENERATOR.layers, GENERATOR.d_style)
