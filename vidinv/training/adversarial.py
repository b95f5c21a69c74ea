"""Adversarial training of the generator from noise (Karras et al. 2020, arXiv:1912.04958).

One step shows ``batch`` real and ``batch`` generated faces to the discriminator, then ``batch`` new ones to the
generator. All random numbers come from one stream that is part of the state, so a run that was cut is the same run.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.models.generator3 import AliasFreeGenerator
from vidinv.models.ops import StyledConv
from vidinv.models.synthesis import mean_style
from vidinv.runtime.compute import Compute
from vidinv.training.adversarial_losses import generator_loss, path_lengths
from vidinv.training.bank import FaceBank
from vidinv.training.checkpoints import load_optimiser, load_stream, optimiser_state, weights_of
from vidinv.training.critic import Critic, CriticOptions, critic_step, lazy_adam, logits, start_critic
from vidinv.training.discriminator import DiscriminatorConfig

AnyGenerator = Generator | AliasFreeGenerator


@dataclass(frozen=True)
class GanOptions:
    images: int = 2_000_000  # real faces shown, length of the run
    batch: int = 64
    rate: float = 2e-3
    mixing: float = 0.9  # probability of two styles in one picture
    path: float = 2.0  # weight of path-length regularisation; 0 leaves it out
    path_every: int = 8  # steps
    path_share: float = 0.25  # of the batch
    average_images: float = 10_000.0  # half-life of the averaged weights
    seed: int = 0
    critic: CriticOptions = field(default_factory=CriticOptions)


@dataclass
class GanState:
    generator: Generator
    fast: Callable[..., Tensor]  # the same network, compiled where that was asked for
    average: Generator  # the running mean of its weights: the generator that is kept
    optimiser: torch.optim.Adam
    critic: Critic
    rng: torch.Generator
    path_mean: Tensor  # 0-d, running mean of path lengths
    seen: int = 0
    steps: int = 0

    def to_dict(self) -> dict:
        return {
            "generator": self.generator.state_dict(),
            "average_generator": self.average.state_dict(),
            "optimiser": optimiser_state(self.optimiser),
            "critic": self.critic.to_dict(),
            "rng": self.rng.get_state(),
            "path_mean": self.path_mean,
            "seen": self.seen,
            "steps": self.steps,
        }

    def from_dict(self, saved: dict) -> None:
        self.generator.load_state_dict(weights_of(saved, "generator"))
        self.average.load_state_dict(saved["average_generator"])
        if "optimiser" in saved:
            load_optimiser(self.optimiser, saved["optimiser"])
        self.critic.from_dict(saved["critic"])
        load_stream(self.rng, saved)
        self.path_mean.copy_(saved["path_mean"])
        self.seen, self.steps = saved["seen"], saved["steps"]


def start(
    generator: GeneratorConfig,
    discriminator: DiscriminatorConfig,
    options: GanOptions,
    compute: Compute,
    compiled: bool = False,
) -> GanState:
    torch.manual_seed(options.seed)
    g = Generator(generator).to(compute.device).to(memory_format=torch.channels_last)
    adam = lazy_adam(g.parameters(), options.rate, options.path_every if options.path else 0, compute.device)
    average = copy.deepcopy(g).eval().requires_grad_(False)
    critic = start_critic(discriminator, options.critic, compute, compiled)
    rng = torch.Generator(compute.device).manual_seed(options.seed)
    path_mean = torch.zeros((), device=compute.device)
    return GanState(g, torch.compile(g) if compiled else g, average, adam, critic, rng, path_mean)


@contextmanager
def fresh_noise(generator: Generator, count: int, rng: torch.Generator) -> Iterator[None]:
    """Noise of its own for each of ``count`` pictures, instead of the fixed one that the finished generator has."""
    convs = [conv for conv in generator.convs if isinstance(conv, StyledConv)]
    fixed = [conv.noise for conv in convs]
    try:
        for conv, old in zip(convs, fixed, strict=True):
            conv.noise = torch.randn(count, *old.shape[1:], generator=rng, device=old.device)
        yield
    finally:
        for conv, old in zip(convs, fixed, strict=True):
            conv.noise = old


def draw_styles(generator: AnyGenerator, count: int, mixing: float, rng: torch.Generator) -> Tensor:
    """Styles [count, L, D] of random faces, float32; with probability ``mixing`` those of two, joined at a random
    layer."""
    layers, device = generator.config.layers, _device(generator)
    z = torch.randn(2, count, generator.config.d_style, generator=rng, device=device)
    first, second = generator.map(z.flatten(0, 1)).float().unflatten(0, (2, count))
    at = torch.randint(1, layers, (count, 1), generator=rng, device=device)
    mixed = torch.rand(count, 1, generator=rng, device=device) < mixing
    use_second = mixed & (torch.arange(layers, device=device) >= at)
    return torch.where(use_second[..., None], second[:, None], first[:, None])


def _device(generator: nn.Module) -> torch.device:
    return next(generator.parameters()).device


@torch.no_grad()
def update_average(average: nn.Module, now: nn.Module, batch: int, seen: int, half_life: float) -> None:
    """Move the running mean of the weights on by ``batch`` images; while the run is young, the mean is shorter."""
    keep = 0.5 ** (batch / max(min(half_life, 0.05 * seen), 1e-8))
    for mean, value in zip(average.parameters(), now.parameters(), strict=True):
        mean.lerp_(value.detach(), 1 - keep)
    for kept, latest in zip(average.buffers(), now.buffers(), strict=True):
        kept.copy_(latest)


def step(state: GanState, bank: FaceBank, options: GanOptions, compute: Compute) -> dict[str, Tensor]:
    """One step of the discriminator and one of the generator; returns the losses' values, 0-d, still on the device."""
    size, rng = options.batch, state.rng
    real, _ = bank.draw(size, rng)
    with torch.no_grad(), fresh_noise(state.generator, size, rng), compute.autocast():
        fake = state.fast(draw_styles(state.generator, size, options.mixing, rng))
    figures = critic_step(state.critic, real, [fake], rng, options.critic, compute)

    state.critic.net.requires_grad_(False)
    with fresh_noise(state.generator, size, rng), compute.autocast():
        fake = state.fast(draw_styles(state.generator, size, options.mixing, rng))
    loss = generator_loss(logits(state.critic, fake, rng, options.critic, compute))
    _update(state, loss)
    figures["g"] = loss.detach()
    if options.path and state.steps % options.path_every == 0:
        figures["path"] = path_step(state, max(int(size * options.path_share), 1), options)
    state.steps += 1
    state.seen += size
    update_average(state.average, state.generator, size, state.seen, options.average_images)
    return figures


def path_step(state: GanState, count: int, options: GanOptions) -> Tensor:
    """One step of path-length regularisation (Eq. 4), in float32; returns the mean length."""
    w = draw_styles(state.generator, count, options.mixing, state.rng)
    with fresh_noise(state.generator, count, state.rng):
        lengths = path_lengths(state.generator(w), w, state.rng)
    state.path_mean.lerp_(lengths.detach().mean(), 0.01)
    _update(state, options.path * options.path_every * (lengths - state.path_mean).square().mean())
    return lengths.detach().mean()


def _update(state: GanState, loss: Tensor) -> None:
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    state.optimiser.step()


@torch.no_grad()
def samples(generator: AnyGenerator, count: int, compute: Compute, truncation: float = 1.0, seed: int = 1) -> Tensor:
    """Pictures [count, 3, S, S] in -1..1 of the same random faces at every call, float32 on the CPU."""
    rng, mean, made = torch.Generator().manual_seed(seed), mean_style(generator), []
    z = torch.randn(count, generator.config.d_style, generator=rng)
    for part in z.to(mean.device).split(32):
        w = (mean + truncation * (generator.map(part).float() - mean))[:, None].expand(-1, generator.config.layers, -1)
        with compute.autocast():
            made.append(generator(w).float().clamp(-1, 1).cpu())
    return torch.cat(made)
