"""The training loop learns, stops and resumes; at toy size, a few steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.toy import ENCODER, GENERATOR
from tests.training.teachers_toy import toy_teachers
from vidinv.training import autoencoder, checkpoints, losses, runs, sampling
from vidinv.training.autoencoder import AutoencoderOptions

OPTIONS = AutoencoderOptions(images=400, batch=4)


def faces(count: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (count, 4, 4, 3), np.uint8).repeat(16, 1).repeat(16, 2)
    return pictures, rng.uniform(16, 48, (count, 68, 2))


def feed(seen: int = 0):
    pictures, points = faces()
    grids = losses.identity_grids(toy_teachers(), points, 64)
    return sampling.batches(pictures, grids, np.full(len(pictures), 1 / len(pictures)), OPTIONS.batch, 0, seen)


def test_a_few_steps_lower_the_loss() -> None:
    state, nets, batches = autoencoder.start(GENERATOR, ENCODER, OPTIONS), toy_teachers(), feed()
    history = [autoencoder.step(state, nets, *next(batches), OPTIONS) for _ in range(25)]
    first, last = (np.mean([float(h["l1"] + h["l1_w"]) for h in part]) for part in (history[:3], history[-3:]))
    assert last < 0.8 * first
    assert state.seen == 100


def train(state: autoencoder.AutoencoderState, images: int, folder: Path) -> None:
    nets, batches = toy_teachers(), feed(state.seen)

    def checkpoint() -> dict[str, float]:
        checkpoints.keep(folder, state.to_dict(), state.weights())
        return {}

    run = runs.Run(folder / "log.jsonl")
    runs.train(run, state, images, 4, lambda: autoencoder.step(state, nets, *next(batches), OPTIONS), checkpoint)


@pytest.mark.usefixtures("one_thread")
def test_a_run_that_was_cut_is_the_same_run(tmp_path: Path) -> None:
    """Weights, optimiser, counters and pictures: bit for bit."""
    (tmp_path / "whole").mkdir()
    whole, cut = (autoencoder.start(GENERATOR, ENCODER, OPTIONS) for _ in range(2))
    whole.before = cut.before = 5
    train(whole, 16, tmp_path / "whole")
    train(cut, 8, tmp_path)
    other = autoencoder.start(GENERATOR, ENCODER, AutoencoderOptions(seed=9))
    other.from_dict(checkpoints.resume(tmp_path))
    train(other, 16, tmp_path)
    assert (other.seen, other.before) == (whole.seen, whole.before) == (16, 5)
    for name in ("generator", "encoder"):
        a, b = (getattr(s, name).state_dict() for s in (whole, other))
        assert all(torch.equal(a[k], b[k]) for k in a)
    moments = [[v["exp_avg_sq"] for v in s.optimiser.state.values()] for s in (whole, other)]
    assert all(torch.equal(a, b) for a, b in zip(*moments, strict=True))
    weights = checkpoints.read_weights(tmp_path)
    assert weights.keys() == {"generator", "encoder", "seen", "before", "recipe"}
    assert weights["recipe"] == whole.recipe


def test_the_pull_moves_the_feature_code_and_not_the_generator() -> None:
    """Were both pulled, G^K(w) would shrink to nothing and G(w) to one face for all."""
    gradients = []
    for pull in (0.0, 100.0):
        state = autoencoder.start(GENERATOR, ENCODER, OPTIONS)
        options = AutoencoderOptions(batch=4, feature_pull=pull, clip=1e12)
        autoencoder.step(state, toy_teachers(), *next(feed()), options)
        gradients.append((state.generator.convs[2].conv.weight.grad, state.encoder.to_feature[3].weight.grad))
    (generator_0, encoder_0), (generator_1, encoder_1) = gradients
    assert torch.allclose(generator_0, generator_1)
    assert not torch.allclose(encoder_0, encoder_1)


def test_the_rate_warms_up_holds_and_falls() -> None:
    rates = [autoencoder.rate_at(AutoencoderOptions(images=10_000), s) for s in (0, 600, 5000, 8000, 10_000)]
    assert rates[0] < rates[1] == rates[2] > rates[3] > rates[4] > 0


def test_sampling_evens_out_rare_faces_and_shows_few_infants() -> None:
    rng = np.random.default_rng(0)
    age = np.concatenate([np.full(900, 30.0), np.full(50, 70.0), np.full(50, 1.0)])
    labels = {"age": age, "male": rng.random(1000), "skin": rng.uniform(40, 220, 1000)}
    weights = sampling.balanced_weights(labels)
    assert weights.sum() == pytest.approx(1)
    assert weights[age == 70].mean() > 2 * weights[age == 30].mean()
    assert weights[age == 1].mean() < 0.5 * weights[age == 70].mean()
    told = sampling.balance(labels)
    assert told["age"]["as_they_are"] == [0.05, 0, 0, 0.9, 0, 0, 0, 0.05]
    assert told["age"]["drawn"][7] > 0.1
    assert told["age"]["drawn"][3] < 0.8
    assert sum(told["skin"]["drawn"]) == pytest.approx(1, abs=0.01)
