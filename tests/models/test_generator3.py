"""The alias-free generator has the published sizes, its pictures move and turn with its input, and F goes in."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.models.alias_free_toy import CONFIG, moved, rotation, toy_generator, translation
from vidinv.metrics.equivariance import rotation_equivariance, translation_equivariance
from vidinv.models.bands import CHANNELS_R, CHANNELS_T, bands, channels
from vidinv.models.filters import lowpass
from vidinv.models.generator import edited_feature, render_pair
from vidinv.models.generator3 import AliasFreeConfig, AliasFreeGenerator, FourierInput
from vidinv.models.uninitialised import Uninitialised

T_1024 = [
    *("L0_36_512", "L1_36_512", "L2_52_512", "L3_52_512", "L4_84_512", "L5_148_512", "L6_148_512", "L7_276_323"),
    *("L8_276_203", "L9_532_128", "L10_1044_81", "L11_1044_51", "L12_1044_32", "L13_1024_32", "L14_1024_3"),
]


R_1024_FIRST, R_1024_LAST = "L0_36_1024", "L13_1024_64"


def names(resolution: int, widths: tuple[int, int]) -> list[str]:
    sizes, wide = bands(resolution), (*channels(resolution, *widths), 3)
    return [f"L{i}_{band.size}_{c}" for i, (band, c) in enumerate(zip(sizes, wide, strict=True))]


def styles(count: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(count, CONFIG.layers, CONFIG.d_style, generator=torch.Generator().manual_seed(seed))


def scaled(*pictures: torch.Tensor) -> list[torch.Tensor]:
    """To a range like that of photographs, by the first picture: random weights give any contrast."""
    return [p / (2 * pictures[0].std()) for p in pictures]


def test_sizes_and_channels_are_the_published_ones() -> None:
    assert names(1024, CHANNELS_T) == T_1024
    found = names(1024, CHANNELS_R)
    assert (found[0], found[13]) == (R_1024_FIRST, R_1024_LAST)
    assert [n.split("_")[1] for n in found] == [n.split("_")[1] for n in T_1024]


def test_configuration_t_has_as_many_parameters_as_the_paper_says() -> None:
    with Uninitialised():
        generator = AliasFreeGenerator(AliasFreeConfig(1024))
    assert sum(p.numel() for p in generator.parameters()) / 1e6 == pytest.approx(22.3, abs=0.05)


def test_the_bands_grow_geometrically_and_end_critically_sampled() -> None:
    found = bands(1024)
    assert found[0].cutoff == 2
    assert found[0].stopband == pytest.approx(2**2.1)
    assert found[12].cutoff == found[14].cutoff == 512
    assert found[12].stopband == pytest.approx(512 * 2**0.3)
    ratios = np.diff(np.log2([b.cutoff for b in found[:13]]))
    assert ratios == pytest.approx(8 / 12)
    assert all(b.rate >= 2 * b.stopband for b in found if b.rate < 1024)


@pytest.mark.parametrize(("resolution", "layer"), [(256, 5), (512, 4), (1024, 4)])
def test_the_feature_code_holds_as_many_cycles_at_every_output_resolution(resolution: int, layer: int) -> None:
    config = AliasFreeConfig(resolution, channels(resolution, *CHANNELS_T))
    assert config.layers == 16
    assert (config.feature_layer, config.feature_shape, config.feature_margin) == (layer, (512, 52, 52), 10)


@pytest.mark.parametrize("radial", [False, True])
@pytest.mark.parametrize("shift", [(1, 0), (-5, 3), (7, -2), (0.5, 0.5), (2.25, -1.75)])
def test_pictures_move_with_the_input(radial: bool, shift: tuple[float, float]) -> None:
    generator, w = toy_generator(radial), styles(2)
    still, translated = scaled(generator(w), moved(generator, w, translation(*shift)))
    assert translation_equivariance(still, translated, shift) > 60


def without_filters(generator: AliasFreeGenerator) -> AliasFreeGenerator:
    """Nearest neighbours up, every other sample down."""
    for layer in generator.convs[:-1]:
        up, down = torch.zeros_like(layer.up_filter), torch.zeros_like(layer.down_filter)
        start, middle = (len(up) - layer.up) // 2, len(down) // 2
        up[start : start + layer.up] = 1 / layer.up
        down[(middle,) * down.dim()] = 1
        layer.up_filter, layer.down_filter = up, down
    return generator


@pytest.mark.parametrize("radial", [False, True])
def test_without_its_filters_it_would_not(radial: bool) -> None:
    generator, w, shift = without_filters(toy_generator(radial)), styles(2), (-5, 3)
    still, translated = scaled(generator(w), moved(generator, w, translation(*shift)))
    assert translation_equivariance(still, translated, shift) < 35


@pytest.mark.parametrize("degrees", [90, 30, -10])
def test_only_configuration_r_turns_with_the_input(degrees: float) -> None:
    reached = {}
    for radial in (True, False):
        generator, w = toy_generator(radial), styles(2)
        still, turned = scaled(generator(w), moved(generator, w, rotation(degrees)))
        reached[radial] = rotation_equivariance(still, turned, degrees)
    assert reached[True] > 55
    assert reached[False] < 35


def test_separable_filters_cost_configuration_r_its_rotation() -> None:
    generator, w = toy_generator(radial=True), styles(2)
    with_radial, bands_ = scaled(generator(w), moved(generator, w, rotation(30))), generator.config.bands
    for i, layer in enumerate(generator.convs[:-1]):
        if layer.down_filter.dim() == 2:
            rate = layer.down * bands_[i].rate
            layer.down_filter = lowpass(len(layer.down_filter), bands_[i].cutoff, bands_[i].width, rate)
    separable = scaled(generator(w), moved(generator, w, rotation(30)))
    assert rotation_equivariance(*with_radial, 30) > 3 + rotation_equivariance(*separable, 30)


def test_a_style_moves_the_fourier_features() -> None:
    torch.manual_seed(0)
    sines = FourierInput(8, 16, bands(64)[0])
    w = torch.zeros(1, 16)
    with torch.no_grad():
        still = sines(w)
        step = 1 / sines.band.rate  # one sample to the right
        sines.affine.bias.copy_(torch.tensor([2.0, 0.0, 2 * step, 0.0]))  # turned by nothing, at twice the length
        assert torch.allclose(sines(w)[..., 1:], still[..., :-1], atol=1e-4)
        assert not torch.allclose(sines(w), still, atol=1e-2)


def test_frequencies_beyond_the_grid_fade_out() -> None:
    sines = FourierInput(8, 16, bands(64)[0])
    sines.transform.copy_(torch.diag(torch.tensor([1e6, 1e6, 1.0])))
    assert sines(torch.zeros(1, 16)).abs().max() == 0


def test_its_own_features_give_its_own_picture() -> None:
    generator, w = toy_generator(), styles(2)
    picture, native = generator(w, with_features=True)
    assert picture.shape == (2, 3, 64, 64)
    assert native.shape[1:] == CONFIG.feature_shape
    assert torch.equal(generator.features(w), native)
    assert torch.allclose(generator(w, native), picture, atol=1e-6)


def test_a_pair_is_equation_one() -> None:
    generator, w = toy_generator(), styles(3)
    feature, w_edited = torch.randn(3, *CONFIG.feature_shape), w + 0.3 * styles(3, seed=5)
    before, after = render_pair(generator, w, w_edited, feature)
    changed = edited_feature(feature, generator.features(w), generator.features(w_edited))
    assert torch.allclose(before, generator(w, feature), atol=1e-5)
    assert torch.allclose(after, generator(w_edited, changed), atol=1e-5)


def test_every_style_matters() -> None:
    generator, w = toy_generator(), styles(1)
    # The input's affine begins as the identity, whatever the style.
    generator.input.affine.weight.copy_(torch.randn_like(generator.input.affine.weight))
    picture = generator(w)
    for i in range(CONFIG.layers):
        other = w.clone()
        other[:, i] += 1
        assert not torch.allclose(generator(other), picture, atol=1e-6), i


def test_training_learns_the_magnitudes_and_reaches_every_weight() -> None:
    torch.manual_seed(0)
    generator = AliasFreeGenerator(CONFIG).train()
    w = generator.map(torch.randn(2, CONFIG.d_style))[:, None].expand(-1, CONFIG.layers, -1)
    generator(w).square().mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in generator.parameters())
    assert all(float(layer.magnitude_ema) != 1 for layer in generator.convs)
    generator.eval()
    assert torch.equal(generator(w), generator(w))


def test_weights_from_a_file_need_no_random_ones() -> None:
    source = toy_generator()
    with Uninitialised():
        target = AliasFreeGenerator(CONFIG)
    target.load_state_dict(source.state_dict(), assign=True)
    assert torch.equal(target.eval()(styles(1)), source(styles(1)))
