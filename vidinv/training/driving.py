"""Training of the latent difference encoder (Herrmann and Zengerle 2020) through a generator that stays as it is.

    w_hat = w + D(w, target)           drive to the landmarks of the target
    w_back = w_hat + D(w_hat, own)     and back to the face's own

    D:      min  adversarial (L(C(G(w_hat), target)) + L(C(G(w_back), own))) + cycle |w_back - w|^2 + points ...
    critic: real pictures with their own landmarks high; driven pictures low, and real ones with others' landmarks

G(w_hat) is drawn with F by Eq. 1 of Yao et al. 2022. Of the rows that the paper compares each is a setting: the cycle
measured on pictures, or not at all, and those of vidinv.models.difference_encoder. Two things are not the paper's. The
codes are a Feature-Style encoder's, whose F holds much of the picture. And ``points``, how far the driven picture's
landmarks, as the pack's landmark network finds them, are from those asked for: in a budget of minutes the
discriminator alone teaches nobody where a mouth goes. It weighs the same in all rows.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from vidinv.models.difference_encoder import DifferenceConfig, DifferenceEncoder
from vidinv.models.generator import edited_feature
from vidinv.models.landmarks import LandmarkNet
from vidinv.models.synthesis import StyleGenerator
from vidinv.runtime.compute import Compute
from vidinv.training.adversarial_losses import critic_loss, generator_loss, r1_penalty
from vidinv.training.checkpoints import contest_state, load_contest, load_stream
from vidinv.training.codes import Codes
from vidinv.training.diff_augment import DifferentiableAugmentation, augment
from vidinv.training.driving_critic import DrivingCritic, DrivingCriticConfig, mean_logit
from vidinv.training.driving_samples import Batch, Target, fractions

ON_CPU = Compute("cpu", torch.bfloat16)
# Colours alone: a picture that is moved would no longer have the landmarks that it is judged by.
COLOURS = DifferentiableAugmentation(0.12, 0.25, 0.2, shift=0.0, turn=0.0, scale=0.0, cutout=0.0)
MEASURED = 800  # faces that means and spreads are measured on


@dataclass(frozen=True)
class DrivingOptions:
    images: int = 1_200  # faces driven, length of the run
    batch: int = 4
    rate: float = 2e-3
    critic_rate: float = 1e-3
    anneal: float = 0.4  # last share of the run over which both rates fall to a fiftieth
    adversarial: float = 0.5
    cycle: Literal["latent", "image", "none"] = "latent"
    cycle_weight: float = 1.0  # of squares in standard deviations of w, or of pictures in -1..1
    points: float = 5.0  # of distances in hundredths of the crop's side, smooth below one
    mismatched: float = 0.5  # weight, for the discriminator, of real pictures under landmarks that they have not
    r1: float = 0.3
    r1_every: int = 16
    clip: float = 5.0  # norm of either network's gradient
    average: float = 0.98  # of the weights, by step
    augmented: float = 0.5  # probability of each change of colour before the discriminator
    augmentation: DifferentiableAugmentation = field(default_factory=lambda: COLOURS)
    seed: int = 0


@dataclass
class DrivingState:
    net: DifferenceEncoder
    average: DifferenceEncoder
    critic: DrivingCritic
    optimiser: torch.optim.Adam
    critic_optimiser: torch.optim.Adam
    rng: torch.Generator
    seen: int = 0
    steps: int = 0

    def weights(self) -> dict:
        return {"difference_encoder": self.average.state_dict(), "config": asdict(self.net.config), "seen": self.seen}

    def to_dict(self) -> dict:
        return {
            **contest_state(self),
            "rng": self.rng.get_state(),
            "seen": self.seen,
            "steps": self.steps,
        }

    def from_dict(self, saved: dict) -> None:
        load_contest(self, saved)
        load_stream(self.rng, saved)
        self.seen, self.steps = saved["seen"], saved["steps"]


def start(
    config: DifferenceConfig, critic: DrivingCriticConfig, options: DrivingOptions, device: str = "cpu"
) -> DrivingState:
    torch.manual_seed(options.seed)
    net = DifferenceEncoder(config).to(device)
    judge = DrivingCritic(critic).to(memory_format=torch.channels_last).to(device)
    average = copy.deepcopy(net).requires_grad_(False)
    adam = torch.optim.Adam(net.parameters(), lr=options.rate, betas=(0.5, 0.99))
    critics = torch.optim.Adam(judge.parameters(), lr=options.critic_rate, betas=(0.0, 0.99))
    rng = torch.Generator(device).manual_seed(options.seed)
    return DrivingState(net, average, judge, adam, critics, rng)


def measure(state: DrivingState, codes: Codes, rows: NDArray[np.int64]) -> None:
    """Tell the network means and spreads of what it reads; once, before training."""
    some = rows[:: max(len(rows) // MEASURED, 1)]
    w = torch.from_numpy(codes.w[some]).float()
    points = torch.from_numpy(fractions(codes, some)).mean(0)
    for net in (state.net, state.average):
        net.mean.copy_(w.mean(0))
        net.spread.copy_(w.std(0).clamp_min(1e-3))
        net.mean_points.copy_(points)


def drive(net: DifferenceEncoder, w: Tensor, target: Target) -> Tensor:
    """w_hat of either kind of network."""
    return net(w, target.image if net.config.target == "image" else target.points)


def draw_driven(generator: StyleGenerator, w: Tensor, native: Tensor, feature: Tensor) -> Tensor:
    """G(w, F~) by Eq. 1.

    :param w: [B, L, D], where it was driven to. :param native: G^K of the code that ``feature`` is of.
    """
    moved, below = generator.below(w)
    return generator.render_from(w, edited_feature(feature, native, moved), below)


def step(
    state: DrivingState,
    generator: StyleGenerator,
    landmarks: LandmarkNet,
    batch: Batch,
    options: DrivingOptions,
    compute: Compute = ON_CPU,
) -> dict[str, Tensor]:
    """One step of both networks; returns the losses' values, 0-d."""
    for optimiser, rate in ((state.optimiser, options.rate), (state.critic_optimiser, options.critic_rate)):
        optimiser.param_groups[0]["lr"] = rate * _anneal(options, state.seen)
    with torch.no_grad(), compute.autocast():
        native = generator.features(batch.w)
    there = drive(state.net, batch.w, batch.asked)
    with compute.autocast():
        made = draw_driven(generator, there, native, batch.feature).float()
    passes = [(made, batch.asked)]
    losses = {}
    if options.cycle != "none":
        back = drive(state.net, there, batch.own)
        with compute.autocast():
            again = draw_driven(generator, back, native, batch.feature).float()
        passes.append((again, batch.own))
        off = (back - batch.w) / state.net.spread if options.cycle == "latent" else again - batch.picture
        losses["cycle"] = options.cycle_weight * off.square().mean()
    figures = _critic_step(state, [(x.detach(), shape) for x, shape in passes], batch, options, compute)
    state.critic.requires_grad_(False)
    with compute.autocast():
        judged = [logits for x, shape in passes for logits in state.critic(_augmented(state, x, options), shape.image)]
    losses["adversarial"] = options.adversarial * torch.stack([generator_loss(x) for x in judged]).sum() / len(passes)
    found = landmarks(made)
    losses["points"] = options.points * F.smooth_l1_loss(100 * found, 100 * batch.asked.points) / 10
    state.optimiser.zero_grad(set_to_none=True)
    torch.stack(list(losses.values())).sum().backward()
    torch.nn.utils.clip_grad_norm_(state.net.parameters(), options.clip)
    state.optimiser.step()
    _update(state.average, state.net, min(options.average, (1 + state.steps) / (10 + state.steps)))
    state.steps += 1
    state.seen += len(batch.w)
    with torch.no_grad():
        figures["moved"] = ((there - batch.w) / state.net.spread).square().mean().sqrt()
        figures["off"] = (found - batch.asked.points).norm(dim=2).mean()
        figures["asked"] = (batch.own.points - batch.asked.points).norm(dim=2).mean()
    return figures | {k: v.detach() for k, v in losses.items()}


@torch.no_grad()
def _update(average: nn.Module, net: nn.Module, keep: float) -> None:
    for mean, now in zip(average.parameters(), net.parameters(), strict=True):
        mean.lerp_(now, 1 - keep)


def _anneal(options: DrivingOptions, seen: int) -> float:
    left = max(options.images - seen, 0) / (options.anneal * options.images)
    return min((seen + 1) / 40, 1.0) * (1.0 if left >= 1 else 0.02 + 0.98 * left)


def _critic_step(
    state: DrivingState,
    fakes: list[tuple[Tensor, Target]],
    batch: Batch,
    options: DrivingOptions,
    compute: Compute,
) -> dict[str, Tensor]:
    critic = state.critic.requires_grad_(True)
    with compute.autocast():
        seen = critic.look(_augmented(state, batch.real, options))
        on_real = critic.judged(seen, critic.read(batch.real_own.image))
        on_wrong = critic.judged(seen, critic.read(batch.real_other.image))
        on_fake = [critic(_augmented(state, x, options), shape.image) for x, shape in fakes]
    against = [critic_loss(r, f) for fake in on_fake for r, f in zip(on_real, fake, strict=True)]
    loss = torch.stack(against).sum() / len(fakes)
    loss = loss + options.mismatched * torch.stack([F.softplus(x).mean() for x in on_wrong]).sum()
    state.critic_optimiser.zero_grad(set_to_none=True)
    loss.backward()
    figures = {"d": loss.detach(), "d_real": on_real[-1].detach().mean(), "d_wrong": on_wrong[-1].detach().mean()}
    figures["d_fake"] = on_fake[0][-1].detach().mean()
    if options.r1_every and state.steps % options.r1_every == 0:
        half = max(len(batch.real) // 2, 1)
        shape = batch.real_own.image[:half]
        penalty = r1_penalty(lambda x: mean_logit(critic(x, shape)), batch.real[:half])
        (options.r1 / 2 * options.r1_every * penalty).backward()
        figures["r1"] = penalty.detach()
    torch.nn.utils.clip_grad_norm_(critic.parameters(), options.clip)
    state.critic_optimiser.step()
    return figures


def _augmented(state: DrivingState, x: Tensor, options: DrivingOptions) -> Tensor:
    p = torch.tensor(options.augmented, device=x.device)
    return augment(x.float(), p, state.rng, options.augmentation)
