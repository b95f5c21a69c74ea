"""A discriminator with all that belongs to its training: optimiser, lazy R1, and the probability of augmentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vidinv.runtime.compute import Compute
from vidinv.training.adversarial_losses import critic_loss, r1_penalty
from vidinv.training.checkpoints import load_optimiser, optimiser_state
from vidinv.training.diff_augment import DifferentiableAugmentation, augment
from vidinv.training.discriminator import Discriminator, DiscriminatorConfig

ADAPT_EVERY = 4  # steps between two adjustments of the probability (Karras et al. 2020, arXiv:2006.06676)


@dataclass(frozen=True)
class CriticOptions:
    rate: float = 2e-3
    r1: float = 1.0  # gamma
    r1_every: int = 16  # steps
    augment_start: float = 0.1  # probability of each augmentation at the first step
    augment_most: float = 0.8
    augment_target: float = 0.6  # of the mean sign of D(real); above it the discriminator overfits. 0: never adapt
    augment_images: float = 100_000.0  # images in which the probability may rise from 0 to 1
    augmentation: DifferentiableAugmentation = field(default_factory=DifferentiableAugmentation)


@dataclass
class Critic:
    net: Discriminator
    fast: Callable[[Tensor], Tensor]  # the same network, compiled where that was asked for
    optimiser: torch.optim.Adam
    p: Tensor  # 0-d
    signs: Tensor  # [2]: sum of the signs of D(real) since the last adjustment, and their number
    steps: int = 0

    def to_dict(self) -> dict:
        return {
            "net": self.net.state_dict(),
            "optimiser": optimiser_state(self.optimiser),
            "p": self.p,
            "signs": self.signs,
            "steps": self.steps,
        }

    def from_dict(self, saved: dict) -> None:
        self.net.load_state_dict(saved["net"])
        if "optimiser" in saved:
            load_optimiser(self.optimiser, saved["optimiser"])
        self.p.copy_(saved["p"])
        self.signs.copy_(saved["signs"])
        self.steps = saved["steps"]


def lazy_adam(parameters, rate: float, every: int, device: str) -> torch.optim.Adam:
    """Adam for a loss with a regulariser every so many steps: its rates make up for the steps that this adds
    (Karras et al. 2020, appendix B). 0 means that there is none."""
    share = every / (every + 1) if every else 1.0
    fused = device.startswith("cuda")
    return torch.optim.Adam(parameters, lr=rate * share, betas=(0.0, 0.99**share), fused=fused)


def start_critic(
    config: DiscriminatorConfig, options: CriticOptions, compute: Compute, compiled: bool = False
) -> Critic:
    net = Discriminator(config).to(compute.device).to(memory_format=torch.channels_last)
    p = torch.tensor(options.augment_start, device=compute.device)
    adam = lazy_adam(net.parameters(), options.rate, options.r1_every, compute.device)
    return Critic(net, torch.compile(net) if compiled else net, adam, p, torch.zeros(2, device=compute.device))


def logits(critic: Critic, pictures: Tensor, rng: torch.Generator, options: CriticOptions, compute: Compute) -> Tensor:
    """Logits [B], float32, of pictures [B, 3, S, S] after augmentation."""
    seen = augment(pictures.float(), critic.p, rng, options.augmentation)
    with compute.autocast():
        return critic.fast(seen).float()


def critic_step(
    critic: Critic,
    real: Tensor,
    fakes: Sequence[Tensor],
    rng: torch.Generator,
    options: CriticOptions,
    compute: Compute,
) -> dict[str, Tensor]:
    """One step of the discriminator, and of R1 where it is due; returns the losses' values, 0-d.

    :param fakes: kinds of generated pictures, each a batch of its own for the discriminator and all of equal weight.
    """
    critic.net.requires_grad_(True)
    on_real = logits(critic, real, rng, options, compute)
    on_fake = [logits(critic, f.detach(), rng, options, compute) for f in fakes]
    loss = torch.stack([critic_loss(on_real, fake) for fake in on_fake]).mean()
    _update(critic, loss)
    figures = {"d": loss.detach(), "d_real": on_real.detach().mean(), "d_fake": torch.cat(on_fake).detach().mean()}
    if options.r1_every and critic.steps % options.r1_every == 0:
        # Squared gradients are summed over all pixels, and their own gradient is wanted: not a task for bf16.
        seen = augment(real.float(), critic.p, rng, options.augmentation)
        penalty = r1_penalty(critic.net, seen)
        _update(critic, options.r1 / 2 * options.r1_every * penalty)
        figures["r1"] = penalty.detach()
    critic.steps += 1
    critic.signs += torch.stack([on_real.detach().sign().sum(), real.new_full((), len(real))])
    if options.augment_target and critic.steps % ADAPT_EVERY == 0:
        overfit = (critic.signs[0] / critic.signs[1] - options.augment_target).sign()
        critic.p += overfit * critic.signs[1] / options.augment_images
        critic.p.clamp_(0, options.augment_most)
        critic.signs.zero_()
    return figures | {"p": critic.p.clone()}


def _update(critic: Critic, loss: Tensor) -> None:
    critic.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    critic.optimiser.step()
