"""Generator and Feature-Style encoder trained together as an autoencoder: the route that a CPU can go.

Both inversions of Yao et al. 2022 are trained at once: x2 = G(w, F) carries the detail, x1 = G(w) forces the styles to
know as much of the face as they can, and 0.01 |F - G^K(w)|^2 keeps F where Eq. 1 may add to it. There is no
discriminator, so no synthetic half and no prior over w: the mean and spread of the codes stand in for them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.training.checkpoints import load_optimiser, optimiser_state
from vidinv.training.losses import identity_distance
from vidinv.training.teachers import Teachers


@dataclass(frozen=True)
class AutoencoderOptions:
    images: int = 60_000  # length of the run
    batch: int = 12
    rate: float = 1.5e-3
    anneal: float = 0.4  # last share of the run over which the rate falls to a fiftieth
    lpips: float = 1.5
    style_only: float = 1.5  # weight of x1 against x2
    feature_pull: float = 0.02
    identity: float = 0.3
    clip: float = 1.0  # norm of the gradient
    seed: int = 0


@dataclass
class AutoencoderState:
    generator: Generator
    encoder: FeatureStyleEncoder
    optimiser: torch.optim.Adam
    seen: int = 0  # pictures in this run
    before: int = 0  # and in those that made the weights it began with

    @property
    def recipe(self) -> str:
        """One sentence for the card of a pack."""
        return (
            f"`pipelines.train_autoencoder` showed generator and encoder {self.before + self.seen} pictures, both "
            "inversions at once, without a discriminator"
        )

    def weights(self) -> dict:
        """What other programs read of a run."""
        return {
            "generator": self.generator.state_dict(),
            "encoder": self.encoder.state_dict(),
            "seen": self.seen,
            "before": self.before,
            "recipe": self.recipe,
        }

    def to_dict(self) -> dict:
        return self.weights() | {"optimiser": optimiser_state(self.optimiser)}

    def from_dict(self, saved: dict) -> None:
        self.generator.load_state_dict(saved["generator"])
        self.encoder.load_state_dict(saved["encoder"])
        if "optimiser" in saved:
            load_optimiser(self.optimiser, saved["optimiser"])
        self.seen, self.before = saved["seen"], saved["before"]


def start(generator: GeneratorConfig, encoder: EncoderConfig, options: AutoencoderOptions) -> AutoencoderState:
    torch.manual_seed(options.seed)
    g = Generator(generator).to(memory_format=torch.channels_last)
    e = FeatureStyleEncoder(encoder).to(memory_format=torch.channels_last)
    g.mapping.requires_grad_(False)  # nothing is drawn from noise here
    for conv in g.convs:
        conv.noise_strength.requires_grad_(False)  # noise can only hurt a reconstruction
    parameters = [p for p in [*g.parameters(), *e.parameters()] if p.requires_grad]
    return AutoencoderState(g, e, torch.optim.Adam(parameters, lr=options.rate, betas=(0.5, 0.99)))


class RateOptions(Protocol):
    """What :func:`rate_at` asks of a run's options; see :class:`AutoencoderOptions`."""

    @property
    def images(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def anneal(self) -> float: ...


def rate_at(options: RateOptions, seen: int) -> float:
    """Warm up over the first 500 images, hold, then a cosine down to 2 % over the last ``anneal`` of the run."""
    left = max(options.images - seen, 0) / (options.anneal * options.images)
    fall = 1.0 if left >= 1 else 0.02 + 0.98 * 0.5 * (1 - math.cos(math.pi * left))
    return options.rate * fall * min((seen + options.batch) / 500, 1.0)


def step(
    state: AutoencoderState, teachers: Teachers, x: Tensor, grids: Tensor, options: AutoencoderOptions
) -> dict[str, Tensor]:
    """One step on pictures ``x`` [B, 3, S, S] in -1..1; returns the losses' values, 0-d."""
    half, quarter = max(len(x) // 2, 1), max(len(x) // 4, 1)
    for group in state.optimiser.param_groups:
        group["lr"] = rate_at(options, state.seen)
    with torch.autocast(x.device.type, torch.bfloat16):
        w, feature = state.encoder(x)
        native, skip = state.generator.below(w)
        x2 = state.generator.render_from(w, feature, skip)
        x1 = state.generator.render_from(w[:half], native[:half], skip[:half])
        perceptual = teachers.labeller.lpips
        l2 = perceptual(x2, x).float().mean()
        l1 = perceptual(x1, x[:half]).float().mean()
    x1, x2 = x1.float(), x2.float()
    pixels2, pixels1 = (x2 - x).abs().mean(), (x1 - x[:half]).abs().mean()
    # Only F is pulled. Were G^K(w) pulled too, it would shrink to the mean of F, and G(w) to one face for all.
    pull = (feature.float() - native.float().detach()).square().mean()
    both = torch.cat([x2[:quarter], x1[:quarter]])
    target, where = torch.cat([x[:quarter]] * 2), torch.cat([grids[:quarter]] * 2)
    with torch.autocast(x.device.type, torch.bfloat16):
        who = identity_distance(teachers, both, target, where).float().mean()
    loss = pixels2 + options.lpips * l2 + options.style_only * (pixels1 + l1)
    loss = loss + options.feature_pull * pull + options.identity * who
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for g in state.optimiser.param_groups for p in g["params"]], options.clip)
    state.optimiser.step()
    state.seen += len(x)
    named = {"l1": pixels2, "lpips": l2, "l1_w": pixels1, "lpips_w": l1, "pull": pull, "identity": who}
    return {k: v.detach() for k, v in named.items()}


@torch.no_grad()
def settle_norms(encoder: nn.Module, batches, count: int = 60) -> None:
    """Measure the batch norms' statistics anew with the final weights, as plain means over ``count`` batches.

    The running means of training lag behind the weights and shift the colours of what the encoder gives.
    """
    norms = [m for m in encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    momentum = [m.momentum for m in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    encoder.train()
    for _ in range(count):
        x = next(batches)[0]
        with torch.autocast(x.device.type, torch.bfloat16):
            encoder(x)
    for norm, old in zip(norms, momentum, strict=True):
        norm.momentum = old
