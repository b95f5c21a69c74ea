"""The generator's layers from K up, trained again against a discriminator, from codes that were made once.

The encoder and the layers below K stay, so cached codes stay true, and what is trained is small enough for a CPU. What
the discriminator sees are reconstructions G(w, F), edited pictures of an edit network, and G(w). The first and the
last are held to the photograph; an edited picture has none, and is held to the colours of what the generator made of
the same code before, blurred.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from vidinv.models.edit_network import EditNetwork
from vidinv.models.generator import Generator
from vidinv.models.pictures import to_tensor
from vidinv.runtime.compute import Compute
from vidinv.training.adversarial import update_average
from vidinv.training.adversarial_losses import critic_loss, r1_penalty
from vidinv.training.autoencoder import rate_at
from vidinv.training.checkpoints import load_optimiser, load_stream, optimiser_state, weights_of
from vidinv.training.diff_augment import DifferentiableAugmentation, augment
from vidinv.training.edit_samples import Pool, draw_amounts, take
from vidinv.training.head_critic import HeadCritic, HeadCriticConfig
from vidinv.training.networks import Networks
from vidinv.training.teachers import Teachers

BLUR = 32  # side, pixels, at which an edited picture is held


@dataclass(frozen=True)
class HeadOptions:
    images: int = 60_000  # length of the run
    batch: int = 12
    rate: float = 3e-4
    critic_rate: float = 1e-3
    anneal: float = 0.5  # last share of the run over which the rates fall to a fiftieth
    pixels: float = 1.0
    lpips: float = 0.35
    others: float = 0.33  # of the batch that are also made by their styles alone, and that are also edited
    style_only: float = 0.4  # weight of G(w) against G(w, F), in every loss
    held: float = 2.0
    adversarial: float = 0.3  # norm of the discriminator's gradient by the pictures, against that of all other losses
    most: float = 10.0  # weight that it is never given more than
    adversarial_after: int = 2_000  # images after which it comes in, over as many
    twice: float = 0.2  # share of the edited that are asked for two edits
    r1: float = 0.3
    r1_every: int = 16
    average_images: float = 5_000.0  # half-life of the averaged weights
    clip: float = 1.0  # norm of the gradient
    augmented: float = 0.5  # probability of each change of a crop before the discriminator
    augmentation: DifferentiableAugmentation = field(
        default_factory=lambda: DifferentiableAugmentation(0.15, 0.3, 0.2, 0.06, 4.0, 0.06, 0.2)
    )
    seed: int = 0


@dataclass
class HeadState:
    generator: Generator
    average: Generator
    teacher: Generator  # as it was before; it stays
    encoder: dict[str, Tensor]  # weights, which stay
    critic: HeadCritic
    optimiser: torch.optim.Adam
    critic_optimiser: torch.optim.Adam
    balance: Tensor  # 0-d, running mean of the discriminator's weight
    rng: torch.Generator
    before: int = 0  # pictures that made the generator
    seen: int = 0
    steps: int = 0

    @property
    def recipe(self) -> str:
        """One sentence for the card of a pack."""
        return (
            f"`pipelines.train_autoencoder` showed generator and encoder {self.before} pictures, then "
            f"`pipelines.train_head` the generator's layers from F up {self.seen}, by their codes, against a "
            "discriminator of eyes and mouths"
        )

    def weights(self) -> dict:
        return {
            "generator": self.average.state_dict(),
            "encoder": self.encoder,
            "seen": self.seen,
            "before": self.before,
            "recipe": self.recipe,
        }

    def to_dict(self) -> dict:
        return {
            "generator": self.generator.state_dict(),
            "average_generator": self.average.state_dict(),
            "critic": self.critic.state_dict(),
            "optimiser": {"head": optimiser_state(self.optimiser), "critic": optimiser_state(self.critic_optimiser)},
            "balance": self.balance,
            "rng": self.rng.get_state(),
            "seen": self.seen,
            "steps": self.steps,
        }

    def from_dict(self, saved: dict) -> None:
        self.generator.load_state_dict(weights_of(saved, "generator"))
        self.average.load_state_dict(saved["average_generator"])
        self.critic.load_state_dict(saved["critic"])
        if "optimiser" in saved:
            load_optimiser(self.optimiser, saved["optimiser"]["head"])
            load_optimiser(self.critic_optimiser, saved["optimiser"]["critic"])
        self.balance.copy_(saved["balance"])
        load_stream(self.rng, saved)
        self.seen, self.steps = saved["seen"], saved["steps"]


@dataclass(frozen=True)
class Batch:
    """B faces; tensors on one device."""

    w: Tensor  # [B, L, D]
    feature: Tensor  # [B, C, h, h]
    below: Tensor  # [B, 3, h, h]
    photo: Tensor  # [B, 3, S, S] in -1..1
    amounts: Tensor  # [E, K], what is asked of the last E of them


def head_of(generator: Generator) -> list[nn.Module]:
    """The layers from K up and their RGB projections."""
    first = generator.config.feature_layer
    return [*generator.convs[first:], *generator.to_rgb[(first + 1) // 2 :]]


def start(networks: Networks, critic: HeadCriticConfig, options: HeadOptions, device: str = "cpu") -> HeadState:
    torch.manual_seed(options.seed)
    teacher = networks.generator.to(device)
    generator, fused = copy.deepcopy(teacher), device.startswith("cuda")
    for layer in head_of(generator):
        layer.requires_grad_(True)
    for conv in generator.convs:
        conv.noise_strength.requires_grad_(False)  # noise can only hurt a reconstruction
    head = [p for p in generator.parameters() if p.requires_grad]
    judge = HeadCritic(critic).to(device).to(memory_format=torch.channels_last)
    return HeadState(
        generator,
        copy.deepcopy(generator).requires_grad_(False),
        teacher,
        networks.weights["encoder"],
        judge,
        torch.optim.Adam(head, options.rate, betas=(0.5, 0.99), fused=fused),
        torch.optim.Adam(judge.parameters(), options.critic_rate, betas=(0.0, 0.99), fused=fused),
        torch.zeros((), device=device),
        torch.Generator(device).manual_seed(options.seed),
        networks.seen,
    )


def draw(pool: Pool, photos: Tensor, options: HeadOptions, seen: int) -> Batch:
    """:param photos: [N, S, S, 3] uint8, the faces' crops, on the pool's device."""
    rng, edited = np.random.default_rng((options.seed, seen)), max(round(options.others * options.batch), 1)
    rows = rng.choice(pool.rows, options.batch, p=pool.weights)
    amounts = torch.from_numpy(draw_amounts(pool, rows[-edited:], rng, options.twice))
    return batch_of(pool, photos, rows, amounts)


def batch_of(pool: Pool, photos: Tensor, rows: NDArray, amounts: Tensor) -> Batch:
    """Chosen faces with what is asked of the last of them."""
    codes, device = pool.codes, pool.device
    w, feature, below = (take(a, rows).to(device).float() for a in (codes.w, codes.feature, codes.below))
    feature = feature.contiguous(memory_format=torch.channels_last)
    return Batch(w, feature, below, to_tensor(take(photos, rows), device), amounts.to(device))


def step(
    state: HeadState,
    teachers: Teachers,
    edits: EditNetwork | None,
    batch: Batch,
    options: HeadOptions,
    compute: Compute,
) -> dict[str, Tensor]:
    """One step of the discriminator and of the head; returns the losses' values, 0-d.

    :param edits: the network that makes the edited pictures; None: there are none.
    """
    share = rate_at(options, state.seen) / options.rate
    for optimiser, rate in ((state.optimiser, options.rate), (state.critic_optimiser, options.critic_rate)):
        for group in optimiser.param_groups:
            group["lr"] = rate * share
    made, kept = _made(state, edits, batch, options, compute)
    figures = _critic_step(state, made.detach(), batch.photo, options, compute)
    state.critic.requires_grad_(False)
    # Both gradients are taken by the pictures, so that the head is gone through once for their weighted sum.
    pictures = made.detach().requires_grad_(True)
    losses = _losses(teachers, pictures, batch, kept, options, compute)
    (own,) = torch.autograd.grad(torch.stack(list(losses.values())).sum(), pictures)
    logits = _logits(state, pictures, options, compute)
    # G(w) lacks more than a head can give: it has less to say, or it would have all.
    counts = pictures.new_ones(len(pictures))
    counts[len(batch.w) : len(batch.w) + len(batch.amounts)] = options.style_only
    found = torch.stack([F.softplus(-x).mean((1, 2)) for x in logits]).sum(0)
    adversarial = (found * counts.repeat(2)).sum() / (2 * counts.sum())
    (asked,) = torch.autograd.grad(adversarial, pictures)
    weight = (options.adversarial * own.norm() / asked.norm().clamp_min(1e-12)).clamp_max(options.most)
    state.balance.copy_(torch.where(state.balance == 0, weight, state.balance.lerp(weight, 0.05)))
    ramp = min(max(state.seen - options.adversarial_after, 0) / max(options.adversarial_after, 1), 1.0)
    state.optimiser.zero_grad(set_to_none=True)
    made.backward(own + ramp * state.balance * asked)
    head = [p for group in state.optimiser.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(head, options.clip)
    state.optimiser.step()
    state.steps += 1
    state.seen += len(batch.w)
    update_average(state.average, state.generator, len(batch.w), state.seen, options.average_images)
    figures |= {"g": adversarial.detach(), "balance": state.balance.clone()}
    return figures | {k: v.detach() for k, v in losses.items()}


def _made(
    state: HeadState, edits: EditNetwork | None, batch: Batch, options: HeadOptions, compute: Compute
) -> tuple[Tensor, Tensor]:
    """Pictures, float32: of all codes, then G(w) of the first few, then of the last few edited; and what the teacher
    makes of these."""
    few = len(batch.amounts)
    w, feature, below = [batch.w], [batch.feature], [batch.below]
    with torch.no_grad(), compute.autocast():
        native, under = state.teacher.below(batch.w[:few])
        w, feature, below = [*w, batch.w[:few]], [*feature, native.float()], [*below, under.float()]
        kept = batch.photo[:0]
        if edits is not None:
            change, styles = edits(batch.feature[-few:], batch.w[-few:], batch.amounts)
            edited = batch.w[-few:] + styles, batch.feature[-few:] + change, batch.below[-few:]
            kept = state.teacher.render_from(*edited).float()
            w, feature, below = [*w, edited[0]], [*feature, edited[1]], [*below, edited[2]]
    with compute.autocast():
        inputs = (torch.cat(w), torch.cat(feature).contiguous(memory_format=torch.channels_last), torch.cat(below))
        return state.generator.render_from(*inputs).float(), kept


def _losses(
    teachers: Teachers, made: Tensor, batch: Batch, kept: Tensor, options: HeadOptions, compute: Compute
) -> dict[str, Tensor]:
    """All but the discriminator's, weighted, 0-d each."""
    size, few = len(batch.photo), len(batch.amounts)
    full, styled, edited = made.split([size, few, len(kept)])
    with compute.autocast():
        pairs = ((full, batch.photo), (styled, batch.photo[:few]))
        perceptual = [teachers.labeller.lpips(*pair).float().mean() for pair in pairs]
    losses = {
        "l1": options.pixels * (full - batch.photo).abs().mean(),
        "lpips": options.lpips * perceptual[0],
        "l1_w": options.style_only * options.pixels * (styled - batch.photo[:few]).abs().mean(),
        "lpips_w": options.style_only * options.lpips * perceptual[1],
    }
    if len(kept):
        off = F.adaptive_avg_pool2d(edited, BLUR) - F.adaptive_avg_pool2d(kept, BLUR)
        losses["held"] = options.held * off.abs().mean()
    return losses


def _logits(state: HeadState, pictures: Tensor, options: HeadOptions, compute: Compute) -> list[Tensor]:
    p = torch.tensor(options.augmented, device=pictures.device)
    crops = augment(state.critic.crops(pictures), p, state.rng, options.augmentation)
    with compute.autocast():
        return state.critic(crops)


def _critic_step(
    state: HeadState, made: Tensor, real: Tensor, options: HeadOptions, compute: Compute
) -> dict[str, Tensor]:
    critic = state.critic.requires_grad_(True)
    on_real, on_fake = (_logits(state, x, options, compute) for x in (real, made))
    loss = torch.stack([critic_loss(r, f) for r, f in zip(on_real, on_fake, strict=True)]).sum()
    state.critic_optimiser.zero_grad(set_to_none=True)
    loss.backward()
    figures = {"d": loss.detach(), "d_real": on_real[-1].detach().mean(), "d_fake": on_fake[-1].detach().mean()}
    if options.r1_every and state.steps % options.r1_every == 0:
        half = real[: max(len(real) // 2, 1)]
        # The gradient's own gradient is wanted, and squares are summed over all pixels: no task for bf16.
        crops = critic.crops(half)
        penalty = r1_penalty(lambda x: torch.stack([m.mean((1, 2)) for m in critic(x)], 1).sum(1), crops)
        (options.r1 / 2 * options.r1_every * penalty).backward()
        figures["r1"] = penalty.detach()
    state.critic_optimiser.step()
    return figures
