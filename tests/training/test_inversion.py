"""Training of the encoder, alone and together with the generator: losses, gradients, exact resumption."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.toy import ALIAS_FREE, ALIAS_FREE_ENCODER, ENCODER, GENERATOR
from tests.training.teachers_toy import toy_teachers
from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.generator import Generator
from vidinv.models.generator3 import AliasFreeGenerator
from vidinv.models.synthesis import mean_style
from vidinv.runtime.compute import Compute
from vidinv.training import checkpoints, inversion, inversion_losses, losses, validation
from vidinv.training.bank import FaceBank
from vidinv.training.critic import CriticOptions
from vidinv.training.discriminator import DiscriminatorConfig
from vidinv.training.inversion import InversionOptions, InversionState, JointOptions
from vidinv.training.styles import gaussian_of

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = Compute("cpu", torch.float32)
ALONE = InversionOptions(images=400, batch=4)
TOGETHER = JointOptions(images=400, batch=4, pixels_full=1.0, critic=CriticOptions(r1_every=2, augment_start=0.5))
CRITIC = DiscriminatorConfig(GENERATOR.channels)
MODES = [ALONE, TOGETHER]


def bank(count: int = 12) -> FaceBank:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (count, 4, 4, 3), np.uint8).repeat(16, 1).repeat(16, 2)
    grids = losses.identity_grids(toy_teachers(), rng.uniform(16, 48, (count, 68, 2)), 64)
    return FaceBank(torch.from_numpy(pictures), torch.full((count,), 1 / count), grids)


def begin(options: InversionOptions, compute: Compute = CPU) -> InversionState:
    torch.manual_seed(0)
    generator = Generator(GENERATOR)
    if not isinstance(options, JointOptions):
        return inversion.start(generator, ENCODER, options, compute)
    return inversion.start_joint(generator, FeatureStyleEncoder(ENCODER), CRITIC, options, compute)


def run(state: InversionState, steps: int, options: InversionOptions, compute: Compute = CPU) -> list[dict]:
    faces, nets = bank(), toy_teachers()
    return [inversion.step(state, faces, nets, options, compute) for _ in range(steps)]


def same(a: object, b: object) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def weights(network: torch.nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in network.parameters()]


def moved(before: list[torch.Tensor], network: torch.nn.Module) -> float:
    """Share of the parameters that are not what they were."""
    return np.mean([not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True)])


@pytest.mark.parametrize("options", MODES, ids=["alone", "together"])
def test_four_steps_are_two_steps_a_checkpoint_and_two_more(options: InversionOptions, tmp_path: Path) -> None:
    whole, first = begin(options), begin(options)
    run(whole, 4, options)
    run(first, 2, options)
    checkpoints.write(tmp_path, "state", first.to_dict(), 1)
    second = begin(dataclasses.replace(options, seed=9))
    second.from_dict(checkpoints.read(tmp_path, "state"))
    run(second, 2, options)
    assert same(whole.to_dict(), second.to_dict())


@pytest.mark.parametrize("options", MODES, ids=["alone", "together"])
def test_a_portable_checkpoint_goes_on_from_the_averages(options: InversionOptions, tmp_path: Path) -> None:
    state, other = begin(options), begin(dataclasses.replace(options, seed=9))
    run(state, 2, options)
    checkpoints.write(tmp_path, "state", checkpoints.portable(state.to_dict()))
    other.from_dict(checkpoints.read(tmp_path, "state"))
    for network in (other.encoder, other.average_encoder):
        pairs = zip(state.average_encoder.parameters(), network.parameters(), strict=True)
        assert all(torch.allclose(a, b, atol=2e-3, rtol=2e-3) for a, b in pairs)
    assert other.seen == state.seen
    assert all(torch.isfinite(v) for v in run(other, 1, options)[0].values())


def test_alone_the_encoder_learns_and_the_generator_stays() -> None:
    state = begin(ALONE)
    g, e = weights(state.generator), weights(state.encoder)
    history = run(state, 40, ALONE)
    assert moved(g, state.generator) == 0
    assert moved(e, state.encoder) > 0.9
    sums = [sum(float(v) for k, v in h.items() if k != "pull") for h in history]
    assert np.mean(sums[-5:]) < 0.9 * np.mean(sums[:5])


def test_together_generator_encoder_and_discriminator_all_learn() -> None:
    state = begin(TOGETHER)
    before = {n: weights(n) for n in (state.generator, state.encoder, state.critic.net, state.average_generator)}
    first, _ = run(state, 2, TOGETHER)
    assert all(moved(w, network) > 0.8 for network, w in before.items())
    assert {"d", "g", "r1", "p", "mse", "lpips", "lpips_w", "identity", "parts", "pull"} <= set(first)


@pytest.mark.parametrize("options", MODES, ids=["alone", "together"])
def test_a_step_runs_in_bf16_with_float32_weights(options: InversionOptions) -> None:
    compute = Compute("cpu", torch.bfloat16)
    state = begin(options, compute)
    assert all(torch.isfinite(v) for v in run(state, 1, options, compute)[0].values())
    assert all(p.dtype == torch.float32 for p in state.encoder.parameters())


def test_pixels_of_x1_are_compared_on_generated_faces_only() -> None:
    x, off = torch.zeros(4, 3, 64, 64), torch.zeros(4, 3, 64, 64)
    grids = torch.eye(2, 3).expand(4, 2, 3)

    def mse_w() -> float:
        found, _ = inversion._compare({"_w": off, "": x}, x, 2, grids, toy_teachers(), ALONE, CPU)
        return float(found["mse_w"])

    off[:2] = 1.0  # real faces
    assert mse_w() == 0
    off[2:] = 0.5
    assert mse_w() == pytest.approx(0.25)


def test_the_pull_reaches_the_styles_only_while_the_generator_is_fixed() -> None:
    """Were G^K(w) pulled in joint training, the generator would shrink it to nothing."""
    quiet = dict(batch=4, pixels=0.0, lpips=0.0, identity=0.0, parts=0.0, feature_pull=1.0, clip=1e12)
    for options in (InversionOptions(**quiet), JointOptions(**quiet, adversarial=0.0)):
        state = begin(options)
        run(state, 1, options)
        to_style, to_feature = (m[-1].weight.grad for m in (state.encoder.to_style, state.encoder.to_feature))
        assert to_feature.abs().sum() > 0
        assert (to_style.abs().sum() > 0) == (not state.joint)


def test_the_encoder_begins_at_the_mean_style() -> None:
    state = begin(ALONE)
    assert torch.allclose(state.encoder.mean_latent[3], mean_style(state.generator), atol=1e-6)


@pytest.mark.parametrize(("layer", "side"), [(3, 8), (5, 16)])  # the trunk goes from 32 px to 4
def test_the_feature_code_may_have_any_resolution_of_the_encoders_trunk(layer: int, side: int) -> None:
    generator = Generator(dataclasses.replace(GENERATOR, feature_layer=layer))
    channels, height, _ = generator.config.feature_shape
    assert height == side
    config = dataclasses.replace(ENCODER, feature_channels=channels, feature_side=side)
    state = inversion.start(generator, config, ALONE, CPU)
    assert all(torch.isfinite(v) for v in run(state, 1, ALONE)[0].values())


def test_an_encoder_learns_to_invert_an_alias_free_generator() -> None:
    torch.manual_seed(0)
    state = inversion.start(AliasFreeGenerator(ALIAS_FREE), ALIAS_FREE_ENCODER, ALONE, CPU)
    before = weights(state.encoder)
    figures = run(state, 1, ALONE)[0]
    assert all(torch.isfinite(v) for v in figures.values())
    assert moved(before, state.encoder) > 0.9
    config = dataclasses.replace(ALIAS_FREE_ENCODER, feature_side=16, feature_margin=0)
    with pytest.raises(ValueError, match=r"feature_side = 36, feature_margin = 10$"):
        inversion.start(AliasFreeGenerator(ALIAS_FREE), config, ALONE, CPU)


def test_an_encoder_that_does_not_fit_is_refused_with_what_would() -> None:
    config = dataclasses.replace(ENCODER, feature_side=8, layers=9)
    with pytest.raises(ValueError, match=r"\[encoder\] needs layers = 10, feature_side = 16$"):
        inversion.start(Generator(GENERATOR), config, ALONE, CPU)


def test_the_finished_encoder_has_the_norms_of_real_faces_and_leaves_the_run_alone() -> None:
    state = begin(ALONE)
    run(state, 2, ALONE)
    before = {k: v.clone() for k, v in state.average_encoder.state_dict().items()}
    stream = state.rng.get_state()
    done = inversion.finished_encoder(state, bank(), 8, rounds=4)
    assert same(before, state.average_encoder.state_dict())
    assert torch.equal(stream, state.rng.get_state())
    assert not torch.equal(done.stem[1].running_mean, state.average_encoder.stem[1].running_mean)
    assert not done.training


def test_layers_are_the_last_convolution_of_each_resolution_and_the_answer() -> None:
    first, second, third = (torch.nn.Conv2d(a, b, 3, s, 1) for a, b, s in ((3, 4, 2), (4, 5, 1), (5, 6, 2)))
    x = torch.randn(2, 3, 16, 16)
    found = inversion_losses.activations(lambda y: third(second(first(y))).mean((2, 3)), x)
    assert [tuple(f.shape) for f in found] == [(2, 5, 8, 8), (2, 6, 4, 4), (2, 6)]
    assert torch.equal(found[0], second(first(x)))


def test_layer_distance_is_0_for_the_same_and_1_a_layer_for_strangers() -> None:
    a = [torch.eye(4)[:2].view(2, 1, 2, 2), torch.eye(3)[:2]]
    b = [torch.eye(4)[2:].view(2, 1, 2, 2), torch.eye(3)[:2]]
    assert torch.allclose(inversion_losses.layer_distance(a, a), torch.zeros(2), atol=1e-6)
    assert torch.allclose(inversion_losses.layer_distance(a, b), torch.ones(2), atol=1e-6)


def test_one_set_of_targets_serves_several_sets_of_inversions() -> None:
    a = [torch.rand(6, 4, 3, 3), torch.rand(6, 5)]
    b = [torch.rand(3, 4, 3, 3), torch.rand(3, 5)]
    twice = [torch.cat([each, each]) for each in b]
    assert torch.allclose(inversion_losses.layer_distance(a, b), inversion_losses.layer_distance(a, twice))
    nets, grids = toy_teachers(), torch.tensor([[[0.7, 0, 0.1 * i], [0, 0.7, 0]] for i in range(3)])
    made, target = torch.rand(6, 3, 64, 64), torch.rand(3, 3, 64, 64)
    once = inversion_losses.identity_layers(nets, made, target, grids)
    again = inversion_losses.identity_layers(nets, made, torch.cat([target] * 2), torch.cat([grids] * 2))
    assert torch.allclose(once, again, atol=1e-6)


def test_three_scales_of_lpips_are_added() -> None:
    nets, a, b = toy_teachers(), torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    expected = sum(nets.labeller.lpips(F.avg_pool2d(a, s), F.avg_pool2d(b, s)) for s in (1, 2, 4))
    assert torch.allclose(inversion_losses.multiscale_lpips(nets, a, b), expected)


def test_the_gradient_of_the_labelling_networks_reaches_the_made_picture_only() -> None:
    nets, grids = toy_teachers(), torch.eye(2, 3).expand(2, 2, 3)
    made, target = (torch.rand(2, 3, 64, 64).requires_grad_(True) for _ in range(2))
    loss = inversion_losses.identity_layers(nets, made, target, grids).sum()
    (loss + inversion_losses.parts_layers(nets, made, target).sum()).backward()
    assert made.grad.abs().sum() > 0
    assert target.grad is None


def test_figures_of_a_perfect_and_of_a_known_inversion() -> None:
    nets, x = toy_teachers(), torch.rand(3, 3, 64, 64) - 0.5
    grids = torch.eye(2, 3).expand(3, 2, 3)
    found = validation.inversion_figures(nets, x, x + 0.2, x, grids)
    assert found["psnr"] == pytest.approx(20, abs=1e-3)  # 0.2 of -1..1 is a tenth of the range
    assert found["val_lpips_w"] == 0
    assert found["val_identity_w"] == pytest.approx(1, abs=1e-6)
    assert found["val_lpips"] == pytest.approx(0.04, rel=1e-3)
    assert found["val_identity"] < 1


def test_styles_like_given_codes_replace_the_mappings() -> None:
    torch.manual_seed(0)
    layers, d = GENERATOR.layers, GENERATOR.d_style
    codes = 5 + torch.randn(40, layers, d) @ torch.randn(d, d)
    styles = gaussian_of(codes)
    drawn = styles.draw(20_000, torch.Generator().manual_seed(1))
    assert drawn.shape == (20_000, layers, d)
    spread = codes.std(0).mean()
    assert (drawn.mean(0) - codes.mean(0)).abs().max() < 0.1 * spread
    of_drawn, of_codes = (torch.cov(some.flatten(1).T, correction=0) for some in (drawn, codes))
    assert (of_drawn - of_codes).abs().max() < 0.1 * of_codes.abs().max()

    state = inversion.start(Generator(GENERATOR), ENCODER, ALONE, CPU, styles)
    assert torch.equal(state.encoder.mean_latent, codes.mean(0).expand_as(state.encoder.mean_latent))
    asked = []
    state.generator.map = lambda z: asked.append(z)
    figures = run(state, 1, ALONE)
    assert not asked
    assert figures[0]["mse_w"] > 0


def test_a_gaussian_wants_two_codes() -> None:
    with pytest.raises(ValueError, match="two faces or more, not of 1"):
        gaussian_of(torch.zeros(1, 2, 3))


def test_styles_of_codes_are_for_a_generator_that_stays() -> None:
    with pytest.raises(ValueError, match="draws its faces from noise"):
        dataclasses.replace(TOGETHER, styles="codes")
    with pytest.raises(ValueError, match='not of "faces"'):
        dataclasses.replace(ALONE, styles="faces")
