"""T trained through a generator that stays as it is: an edit network against a discriminator that knows the scores.

Pairs of one person's pictures show what a face becomes; for what there are no pairs of (age, beard, ...), the
discriminator's real side are inversions of faces that have it, so that it judges the edit and not the softness of
inversions. Networks that read scores say how far the edit is to go, and hold the scores that are not edited.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.models.edit_network import EditNetwork, EditNetworkConfig
from vidinv.models.face_colours import in_face_colours, own_colours
from vidinv.models.generator import Generator
from vidinv.models.pictures import to_tensor
from vidinv.runtime.compute import Compute
from vidinv.training import edit_losses
from vidinv.training.adversarial_losses import critic_loss, generator_loss, r1_penalty
from vidinv.training.checkpoints import contest_state, load_contest
from vidinv.training.diff_augment import DifferentiableAugmentation, augment
from vidinv.training.edit_critic import EditCritic, EditCriticConfig
from vidinv.training.edit_losses import Readers
from vidinv.training.edit_samples import Batch, Pool, take
from vidinv.training.edit_teaching import teaching_losses
from vidinv.training.scores import SCORES
from vidinv.types import known

ON_CPU = Compute("cpu", torch.bfloat16)


@dataclass(frozen=True)
class EditTrainingOptions:
    images: int = 200_000  # length of the run
    edits: tuple[str, ...] = SCORES  # those that faces without a partner are asked for
    unpaired: int = 4  # faces of a step without a partner
    paired: int = 4  # and with one
    twice: float = 0.3  # share of the former that is asked for two edits
    colours: tuple[tuple[str, float], ...] = ()  # of edits that draw in the face's colours: EditSpec.colours
    rate: float = 1.5e-3
    critic_rate: float = 7e-4
    anneal: float = 0.3  # last share of the run over which both rates fall to a fiftieth
    adversarial: float = 1.2
    adversarial_after: int = 2_000  # images after which it comes in, over as many
    taught: int = 0  # images before all others that are of drawn pairs, and learned from without a critic
    code: float = 1.0  # there, of the other picture's code
    picture: float = 4.0
    edges: float = 2.0
    knows: float = 4.0  # of what the network that it went on from makes
    critic_alone: int = 0  # images over which the critic alone learns: of a network that has learned before
    scores: float = 0.12
    others: float = 0.1  # weight of a score that is not edited, against one that is
    read: float = 0.1  # of the scores that the discriminator reads; of hair and skin nobody else does
    identity: float = 0.5
    blurred: float = 3.0
    tint: float = 8.0
    outside: float = 12.0
    change: float = 1.0
    lighter: float = 20.0
    motion: float = 4.0
    pair: float = 3.0
    pair_lpips: float = 0.5
    kept: float = 3.0  # of what the network that it went on from made, in edits that no pair is drawn for
    spread: float = 0.02  # of changes of F, in standard deviations of its channels
    mismatched: float = 0.5  # weight, for the discriminator, of real pictures under scores that they have not
    r1: float = 0.3
    r1_every: int = 16
    clip: float = 5.0  # norm of either network's gradient
    average: float = 0.998  # of the weights, by step
    augmented: float = 0.7  # probability of each change of a picture before the discriminator
    augmentation: DifferentiableAugmentation = field(
        default_factory=lambda: DifferentiableAugmentation(0.12, 0.25, 0.2, 0.04, 3.0, 0.05, 0.0)
    )
    seed: int = 0

    @property
    def batch(self) -> int:
        return self.unpaired + self.paired

    def sizes(self, seen: int) -> tuple[int, int]:
        """Faces of a step without and with a partner."""
        few = max(self.batch // 4, 1)
        return (few, self.batch - few) if seen < self.taught else (self.unpaired, self.paired)


@dataclass
class EditState:
    net: EditNetwork
    average: EditNetwork
    critic: EditCritic
    optimiser: torch.optim.Adam
    critic_optimiser: torch.optim.Adam
    seen: int = 0
    steps: int = 0
    taught: int = 0  # of those that were seen, by pairs alone
    begun: str = ""  # the recipe of the network that this one went on from
    learned: EditNetwork | None = None  # that network
    kept: frozenset[str] = frozenset()  # edits that are to stay what they were in it

    @property
    def recipe(self) -> str:
        """One sentence for the card of a pack."""
        if self.begun:
            taught = f"{self.taught} pairs that were drawn, and " if self.taught else ""
            return f"{self.begun}; then {taught}{self.seen - self.taught} more, against a new one"
        return (
            f"`pipelines.train_edits` showed the edit network {self.seen} faces by their codes, against a "
            "discriminator that knows the scores"
        )

    def weights(self) -> dict:
        return {"edits": self.average.state_dict(), "seen": self.seen, "recipe": self.recipe}

    def to_dict(self) -> dict:
        return {
            **contest_state(self),
            "seen": self.seen,
            "steps": self.steps,
            "taught": self.taught,
            "begun": self.begun,
        }

    def from_dict(self, saved: dict) -> None:
        load_contest(self, saved)
        self.seen, self.steps, self.begun = saved["seen"], saved["steps"], saved["begun"]
        self.taught = saved["taught"]


def larger(options: EditTrainingOptions, batch: int) -> EditTrainingOptions:
    """The same with steps of ``batch`` faces: the share of pairs, and the running mean by faces, stay."""
    paired = round(batch * options.paired / options.batch)
    average = options.average ** (batch / options.batch)
    return dataclasses.replace(options, unpaired=batch - paired, paired=paired, average=average)


def start(
    config: EditNetworkConfig, critic: EditCriticConfig, options: EditTrainingOptions, device: str = "cpu"
) -> EditState:
    torch.manual_seed(options.seed)
    net = EditNetwork(config).to(memory_format=torch.channels_last)
    judge = EditCritic(critic).to(memory_format=torch.channels_last)
    net, judge, fused = net.to(device), judge.to(device), device.startswith("cuda")
    average = copy.deepcopy(net).requires_grad_(False)
    adam = torch.optim.Adam(net.parameters(), lr=options.rate, betas=(0.5, 0.99), fused=fused)
    critics = torch.optim.Adam(judge.parameters(), options.critic_rate, betas=(0.0, 0.99), fused=fused)
    return EditState(net, average, judge, adam, critics)


def begin(state: EditState, learned: EditNetwork, recipe: str) -> None:
    """Start from a network that has learned before; its critic is gone, and a new one learns first.

    :param recipe: what the card of its pack says of it.
    :raises ValueError: it is of other sizes, or for other edits.
    """
    if learned.config != state.net.config:
        raise ValueError(f"the pack's edit network is {learned.config}, the settings ask for {state.net.config}")
    for net in (state.net, state.average):
        net.load_state_dict(learned.state_dict())
        net.steps.fill_(1.0)
    state.begun = recipe


def measure(state: EditState, pool: Pool) -> None:
    """Tell the network means and spreads of what it reads; once, before training."""
    some = np.sort(np.random.default_rng(0).choice(pool.rows, min(800, len(pool.rows)), replace=False))
    feature, mean_latent = take(pool.codes.feature, some).float(), take(pool.codes.w, some).float().mean(0)
    for net in (state.net, state.average):
        net.mean.copy_(feature.mean((0, 2, 3)))
        net.spread.copy_(feature.std((0, 2, 3)))
        net.mean_latent.copy_(mean_latent)


def apply(
    net: EditNetwork, generator: Generator, w: Tensor, feature: Tensor, amounts: Tensor, below: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The edited pictures [B, 3, S, S], and what was added to F.

    :param below: the picture of the layers below K, where it is known: an edit does not change it.
    """
    change, styles = net(feature, w, amounts)
    if below is None:
        _, below = generator.below(w)
    return generator.render_from(w + styles, feature + change, below), change


@torch.inference_mode()
def shown(
    net: EditNetwork,
    generator: Generator,
    pool: Pool,
    rows: NDArray,
    edits: Sequence[str],
    colours: tuple[tuple[str, float], ...],
) -> list[Tensor]:
    """Inversions of some faces, then each edit of them two standard deviations up and down, [N, 3, S, S] each."""
    w, feature = (take(a, rows).float() for a in (pool.codes.w, pool.codes.feature))
    source = to_tensor(take(pool.codes.inversions, rows), pool.device)
    strips = [source]
    for name, amount in product(edits, (2.0, -2.0)):
        amounts = torch.zeros(len(rows), len(pool.names), device=pool.device)
        amounts[:, pool.names.index(name)] = amount
        made, _ = apply(net, generator, w, feature, amounts)
        strips.append(in_face_colours(made, source, own_colours(amounts, pool.names, colours)))
    return strips


def step(
    state: EditState,
    generator: Generator,
    readers: Readers,
    batch: Batch,
    real: tuple[Tensor, Tensor] | None,
    options: EditTrainingOptions,
    rng: torch.Generator,
    compute: Compute = ON_CPU,
) -> dict[str, Tensor]:
    """One step of both networks; returns the losses' values, 0-d.

    :param real: inversions and their standardised scores, of :func:`vidinv.training.edit_samples.draw_real`; None while
        drawn pairs teach alone, where there is no critic to see them.
    :param rng: a stream of ``compute``'s device, where all tensors and networks are.
    """
    share, since = _anneal(options, state.seen), state.seen - options.taught
    for group in state.optimiser.param_groups:
        group["lr"] = options.rate * share
    for group in state.critic_optimiser.param_groups:
        group["lr"] = options.critic_rate * share
    if since < 0:
        stays = torch.tensor([n in state.kept for n in readers.names], device=compute.device)
        told = teaching_losses(state.net, state.learned, generator, batch, stays, compute)
        losses = {k: getattr(options, k) * v for k, v in told.items()}
        _learn(state, losses, options)
        state.taught += len(batch.w)
        return _counted(state, len(batch.w), {k: v.detach() for k, v in losses.items()})
    with compute.autocast():
        made, change = apply(state.net, generator, batch.w, batch.feature, batch.amounts, batch.below)
    made = in_face_colours(made.float(), batch.picture, own_colours(batch.amounts, readers.names, options.colours))
    figures = _critic_step(state, made.detach(), batch, known(real), options, rng, compute)
    if since >= options.critic_alone:
        state.critic.requires_grad_(False)
        losses = _losses(state, generator, readers, made, change, batch, options, rng, compute)
        _learn(state, losses, options)
        figures |= {k: v.detach() for k, v in losses.items()}
    return _counted(state, len(made), figures)


def _counted(state: EditState, faces: int, figures: dict[str, Tensor]) -> dict[str, Tensor]:
    state.steps += 1
    state.seen += faces
    return figures


def _learn(state: EditState, losses: dict[str, Tensor], options: EditTrainingOptions) -> None:
    state.optimiser.zero_grad(set_to_none=True)
    torch.stack(list(losses.values())).sum().backward()
    torch.nn.utils.clip_grad_norm_(state.net.parameters(), options.clip)
    state.optimiser.step()
    with torch.no_grad():
        keep = min(options.average, (1 + state.steps) / (10 + state.steps))
        for mean, now in zip(state.average.parameters(), state.net.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)


def _anneal(options: EditTrainingOptions, seen: int) -> float:
    left = max(options.images - seen, 0) / (options.anneal * options.images)
    return min((seen + 1) / 1000, 1.0) * (1.0 if left >= 1 else 0.02 + 0.98 * left)


def _losses(
    state: EditState,
    generator: Generator,
    readers: Readers,
    made: Tensor,
    change: Tensor,
    batch: Batch,
    options: EditTrainingOptions,
    rng: torch.Generator,
    compute: Compute,
) -> dict[str, Tensor]:
    """Weighted, 0-d each."""
    teachers, names = readers.teachers, readers.names
    with compute.autocast():
        seen = state.critic.look(_augmented(made, options, rng))
        logits = state.critic.judged(seen, batch.condition)
        who = edit_losses.identity_loss(teachers, made, batch, max(len(made) // 4, 1))
        pair = edit_losses.pair_losses(teachers, made, batch)
        read = readers(made, batch, rng, state.steps % 2)
    held = edit_losses.holds(made, batch, names)
    kept = _kept(state, generator, made, batch, names, options, compute)
    begun = state.seen - options.taught - options.adversarial_after
    ramp = min(max(begun, 0) / max(options.adversarial_after, 1), 1.0)
    spread = (change.float() / state.net.spread[:, None, None]).square().mean()
    own = torch.where(batch.amounts != 0, batch.condition, torch.full_like(batch.condition, float("nan")))
    judged = edit_losses.score_loss(seen.scores, own, batch.amounts, 0.0)
    reached = edit_losses.score_loss(read.float(), batch.target, batch.amounts, options.others, readers.ends)
    return {
        "adversarial": ramp * options.adversarial * torch.stack([generator_loss(x) for x in logits]).sum(),
        "scores": options.scores * reached,
        "read": ramp * options.read * judged,
        "identity": options.identity * who.float(),
        **{k: getattr(options, k) * v for k, v in held.items()},
        **{k: getattr(options, k) * v.float() for k, v in pair.items()},
        "spread": options.spread * spread,
        "kept": options.kept * kept,
    }


def _kept(
    state: EditState,
    generator: Generator,
    made: Tensor,
    batch: Batch,
    names: tuple[str, ...],
    options: EditTrainingOptions,
    compute: Compute,
) -> Tensor:
    """How far pictures of edits that are to stay are from what they were, 0-d. A new critic knows less than the old."""
    asked, stay = batch.amounts != 0, torch.tensor([n in state.kept for n in names], device=made.device)
    rows = asked.any(1) & ~asked[:, ~stay].any(1)
    if state.learned is None or not rows.any():
        return made.new_zeros(())
    with torch.no_grad(), compute.autocast():
        before, _ = apply(
            state.learned, generator, batch.w[rows], batch.feature[rows], batch.amounts[rows], batch.below[rows]
        )
    own = own_colours(batch.amounts[rows], names, options.colours)
    before = in_face_colours(before.float(), batch.picture[rows], own)
    return (made[rows] - before).abs().mean() * rows.float().mean()


def _critic_step(
    state: EditState,
    made: Tensor,
    batch: Batch,
    real: tuple[Tensor, Tensor],
    options: EditTrainingOptions,
    rng: torch.Generator,
    compute: Compute,
) -> dict[str, Tensor]:
    critic = state.critic.requires_grad_(True)
    pictures, known = real
    condition = known.nan_to_num()
    # The same pictures under what the edits were to make of others: seen once, judged twice.
    order = torch.randperm(len(batch.amounts), generator=rng, device=rng.device)
    wrong = condition + batch.amounts[order][: len(condition)]
    with compute.autocast():
        seen = critic.look(_augmented(pictures, options, rng))
        on_real, on_wrong = critic.judged(seen, condition), critic.judged(seen, wrong)
        on_fake = critic.judged(critic.look(_augmented(made, options, rng)), batch.condition)
    adversarial = torch.stack([critic_loss(r, f) for r, f in zip(on_real, on_fake, strict=True)]).sum()
    adversarial = (
        adversarial + options.mismatched * torch.stack([torch.nn.functional.softplus(x).mean() for x in on_wrong]).sum()
    )
    reading = edit_losses.score_loss(seen.scores, known, torch.ones_like(known), 1.0)
    state.critic_optimiser.zero_grad(set_to_none=True)
    (adversarial + 0.3 * reading).backward()
    figures = {"d": adversarial.detach(), "d_read": reading.detach() / known.shape[1]}
    figures |= {"d_real": on_real[-1].detach().mean(), "d_fake": on_fake[-1].detach().mean()}
    if options.r1_every and state.steps % options.r1_every == 0:
        half = max(len(pictures) // 2, 1)
        told = condition[:half]
        penalty = r1_penalty(
            lambda x: torch.cat([m.mean(1, keepdim=True) for m in critic.judged(critic.look(x), told)], 1).sum(1),
            pictures[:half],
        )
        (options.r1 / 2 * options.r1_every * penalty).backward()
        figures["r1"] = penalty.detach()
    torch.nn.utils.clip_grad_norm_(critic.parameters(), options.clip)
    state.critic_optimiser.step()
    return figures


def _augmented(x: Tensor, options: EditTrainingOptions, rng: torch.Generator) -> Tensor:
    return augment(x.float(), torch.tensor(options.augmented, device=x.device), rng, options.augmentation)
