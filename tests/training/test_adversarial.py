"""Adversarial training at toy size: every step runs, resumes exactly, and learns."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import pytest
import torch

from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.runtime.compute import Compute
from vidinv.training import adversarial, checkpoints
from vidinv.training.adversarial import GanOptions
from vidinv.training.bank import FaceBank
from vidinv.training.critic import CriticOptions
from vidinv.training.discriminator import DiscriminatorConfig

pytestmark = pytest.mark.usefixtures("one_thread")

CHANNELS = (8, 8, 8)
GENERATOR = GeneratorConfig(CHANNELS, d_style=8, mapping_layers=1, feature_layer=3)
CRITIC = DiscriminatorConfig(CHANNELS)
OPTIONS = GanOptions(batch=4, path_every=2, path_share=0.5, critic=CriticOptions(r1_every=2, augment_start=0.5))
CPU = Compute("cpu", torch.float32)


def bank(count: int = 12) -> FaceBank:
    rng = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (count, 16, 16, 3), generator=rng, dtype=torch.uint8)
    return FaceBank(pictures, torch.full((count,), 1 / count))


def begin(options: GanOptions = OPTIONS) -> adversarial.GanState:
    return adversarial.start(GENERATOR, CRITIC, options, CPU)


def run(state: adversarial.GanState, steps: int, options: GanOptions = OPTIONS, compute: Compute = CPU) -> list[dict]:
    faces = bank()
    return [adversarial.step(state, faces, options, compute) for _ in range(steps)]


def flat(content: object) -> list[torch.Tensor]:
    if isinstance(content, dict):
        return [t for k in content for t in flat(content[k])]
    if isinstance(content, list | tuple):
        return [t for v in content for t in flat(v)]
    return [torch.as_tensor(content)] if isinstance(content, torch.Tensor | int | float) else []


def test_four_steps_are_two_steps_a_checkpoint_and_two_more(tmp_path: Path) -> None:
    """Weights, averages, optimisers, probability, counters and random numbers: bit for bit."""
    whole, first = begin(), begin()
    run(whole, 4)
    run(first, 2)
    checkpoints.write(tmp_path, "state", first.to_dict(), 1)
    second = begin(dataclasses.replace(OPTIONS, seed=9))
    second.from_dict(checkpoints.read(tmp_path, "state"))
    run(second, 2)
    a, b = flat(whole.to_dict()), flat(second.to_dict())
    assert len(a) == len(b) > 100
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    assert whole.seen == second.seen == 16


def test_a_portable_checkpoint_goes_on_from_the_average(tmp_path: Path) -> None:
    state, other = begin(), begin(dataclasses.replace(OPTIONS, seed=9))
    run(state, 3)
    checkpoints.write(tmp_path, "portable", checkpoints.portable(state.to_dict()))
    other.from_dict(checkpoints.read(tmp_path, "portable"))
    for network in (other.generator, other.average):
        pairs = zip(state.average.parameters(), network.parameters(), strict=True)
        assert all(torch.allclose(a, b, atol=2e-3, rtol=2e-3) for a, b in pairs)
    pairs = zip(state.critic.net.parameters(), other.critic.net.parameters(), strict=True)
    assert all(torch.allclose(a, b, atol=2e-3, rtol=2e-3) for a, b in pairs)
    assert torch.equal(state.critic.p, other.critic.p)
    assert other.seen == 12
    assert all(torch.isfinite(v) for v in run(other, 1)[0].values())


def test_a_step_moves_both_networks_and_the_average_and_reports_what_it_did() -> None:
    state = begin()
    before = {n: [p.clone() for p in getattr(state, n).parameters()] for n in ("generator", "average")}
    before["critic"] = [p.clone() for p in state.critic.net.parameters()]
    first, second = run(state, 2)
    assert {"d", "g", "r1", "path", "p"} <= set(first)
    assert "r1" not in second  # lazy
    assert "path" not in second
    nets = {"generator": state.generator, "average": state.average, "critic": state.critic.net}
    for name, net in nets.items():
        changed = [not torch.equal(a, b) for a, b in zip(before[name], net.parameters(), strict=True)]
        assert sum(changed) > 0.8 * len(changed), name


def test_a_step_runs_in_bf16_with_float32_weights() -> None:
    state = begin()
    losses = run(state, 2, compute=Compute("cpu", torch.bfloat16))
    assert all(torch.isfinite(v) for step in losses for v in step.values())
    assert all(p.dtype == torch.float32 for p in state.generator.parameters())


def test_the_fixed_noise_is_put_back_and_is_the_averages_too() -> None:
    state = begin()
    fixed = [conv.noise for conv in state.generator.convs]
    with adversarial.fresh_noise(state.generator, 3, state.rng):
        assert state.generator.convs[2].noise.shape == (3, 1, 8, 8)
    assert all(a is conv.noise for a, conv in zip(fixed, state.generator.convs, strict=True))
    run(state, 1)
    assert all(torch.equal(a, conv.noise) for a, conv in zip(fixed, state.average.convs, strict=True))


def test_styles_are_mixed_at_one_layer() -> None:
    g, rng = Generator(GENERATOR), torch.Generator().manual_seed(0)
    w = adversarial.draw_styles(g, 64, 1.0, rng)
    assert w.shape == (64, GENERATOR.layers, 8)
    switches = (w[:, 1:] != w[:, :-1]).any(-1).sum(1)
    assert (switches == 1).all()
    plain = adversarial.draw_styles(g, 64, 0.0, rng)
    assert torch.equal(plain, plain[:, :1].expand_as(plain))


def test_the_probability_rises_while_the_discriminator_is_sure_of_real_faces() -> None:
    options = dataclasses.replace(OPTIONS, critic=dataclasses.replace(OPTIONS.critic, augment_images=64.0))
    state = begin(options)
    with torch.no_grad():
        state.critic.net.out.bias.fill_(100.0)  # every face is real to it
    run(state, 4, options)
    assert state.critic.p.item() == pytest.approx(0.5 + 4 * 4 / 64)
    with torch.no_grad():
        state.critic.net.out.bias.fill_(-100.0)
    run(state, 8, options)
    assert state.critic.p.item() == pytest.approx(0.5 + 0.25 - 2 * 0.25)


def test_the_discriminator_learns_to_tell_and_the_generator_to_follow() -> None:
    """Faces of one colour: after a while the samples have it too."""
    faces = FaceBank(torch.full((8, 16, 16, 3), 230, dtype=torch.uint8), torch.full((8,), 1 / 8))
    options = GanOptions(batch=8, rate=1e-2, path=0, average_images=50, critic=CriticOptions(1e-2, augment_start=0.0))
    state = adversarial.start(GENERATOR, CRITIC, options, CPU)
    before = (adversarial.samples(state.average, 16, CPU) - 0.8).abs().mean()
    for _ in range(60):
        adversarial.step(state, faces, options, CPU)
    assert (adversarial.samples(state.average, 16, CPU) - 0.8).abs().mean() < 0.6 * before


def test_samples_are_the_same_at_every_call_and_truncation_draws_them_together() -> None:
    state = begin()
    run(state, 2)
    one, again = (adversarial.samples(state.average, 6, CPU) for _ in range(2))
    assert torch.equal(one, again)
    none = adversarial.samples(state.average, 6, CPU, truncation=0.0)
    assert torch.allclose(none[0], none[5], atol=1e-5)
    assert not torch.allclose(one[0], one[5], atol=1e-3)


@pytest.mark.slow
def test_compiled_networks_take_the_same_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise that changes, gradients that are switched off and lazy steps must not be compiled in."""
    # This backend captures and differentiates as any other does, and leaves out the minutes of code generation.
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    plain, compiled = begin(), adversarial.start(GENERATOR, CRITIC, OPTIONS, CPU, compiled=True)
    assert compiled.fast is not compiled.generator
    for a, b in zip(run(plain, 3), run(compiled, 3), strict=True):
        assert {k: float(v) for k, v in a.items()} == pytest.approx({k: float(v) for k, v in b.items()}, rel=1e-2)
