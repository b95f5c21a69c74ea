"""The latent difference encoder at toy size: what is drawn, what learns, and that it resumes exactly."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.codes_toy import points68
from vidinv.models.difference_encoder import DifferenceConfig, DifferenceEncoder
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.models.landmarks import LandmarkConfig, LandmarkNet
from vidinv.runtime.compute import Compute
from vidinv.training import checkpoints, driving, driving_samples
from vidinv.training.codes import Codes
from vidinv.training.driving import DrivingOptions, DrivingState
from vidinv.training.driving_critic import DrivingCritic, DrivingCriticConfig
from vidinv.training.settings import build, read_settings

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = Path(__file__).resolve().parents[2] / "pipelines" / "settings" / "difference"
GENERATOR = GeneratorConfig((8, 8, 8, 8, 8), d_style=8, mapping_layers=1, feature_layer=5)
NETWORK = DifferenceConfig(GENERATOR.layers, 8, side=32, widths=(4, 8), hidden=8)
CRITIC = DrivingCriticConfig(64, (8, 8, 8), (4, 4, 4))
OPTIONS = DrivingOptions(images=60, batch=4, r1_every=2)
COUNT = 24


@pytest.fixture(scope="module")
def codes() -> Codes:
    """Faces of random codes, two pictures of each person."""
    rng = np.random.default_rng(0)
    labels = {
        "points68": points68(COUNT, rng) + rng.normal(0, 1.0, (COUNT, 68, 2)),
        "val": (np.arange(COUNT) // 2) % 4 == 3,
        "set": np.full(COUNT, "pairs"),
        "file": np.array([f"imm/{i // 2}/{i}.jpg" for i in range(COUNT)]),
    }
    return Codes(
        w=rng.normal(size=(COUNT, GENERATOR.layers, 8)).astype(np.float16),
        feature=rng.normal(size=(COUNT, *GENERATOR.feature_shape)).astype(np.float16),
        below=np.zeros((COUNT, 3, 16, 16), np.float16),
        inversions=rng.integers(0, 256, (COUNT, 64, 64, 3), dtype=np.uint8),
        labels=labels,
        scales={},
    )


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(1)
    return Generator(GENERATOR).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def landmarks() -> LandmarkNet:
    torch.manual_seed(2)
    return LandmarkNet(LandmarkConfig(16, (4, 8), (1,), 4)).eval().requires_grad_(False)


def run(state: DrivingState, steps: int, codes: Codes, generator: Generator, landmarks: LandmarkNet, options=OPTIONS):
    rows = np.flatnonzero(~codes.labels["val"])
    between = driving_samples.differences(codes)
    return [
        driving.step(
            state,
            generator,
            landmarks,
            driving_samples.draw(codes, rows, between, options.batch, (options.seed, state.seen)),
            options,
            Compute("cpu", torch.float32),
        )
        for _ in range(steps)
    ]


def test_targets_are_own_landmarks_and_anothers_difference(codes: Codes) -> None:
    some = driving_samples.differences(codes)
    far = np.linalg.norm(some.between, axis=2).mean(1)
    assert ((far > driving_samples.LEAST) & (far < driving_samples.MOST)).all()
    rows = np.array([0, 1])
    batch = driving_samples.draw(codes, rows, some, 3, (0, 1))
    moved = (batch.asked.points - batch.own.points).numpy()
    assert all(np.abs(some.between - one).max((1, 2)).min() < 1e-5 for one in moved)
    again = driving_samples.draw(codes, rows, some, 3, (0, 1))
    assert torch.equal(batch.asked.image, again.asked.image)
    assert batch.asked.image.shape == (3, 1, 32, 32)
    alone = dataclasses.replace(codes, labels=codes.labels | {"set": np.full(COUNT, "faces")})
    with pytest.raises(ValueError, match="give a folder of pairs"):
        driving_samples.differences(alone)


@pytest.mark.parametrize(
    ("cycle", "target", "difference"),
    [("latent", "image", True), ("image", "keypoints", True), ("none", "image", False)],
)
def test_training_moves_every_part_and_figures_are_finite(
    codes: Codes, generator: Generator, landmarks: LandmarkNet, cycle: str, target: str, difference: bool
) -> None:
    network = dataclasses.replace(NETWORK, target=target, difference=difference)
    options = dataclasses.replace(OPTIONS, cycle=cycle)
    state = driving.start(network, CRITIC, options)
    driving.measure(state, codes, np.arange(COUNT))
    before = {k: v.clone() for k, v in [*state.net.state_dict().items(), *state.critic.state_dict().items()]}
    figures = run(state, 3, codes, generator, landmarks, options)
    assert state.seen == 12
    assert all(torch.isfinite(v).all() for f in figures for v in f.values())
    assert ("cycle" in figures[0]) == (cycle != "none")
    assert {"adversarial", "points", "d", "r1"} <= figures[2].keys()
    after = state.net.state_dict() | state.critic.state_dict()
    assert {k for k in after if torch.equal(after[k], before[k])} == {"mean", "spread", "mean_points"}


def test_a_difference_begins_where_the_face_is_and_the_naive_encoder_at_the_mean() -> None:
    torch.manual_seed(0)
    w, target = torch.randn(2, NETWORK.layers, 8), torch.rand(2, 1, 32, 32)
    ours, naive = (DifferenceEncoder(dataclasses.replace(NETWORK, difference=d)) for d in (True, False))
    assert (ours(w, target) - w).abs().max() < 0.3
    assert naive(w, target).abs().max() < 0.3


def test_the_discriminator_tells_landmarks_apart_by_one_look() -> None:
    torch.manual_seed(0)
    critic = DrivingCritic(CRITIC)
    x, one, other = torch.randn(2, 3, 64, 64), torch.rand(2, 1, 32, 32), torch.rand(2, 1, 32, 32)
    seen = critic.look(x)
    a, b = critic.judged(seen, critic.read(one)), critic.judged(seen, critic.read(other))
    assert [v.shape for v in a] == [(2, 64), (2, 16), (2, 1)]
    assert all(not torch.equal(p, q) for p, q in zip(a, b, strict=True))
    assert all(torch.equal(p, q) for p, q in zip(a, critic(x, one), strict=True))


def test_four_steps_are_two_steps_a_checkpoint_and_two_more(
    codes: Codes, generator: Generator, landmarks: LandmarkNet, tmp_path: Path
) -> None:
    whole, first = (driving.start(NETWORK, CRITIC, OPTIONS) for _ in range(2))
    run(whole, 4, codes, generator, landmarks)
    run(first, 2, codes, generator, landmarks)
    checkpoints.keep(tmp_path, first.to_dict(), first.weights())
    second = driving.start(NETWORK, CRITIC, OPTIONS)
    second.from_dict(checkpoints.read(tmp_path, "state"))
    run(second, 2, codes, generator, landmarks)
    for mine, other in ((whole.net, second.net), (whole.average, second.average), (whole.critic, second.critic)):
        assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), other.parameters(), strict=True))
    smaller = driving.start(NETWORK, CRITIC, OPTIONS)
    smaller.from_dict(checkpoints.read(tmp_path, "state-portable"))
    assert smaller.seen == 8


def test_all_rows_have_one_budget_and_each_differs_in_one_thing() -> None:
    files = {path.stem: read_settings(path) for path in SETTINGS.glob("*.toml")}
    assert set(files) == {"full", "keypoints", "naive", "image-cycle", "no-cycle"}
    options = {name: build(DrivingOptions, table["training"]) for name, table in files.items()}
    networks = {name: build(DifferenceConfig, table["network"]) for name, table in files.items()}
    same = [dataclasses.replace(o, cycle="latent", cycle_weight=1.0) for o in options.values()]
    assert all(o == same[0] for o in same)
    assert (networks["keypoints"].target, networks["naive"].difference) == ("keypoints", False)
    assert (options["image-cycle"].cycle, options["no-cycle"].cycle) == ("image", "none")
    changed = [(networks[n] != networks["full"]) + (options[n].cycle != "latent") for n in files if n != "full"]
    assert changed == [1] * 4
