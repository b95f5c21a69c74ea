"""The generator does what the papers' formulas say."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from vidinv.models.generator import Generator, GeneratorConfig, edited_feature, render_pair
from vidinv.models.ops import ModulatedConv, blur, upsample2

CONFIG = GeneratorConfig(channels=(12, 12, 12, 8, 6), d_style=10, mapping_layers=2)


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(0)
    made = Generator(CONFIG).eval().requires_grad_(False)
    for conv in made.convs:
        conv.noise_strength.fill_(0.1)
    return made


def styles(count: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(count, CONFIG.layers, CONFIG.d_style, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("channels", [(8,) * 5, (8,) * 6, (8,) * 9])
def test_the_feature_code_is_16x16_at_every_output_resolution(channels: tuple[int, ...]) -> None:
    config = GeneratorConfig(channels=channels, d_style=8)
    assert config.feature_shape == (8, 16, 16)
    assert config.resolution == 2 ** (len(channels) + 1)
    assert config.layers == 2 * len(channels)


def test_its_own_features_give_its_own_picture(generator: Generator) -> None:
    w = styles(2)
    picture, native = generator(w, with_features=True)
    assert picture.shape == (2, 3, 64, 64)
    assert native.shape[1:] == CONFIG.feature_shape
    assert torch.equal(generator.features(w), native)
    assert torch.allclose(generator(w, native), picture, atol=1e-6)


def test_rendering_in_two_halves_is_rendering(generator: Generator) -> None:
    w, feature = styles(2), torch.randn(2, *CONFIG.feature_shape)
    _, skip = generator.below(w)
    assert torch.allclose(generator.render_from(w, feature, skip), generator(w, feature), atol=1e-6)


def test_a_pair_is_equation_one(generator: Generator) -> None:
    w, feature = styles(3), torch.randn(3, *CONFIG.feature_shape)
    w_edited = w + 0.3 * styles(3, seed=5)
    before, after = render_pair(generator, w, w_edited, feature)
    changed = edited_feature(feature, generator.features(w), generator.features(w_edited))
    assert torch.allclose(before, generator(w, feature), atol=1e-5)
    assert torch.allclose(after, generator(w_edited, changed), atol=1e-5)


def test_no_displacement_gives_the_same_picture_twice(generator: Generator) -> None:
    w, feature = styles(2), torch.randn(2, *CONFIG.feature_shape)
    before, after = render_pair(generator, w, w, feature)
    assert torch.allclose(before, after, atol=1e-5)


def test_the_noise_is_fixed(generator: Generator) -> None:
    w = styles(1)
    assert torch.equal(generator(w), generator(w))


@pytest.mark.parametrize("up", [False, True])
def test_scaling_activations_equals_modulating_weights(up: bool) -> None:
    torch.manual_seed(0)
    conv, x, w = ModulatedConv(6, 4, 3, 10, up=up), torch.randn(2, 6, 8, 8), torch.randn(2, 10)
    with torch.no_grad():
        got = conv(x, w)
        for i in range(2):
            weight = conv.scale * conv.weight * conv.modulation(w[i : i + 1])[0].view(1, -1, 1, 1)
            weight = weight * torch.rsqrt(weight.square().sum((1, 2, 3), keepdim=True) + 1e-8)
            if up:
                y = F.conv_transpose2d(x[i : i + 1], weight.transpose(0, 1), stride=2)
                y = blur(y, (1, 1), gain=4.0)
            else:
                y = F.conv2d(x[i : i + 1], weight, padding=1)
            assert torch.allclose(got[i : i + 1], y, atol=1e-5)


def test_upsampling_keeps_a_constant_inside() -> None:
    up = upsample2(torch.full((1, 2, 8, 8), 3.0))
    assert up.shape == (1, 2, 16, 16)
    assert torch.allclose(up[:, :, 2:-2, 2:-2], torch.tensor(3.0))


def test_mapping_does_not_depend_on_the_length_of_z(generator: Generator) -> None:
    z = torch.randn(4, CONFIG.d_style)
    assert torch.allclose(generator.map(z), generator.map(7 * z), atol=1e-5)
