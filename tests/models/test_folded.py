"""Drawing without gradients is the same function as drawing with them, in fewer passes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from vidinv.models.folded import doubling, kept, phases_of
from vidinv.models.generator import Generator, GeneratorConfig, edited_feature, render_pair
from vidinv.models.ops import blur, upsample2

# Low layers have more weights than pixels, high ones fewer: both ways of scaling meet.
SIZES = GeneratorConfig(channels=(16, 16, 8, 8), d_style=16, mapping_layers=1, feature_layer=3)


@pytest.fixture
def generator() -> Generator:
    torch.manual_seed(0)
    made = Generator(SIZES).eval().requires_grad_(False)
    for conv in made.convs:
        conv.bias.normal_()
        conv.noise_strength.fill_(0.3)
    return made


def _inputs(generator: Generator, count: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    w = torch.randn(count, SIZES.layers, SIZES.d_style)
    return w, torch.randn(count, *SIZES.feature_shape)


@pytest.mark.parametrize("own_noise", [True, False])
@pytest.mark.parametrize("count", [1, 3])
def test_without_gradients_the_picture_is_the_same(generator: Generator, count: int, own_noise: bool) -> None:
    w, feature = _inputs(generator, count)
    noise = None if own_noise else torch.randn(count, sum(side**2 for side in SIZES.noise_sides))
    wanted, native = generator(w, feature, noise=noise, with_features=True)
    with torch.no_grad():
        made, low = generator(w, feature, noise=noise, with_features=True)
    torch.testing.assert_close(made, wanted, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(low, native, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("tiles", [True, False])
def test_in_half_precision_it_is_nearer_to_the_truth_than_layer_by_layer(
    generator: Generator, monkeypatch: pytest.MonkeyPatch, tiles: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    w, feature = _inputs(generator)
    truth = generator(w, feature)
    with torch.autocast("cpu", torch.bfloat16):
        before = generator(w, feature).float()
        with torch.no_grad():
            after = generator(w, feature)
    assert (after - truth).square().mean() < (before - truth).square().mean()


def test_phases_are_drawn_where_multiplying_is_cheap_only(
    generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same picture either way; the weights that were made tell which way it was.
    w, feature = _inputs(generator)
    truth, drawn = generator(w, feature), list[torch.Tensor]()
    for tiles in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda tiles=tiles: tiles)
        conv = generator.convs[-2].conv
        conv.__dict__.pop("kept", None)
        with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
            drawn.append(generator(w, feature))
        assert {phases for phases, _ in kept(conv).forms} == {tiles}
        # bf16 has eight bits: through nine layers an error of a hundredth of the picture's spread.
        assert (drawn[-1] - truth).square().mean().sqrt() < 0.03 * truth.std()
    assert (drawn[0] - drawn[1]).square().mean().sqrt() < 0.03 * truth.std()


def test_changed_weights_are_seen(generator: Generator) -> None:
    w, feature = _inputs(generator)
    with torch.no_grad():
        generator(w, feature)
        for conv in generator.convs:
            conv.conv.weight.mul_(-1)
        made = generator(w, feature)
    torch.testing.assert_close(made, generator(w, feature), atol=1e-4, rtol=1e-4)


def test_phases_are_zeros_in_between_the_convolution_and_the_blur() -> None:
    x, weight = torch.randn(2, 5, 6, 6), torch.randn(4, 5, 3, 3)
    wanted = blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), (1, 1), gain=4.0)
    parts = F.conv2d(x, phases_of(weight), padding=1).view(2, 2, 2, 4, 6, 6)
    made = parts.permute(0, 3, 4, 1, 5, 2).reshape(2, 4, 12, 12)
    torch.testing.assert_close(made, wanted, atol=1e-5, rtol=1e-5)


def test_doubling_is_upsampling() -> None:
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(doubling(8) @ x @ doubling(8).t(), upsample2(x), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("first", [0, SIZES.feature_layer + 1])
def test_a_pair_is_eq_1_whether_or_not_its_low_styles_are_shared(generator: Generator, first: int) -> None:
    w, feature = _inputs(generator)
    edited = w.clone()
    edited[:, first:] += torch.randn_like(edited[:, first:])
    before, after = render_pair(generator, w, edited, feature)
    native, moved = generator.features(w), generator.features(edited)
    torch.testing.assert_close(before, generator(w, feature), atol=1e-4, rtol=1e-4)
    wanted = generator(edited, edited_feature(feature, native, moved))
    torch.testing.assert_close(after, wanted, atol=1e-4, rtol=1e-4)
