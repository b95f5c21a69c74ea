"""The generator's head against a discriminator, at toy size: it learns, resumes exactly, and leaves the rest alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from tests.training.teachers_toy import toy_teachers
from tests.training.test_edit_training import GENERATOR, NETWORK, toy_pool
from vidinv.models.edit_network import EditNetwork
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder
from vidinv.models.generator import Generator
from vidinv.models.pictures import to_levels
from vidinv.runtime.compute import Compute
from vidinv.training import checkpoints, edit_samples, head
from vidinv.training.edit_samples import Pool
from vidinv.training.head import HeadOptions, HeadState
from vidinv.training.head_critic import HeadCritic, HeadCriticConfig, corners
from vidinv.training.networks import Networks

pytestmark = pytest.mark.usefixtures("one_thread")

CRITIC = HeadCriticConfig(32, (8, 8, 8))
OPTIONS = HeadOptions(images=400, batch=6, rate=3e-3, adversarial_after=12, r1_every=2)
CPU = Compute("cpu", torch.float32)


def toy_networks() -> Networks:
    torch.manual_seed(1)
    generator = Generator(GENERATOR).eval().requires_grad_(False)
    encoder = FeatureStyleEncoder(EncoderConfig(64, (8, 8, 8, 8), (1, 1, 1), 16, GENERATOR.layers, 8, 8, 16)).eval()
    weights = {"generator": generator.state_dict(), "encoder": encoder.state_dict()}
    return Networks(generator, encoder.requires_grad_(False), weights, 50)


@pytest.fixture(scope="module")
def pool() -> Pool:
    return toy_pool()


@pytest.fixture(scope="module")
def photos(pool: Pool) -> torch.Tensor:
    """What the generator makes of the codes: so there is a head that reconstructs them."""
    w, feature, below = (torch.from_numpy(a).float() for a in (pool.codes.w, pool.codes.feature, pool.codes.below))
    return torch.from_numpy(to_levels(toy_networks().generator.render_from(w, feature, below)).round()).byte()


def begin(options: HeadOptions = OPTIONS, spoilt: bool = False) -> HeadState:
    state = head.start(toy_networks(), CRITIC, options)
    if spoilt:
        torch.manual_seed(5)
        with torch.no_grad():
            for layer in head.head_of(state.generator):
                for weight in layer.parameters():
                    weight += 0.3 * torch.randn_like(weight) * (weight.ndim > 1)
    return state


def run(state: HeadState, steps: int, pool: Pool, photos: torch.Tensor, edits: EditNetwork | None) -> list[dict]:
    nets, found = toy_teachers(), []
    for _ in range(steps):
        batch = head.draw(pool, photos, OPTIONS, state.seen)
        found.append(head.step(state, nets, edits, batch, OPTIONS, CPU))
    return found


def edit_network() -> EditNetwork:
    torch.manual_seed(2)
    return EditNetwork(NETWORK).eval().requires_grad_(False)


def test_a_spoilt_head_learns_to_reconstruct_and_nothing_else_moves(pool: Pool, photos: torch.Tensor) -> None:
    state = begin(spoilt=True)
    before = {k: v.clone() for k, v in state.generator.state_dict().items()}
    figures = run(state, 60, pool, photos, edit_network())
    assert all(torch.isfinite(v).all() for f in figures for v in f.values())
    first, last = (sum(float(f["l1"]) for f in part) for part in (figures[:5], figures[-5:]))
    assert last < 0.8 * first
    after = state.generator.state_dict()
    moved = {k for k in after if not torch.equal(after[k], before[k])}
    assert {k.split(".")[1] for k in moved if k.startswith("convs")} == {"5", "6", "7", "8"}
    assert {k.split(".")[1] for k in moved if k.startswith("to_rgb")} == {"3", "4"}
    assert not any(k.startswith(("mapping", "constant")) for k in moved)
    teacher = toy_networks().generator.state_dict()
    assert all(torch.equal(v, teacher[k]) for k, v in state.teacher.state_dict().items())


def test_the_discriminator_has_its_share_of_the_gradient_and_no_more(pool: Pool, photos: torch.Tensor) -> None:
    state = begin()
    figures = run(state, 3, pool, photos, None)
    assert "held" not in figures[0]
    assert all(0 < float(f["balance"]) <= OPTIONS.most for f in figures)


def test_six_steps_are_three_steps_a_checkpoint_and_three_more(
    pool: Pool, photos: torch.Tensor, tmp_path: Path
) -> None:
    edits = edit_network()
    whole, first = begin(spoilt=True), begin(spoilt=True)
    run(whole, 6, pool, photos, edits)
    run(first, 3, pool, photos, edits)
    checkpoints.keep(tmp_path, first.to_dict(), first.weights())
    second = begin(dataclasses.replace(OPTIONS, seed=9))
    second.from_dict(checkpoints.read(tmp_path, "state"))
    run(second, 3, pool, photos, edits)
    for name in ("generator", "average", "critic"):
        pairs = zip(getattr(whole, name).parameters(), getattr(second, name).parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs), name
    smaller = begin()
    smaller.from_dict(checkpoints.read(tmp_path, "state-portable"))
    assert smaller.seen == 18
    saved = checkpoints.read_weights(tmp_path)
    assert saved.keys() == {"generator", "encoder", "seen", "before", "recipe"}
    assert (saved["seen"], saved["before"]) == (18, 50)
    Generator(GENERATOR).load_state_dict(saved["generator"])


def test_the_crops_hold_eyes_and_mouth_where_the_template_has_them() -> None:
    (eyes, left), (mouth, _) = corners(128, 64)
    assert left == 32
    assert eyes < 0.5 * 128 - 0.35 / 2.3 * 128 < eyes + 64
    assert mouth < 0.5 * 128 + 0.65 / 2.3 * 128 < mouth + 64 <= 128
    critic = HeadCritic(CRITIC)
    logits = critic(critic.crops(torch.zeros(3, 3, 64, 64)))
    assert [x.shape for x in logits] == [(6, 8, 8), (6, 4, 4)]


def test_a_batch_is_drawn_by_what_was_seen_and_the_last_are_asked_for_edits(pool: Pool, photos: torch.Tensor) -> None:
    a, b, c = (head.draw(pool, photos, OPTIONS, seen) for seen in (6, 6, 12))
    assert torch.equal(a.w, b.w)
    assert not torch.equal(a.w, c.w)
    assert a.amounts.shape == (2, len(pool.names))
    assert edit_samples.take(photos, pool.rows[:2]).shape == (2, 64, 64, 3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_trains_the_head(pool: Pool, photos: torch.Tensor) -> None:
    nets, state = toy_teachers(), head.start(toy_networks(), CRITIC, OPTIONS, "cuda")
    nets.labeller.to("cuda")
    sent, there = pool.to("cuda"), photos.to("cuda")
    for _ in range(4):
        batch = head.draw(sent, there, OPTIONS, state.seen)
        figures = head.step(state, nets, edit_network().to("cuda"), batch, OPTIONS, Compute("cuda", torch.bfloat16))
        assert all(torch.isfinite(v).all() and v.is_cuda for v in figures.values())
