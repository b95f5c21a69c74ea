"""In-Domain inversion: where it starts, and what holds it there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.toy import GENERATOR, add_toy_domain_encoder, write_toy_pack
from vidinv.errors import DamagedPack
from vidinv.inversion import Inverter, make_inverter, search_options
from vidinv.inversion.in_domain import diffuse
from vidinv.packs.load import Pack, load_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(add_toy_domain_encoder(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy")))


@pytest.fixture(scope="module")
def pictures(pack: Pack) -> Tensor:
    torch.manual_seed(3)
    with torch.no_grad():
        return pack.generator(torch.randn(3, GENERATOR.layers, GENERATOR.d_style)).clamp(-1, 1)


def in_domain(pack: Pack, **wanted: object) -> Inverter:
    return make_inverter(pack, "in-domain", search_options("in-domain", wanted))


def apart(pack: Pack, w: Tensor) -> Tensor:
    """How far a code is from where the encoder finds its picture, [B]."""
    with torch.no_grad():
        return (w - pack.domain_encoder(pack.generator(w))).square().flatten(1).mean(1)


def test_the_encoder_alone_gives_its_own_answer(pack: Pack, pictures: Tensor) -> None:
    code = make_inverter(pack, "in-domain-encoder")(pictures)
    with torch.no_grad():
        assert torch.allclose(code.w, pack.domain_encoder(pictures), atol=1e-5)
        assert torch.allclose(code.feature, pack.generator.features(code.w), atol=1e-5)


def test_the_optimiser_starts_at_the_encoder_s_answer(pack: Pack, pictures: Tensor) -> None:
    start = make_inverter(pack, "in-domain-encoder")(pictures).w
    assert torch.allclose(in_domain(pack, steps=1, rate=1e-6)(pictures).w, start, atol=1e-4)


def test_the_published_weights_are_the_defaults() -> None:
    options = search_options("in-domain")
    assert (options.pixels, options.domain, options.steps, options.start) == (1.0, 2.0, 100, "encoder")


def test_it_brings_the_picture_nearer(pack: Pack, pictures: Tensor) -> None:
    def distortion(steps: int) -> Tensor:
        w = in_domain(pack, steps=steps, rate=0.05, domain=0.0)(pictures).w
        with torch.no_grad():
            return (pack.generator(w) - pictures).square().flatten(1).mean(1)

    assert (distortion(40) < distortion(1)).all()


def test_the_encoder_holds_the_code_where_it_finds_it_again(pack: Pack, pictures: Tensor) -> None:
    free, held = (in_domain(pack, steps=40, rate=0.05, domain=weight)(pictures).w for weight in (0.0, 50.0))
    assert (apart(pack, held) < apart(pack, free)).all()


def test_outside_the_mask_a_paste_is_not_compared(pack: Pack, pictures: Tensor) -> None:
    """Two pastes that differ only around the mask, where the encoder sees them: the search itself is the same."""
    inverter = in_domain(pack, steps=5)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 16:48, 16:48] = 1
    other = pictures[:1] * mask + pictures[1:2] * (1 - mask)
    networks = inverter.networks

    class SameStart(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return networks.mean_latent.expand(len(x), -1, -1)

    same = replace(networks, domain_encoder=SameStart(), perceptual=None)
    options = replace(inverter.options, domain=0.0)
    first, second = (diffuse(paste, mask, same, options).w for paste in (pictures[:1], other))
    assert torch.allclose(first, second, atol=1e-4)


def test_a_pack_without_the_encoder_is_named(tmp_path: Path) -> None:
    bare = load_pack(write_toy_pack(tmp_path / "bare"))
    for method in ("in-domain", "in-domain-encoder"):
        with pytest.raises(DamagedPack, match="domain_encoder"):
            make_inverter(bare, method)
