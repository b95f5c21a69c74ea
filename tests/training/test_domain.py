"""Training of the domain-guided encoder: what learns, what stays, where it begins, exact resumption."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.toy import ENCODER, GENERATOR
from tests.training.teachers_toy import toy_teachers
from tests.training.test_inversion import CPU, CRITIC, bank, moved, same, weights
from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.generator import Generator
from vidinv.models.style_encoder import StyleEncoder, StyleEncoderConfig
from vidinv.runtime.compute import Compute
from vidinv.training import checkpoints, domain
from vidinv.training.critic import CriticOptions
from vidinv.training.domain import DomainOptions, DomainState
from vidinv.training.domain_figures import style_figures, styled
from vidinv.training.losses import identity_grids

pytestmark = pytest.mark.usefixtures("one_thread")

CONFIG = StyleEncoderConfig(**{f.name: getattr(ENCODER, f.name) for f in dataclasses.fields(StyleEncoderConfig)})
OPTIONS = DomainOptions(images=400, batch=4, critic=CriticOptions(r1=10.0, r1_every=2, augment_start=0.5))


def begin(options: DomainOptions = OPTIONS, compute: Compute = CPU) -> DomainState:
    torch.manual_seed(0)
    return domain.start(Generator(GENERATOR), CONFIG, CRITIC, options, compute)


def run(state: DomainState, steps: int, options: DomainOptions = OPTIONS, compute: Compute = CPU) -> list[dict]:
    faces, nets = bank(), toy_teachers()
    return [domain.step(state, faces, nets, options, compute) for _ in range(steps)]


def test_four_steps_are_two_steps_a_checkpoint_and_two_more(tmp_path: Path) -> None:
    whole, first = begin(), begin()
    run(whole, 4)
    run(first, 2)
    checkpoints.write(tmp_path, "state", first.to_dict(), 1)
    second = begin(dataclasses.replace(OPTIONS, seed=9))
    second.from_dict(checkpoints.read(tmp_path, "state"))
    run(second, 2)
    assert same(whole.to_dict(), second.to_dict())


def test_a_portable_checkpoint_goes_on_from_the_average(tmp_path: Path) -> None:
    state, other = begin(), begin(dataclasses.replace(OPTIONS, seed=9))
    run(state, 2)
    checkpoints.write(tmp_path, "state", checkpoints.portable(state.to_dict()))
    other.from_dict(checkpoints.read(tmp_path, "state"))
    pairs = zip(state.average_encoder.parameters(), other.encoder.parameters(), strict=True)
    assert all(torch.allclose(a, b, atol=2e-3, rtol=2e-3) for a, b in pairs)
    assert other.seen == state.seen
    assert all(torch.isfinite(v) for v in run(other, 1)[0].values())


def test_the_encoder_and_its_discriminator_learn_and_the_generator_stays() -> None:
    state = begin()
    g, e, d = (weights(n) for n in (state.generator, state.encoder, state.critic.net))
    first, *_ = history = run(state, 40)
    assert moved(g, state.generator) == 0
    assert all(p.grad is None for p in state.generator.parameters())
    assert moved(e, state.encoder) > 0.9
    assert moved(d, state.critic.net) > 0.9
    assert {"mse", "lpips", "g", "d", "r1", "p"} <= set(first)
    losses = [float(h["mse"] + OPTIONS.lpips * h["lpips"]) for h in history]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


def test_the_discriminator_reaches_the_encoder_and_its_weight_says_how_much() -> None:
    """With nothing but the adversarial term the encoder moves; with none of it, it moves elsewhere."""
    options = dataclasses.replace(OPTIONS, lpips=0.0, clip=1e9)
    states = [begin(options) for _ in range(2)]
    for state, weight in zip(states, (0.0, 1e3), strict=True):
        run(state, 1, dataclasses.replace(options, adversarial=weight))
    pairs = zip(states[0].encoder.parameters(), states[1].encoder.parameters(), strict=True)
    assert any(not torch.allclose(a, b, atol=1e-7) for a, b in pairs)


def test_a_step_runs_in_bf16_with_float32_weights() -> None:
    compute = Compute("cpu", torch.bfloat16)
    state = begin(compute=compute)
    assert all(torch.isfinite(v) for v in run(state, 1, compute=compute)[0].values())
    assert all(p.dtype == torch.float32 for p in state.encoder.parameters())


def test_an_encoder_from_a_pack_begins_with_the_same_styles() -> None:
    torch.manual_seed(0)
    generator, whole = Generator(GENERATOR), FeatureStyleEncoder(ENCODER)
    whole.mean_latent.normal_()
    state = domain.start(generator, CONFIG, CRITIC, OPTIONS, CPU, whole.state_dict())
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    for encoder in (state.encoder.eval(), state.average_encoder):
        assert torch.allclose(encoder(x), whole.eval()(x)[0], atol=1e-5)
    assert "began with the styles' half" in state.recipe
    assert "began with random weights" in begin().recipe


def test_sizes_that_do_not_fit_are_refused_by_name() -> None:
    generator, whole = Generator(GENERATOR), FeatureStyleEncoder(ENCODER)
    with pytest.raises(ValueError, match=r"\[encoder\] needs layers = 10"):
        domain.start(generator, dataclasses.replace(CONFIG, layers=12), CRITIC, OPTIONS, CPU)
    wider = dataclasses.replace(CONFIG, widths=(16, 16, 16, 16))
    with pytest.raises(ValueError, match="another trunk"):
        domain.start(generator, wider, CRITIC, OPTIONS, CPU, whole.state_dict())


def test_the_finished_encoder_is_the_average_with_norms_of_real_faces() -> None:
    state = begin()
    run(state, 3)
    before = state.to_dict()["average_encoder"]
    finished = domain.finished_encoder(state, bank(), 4, rounds=5)
    assert not finished.training
    after = finished.state_dict()
    changed = {k.rpartition(".")[2] for k, v in before.items() if not torch.equal(v, after[k])}
    assert changed == {"running_mean", "running_var", "num_batches_tracked"}
    assert same(before, state.average_encoder.state_dict())


def test_a_code_that_the_encoder_gives_again_is_in_the_domain() -> None:
    """An encoder that answers the mean whatever it sees is off by all of a code, and by nothing of its own."""
    torch.manual_seed(0)
    generator, encoder = Generator(GENERATOR).eval(), StyleEncoder(CONFIG).eval()
    encoder.to_style[-1].weight.data.zero_()
    encoder.to_style[-1].bias.data.zero_()
    x, points = torch.rand(3, 3, 64, 64) * 2 - 1, np.random.default_rng(0).uniform(16, 48, (3, 68, 2))
    grids = identity_grids(toy_teachers(), points, 64)
    w, made = styled(generator, lambda y: torch.randn(len(y), GENERATOR.layers, GENERATOR.d_style), x)
    assert style_figures(encoder, toy_teachers(), w, made, x, grids)["domain"] == pytest.approx(1)
    encoder.mean_latent.fill_(0.5)
    again = StyleEncoder(CONFIG).eval()
    again.load_state_dict(encoder.state_dict())
    again.mean_latent.zero_()
    again.to_style[-1].bias.data.fill_(0.1)  # times the gain of 5: its answer is 0.5 everywhere, its mean 0
    own, made = styled(generator, again, x)
    figures = style_figures(again, toy_teachers(), own, made, x, grids)
    assert figures["domain"] == pytest.approx(0, abs=1e-6)
    assert set(figures) == {"psnr", "lpips", "identity", "domain"}
