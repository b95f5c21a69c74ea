"""The parts of adversarial training against known answers: losses, discriminator, augmentation, checkpoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from vidinv.metrics.coverage import density_coverage
from vidinv.training import checkpoints
from vidinv.training.adversarial import update_average
from vidinv.training.adversarial_losses import path_lengths, r1_penalty
from vidinv.training.critic import lazy_adam
from vidinv.training.diff_augment import DifferentiableAugmentation, augment
from vidinv.training.discriminator import Discriminator, DiscriminatorConfig, batch_spread

CONFIG = DiscriminatorConfig(channels=(16, 16, 8, 8))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_r1_of_a_quadratic_critic_is_its_closed_form() -> None:
    """D(x) = sum(a x^2): the gradient is 2 a x, its squared norm 4 a^2 |x|^2, and that of a 8 a |x|^2."""
    a, x = torch.tensor(1.5, requires_grad=True), torch.randn(4, 3, 8, 8, generator=rng())
    penalty = r1_penalty(lambda y: (a * y.square()).sum((1, 2, 3)), x)
    norm = x.square().sum((1, 2, 3)).mean()
    penalty.backward()
    assert penalty.item() == pytest.approx(4 * 1.5**2 * norm.item(), rel=1e-5)
    assert a.grad.item() == pytest.approx(8 * 1.5 * norm.item(), rel=1e-5)


def test_r1_of_the_discriminator_agrees_with_differences() -> None:
    torch.manual_seed(0)
    # In pairs of its own: the spread of a batch ties a picture's logit to its neighbours.
    net, x = Discriminator(CONFIG).double(), torch.randn(2, 3, 32, 32, generator=rng()).double()
    (gradient,) = torch.autograd.grad(net(x.requires_grad_(True)).sum(), x)
    towards, small = torch.randn(x.shape, generator=rng(1)).double(), 1e-5
    with torch.no_grad():
        slope = (net(x + small * towards) - net(x - small * towards)).sum() / (2 * small)
    assert slope.item() == pytest.approx((gradient * towards).sum().item(), rel=1e-4)
    assert r1_penalty(net, x).item() == pytest.approx(gradient.square().sum().item() / 2, rel=1e-9)


def test_path_length_of_a_linear_generator_is_the_norm_of_its_matrix() -> None:
    """G(w) = M w with orthogonal columns of length m: E |M^T y|^2 over y ~ N(0, I / S^2) is m^2 D / S^2."""
    d, side, length = 4, 16, 3.0
    matrix = length * torch.linalg.qr(torch.randn(3 * side * side, d, generator=rng()))[0]
    w = torch.randn(500, 1, d, generator=rng(1)).requires_grad_(True)
    lengths = path_lengths((w[:, 0] @ matrix.T).view(-1, 3, side, side), w, rng(2))
    assert lengths.square().mean().item() == pytest.approx(length**2 * d / side**2, rel=0.1)


def test_the_spread_of_a_batch_is_measured_within_groups() -> None:
    """Eight pictures in groups of two, i and i + 4: 0 and 2 i everywhere spread by i."""
    x = torch.zeros(8, 5, 4, 4)
    x[4:] = 2 * torch.arange(4.0).view(4, 1, 1, 1)
    out = batch_spread(x, 2)
    assert out.shape == (8, 6, 4, 4)
    assert torch.equal(out[:, :5], x)
    assert torch.allclose(out[:, 5, 0, 0], torch.tensor([0.0, 1, 2, 3, 0, 1, 2, 3]), atol=2e-4)
    assert torch.allclose(batch_spread(x[:3], 2)[:, 5], torch.tensor(1e-4), atol=1e-6)  # an odd batch: no spread


def test_the_discriminator_starts_with_logits_of_order_one() -> None:
    torch.manual_seed(0)
    pictures = torch.randn(32, 3, 4, 4, generator=rng()).repeat_interleave(8, 2).repeat_interleave(8, 3)
    logits = Discriminator(CONFIG)(pictures)
    assert logits.shape == (32,)
    assert 0.1 < logits.std() < 3


def test_augmentation_of_probability_0_changes_no_bit_and_of_1_every_picture() -> None:
    x = torch.rand(16, 3, 32, 32, generator=rng()) * 2 - 1
    assert torch.equal(augment(x, torch.tensor(0.0), rng(1), DifferentiableAugmentation()), x)
    assert (augment(x, torch.tensor(1.0), rng(1), DifferentiableAugmentation()) - x).abs().amax((1, 2, 3)).min() > 0.05


def test_augmentation_of_strength_0_is_the_identity() -> None:
    x = torch.rand(16, 3, 32, 32, generator=rng()) * 2 - 1
    still = augment(x, torch.tensor(1.0), rng(1), DifferentiableAugmentation(0, 0, 0, 0, 0, 0, 0))
    assert torch.allclose(still, x, atol=1e-4)


def test_augmentation_is_differentiable() -> None:
    x = (torch.rand(4, 3, 16, 16, generator=rng()).double() * 2 - 1).requires_grad_(True)
    towards = torch.randn(x.shape, generator=rng(2)).double()

    def value(y: torch.Tensor) -> torch.Tensor:
        return (augment(y, torch.tensor(1.0), rng(1), DifferentiableAugmentation()) * towards).sum()

    (gradient,) = torch.autograd.grad(value(x), x)
    step = torch.randn(x.shape, generator=rng(3)).double()
    slope = (value(x + 1e-6 * step) - value(x - 1e-6 * step)).item() / 2e-6
    assert slope == pytest.approx((gradient * step).sum().item(), rel=1e-5)
    assert gradient.abs().sum() > 0


def test_the_average_follows_with_its_half_life() -> None:
    mean, now = nn.Linear(2, 2), nn.Linear(2, 2)
    nn.init.zeros_(mean.weight)
    nn.init.ones_(now.weight)
    for seen in range(1000, 1100, 10):
        update_average(mean, now, 10, seen + 10**6, 100.0)
    assert mean.weight.detach().numpy() == pytest.approx(0.5)
    update_average(mean, now, 10, 10, 100.0)  # a young run forgets its beginning at once
    assert mean.weight.detach().numpy() == pytest.approx(1.0, abs=1e-4)


def test_density_and_coverage_of_known_sets() -> None:
    reals = np.random.default_rng(0).normal(size=(400, 8))
    same = density_coverage(reals, np.random.default_rng(1).normal(size=(400, 8)))
    assert same["density"] == pytest.approx(1, abs=0.15)
    assert same["coverage"] == pytest.approx(1 - 2**-5, abs=0.05)
    one = density_coverage(reals, np.repeat(reals[:1], 400, 0))  # one face again and again
    assert one["coverage"] < 0.1
    assert density_coverage(reals, reals + 100) == {"density": 0.0, "coverage": 0.0}
    with pytest.raises(ValueError, match="5-th"):
        density_coverage(reals[:5], reals)


def test_an_optimiser_without_first_moment_resumes_exactly() -> None:
    def steps(net: nn.Module, adam: torch.optim.Adam, seeds: range) -> None:
        for seed in seeds:
            adam.zero_grad()
            net(torch.randn(4, 3, generator=rng(seed))).square().sum().backward()
            adam.step()

    nets = [nn.Linear(3, 3) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    adams = [lazy_adam(n.parameters(), 0.01, 16, "cpu") for n in nets]
    steps(nets[0], adams[0], range(6))
    steps(nets[1], adams[1], range(3))
    saved = checkpoints.optimiser_state(adams[1])
    assert all("exp_avg" not in s for s in saved["state"].values())
    again = lazy_adam(nets[1].parameters(), 0.01, 16, "cpu")
    checkpoints.load_optimiser(again, saved)
    steps(nets[1], again, range(3, 6))
    assert torch.equal(nets[0].weight, nets[1].weight)


def test_checkpoints_come_back_from_their_parts(tmp_path: Path) -> None:
    content = {"net": {"a": torch.randn(700_000)}, "optimiser": {"b": torch.ones(9)}, "p": torch.tensor(0.3), "seen": 5}
    checkpoints.write(tmp_path, "state", content, 1)
    assert len(list(tmp_path.glob("state-*"))) == 3
    assert max(p.stat().st_size for p in tmp_path.iterdir()) <= 2**20
    back = checkpoints.read(tmp_path, "state")
    assert torch.equal(back["net"]["a"], content["net"]["a"])
    assert back["seen"] == 5
    checkpoints.write(tmp_path, "state", {**content, "seen": 6})
    assert [p.name for p in tmp_path.glob("state-*")] == ["state-00000006.000"]
    assert checkpoints.read(tmp_path, "portable") is None
    small = checkpoints.portable(content)
    assert small["net"]["a"].dtype == torch.float16
    assert "optimiser" not in small
    assert small["p"] == content["p"]
    both = checkpoints.portable({"net": {"a": torch.zeros(2)}, "average_net": {"a": torch.ones(2)}, "rng": 1})
    assert both.keys() == {"average_net"}
    assert checkpoints.weights_of(both, "net")["a"].sum() == 2


@pytest.mark.parametrize("harm", ["remove", "damage"])
def test_a_checkpoint_with_a_bad_part_is_refused_by_name(tmp_path: Path, harm: str) -> None:
    checkpoints.write(tmp_path, "state", {"a": torch.ones(9), "seen": 7})
    part = tmp_path / "state-00000007.000"
    part.unlink() if harm == "remove" else part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"state-00000007\.000 is missing or damaged"):
        checkpoints.read(tmp_path, "state")
