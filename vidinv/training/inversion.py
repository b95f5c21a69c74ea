"""Training of the Feature-Style encoder against a generator (Yao et al. 2022, arXiv:2202.02183, section 3.3), and of
both together.

Half of every batch are faces that the generator made, whose style is known to exist; half are real. Both inversions
are trained at once: x1 = G(w) and x2 = G(w, F). On its own the encoder is trained for a fixed generator, as published.
What the paper's ablations (Table 4) leave out are options: scales of LPIPS, the feature branch, generated faces.
Joint training, which is not in the paper, lets the generator follow: the discriminator judges x1 and x2 of the real
half, and faces from noise, so that the space of styles stays one to draw from and to edit in.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder, misfits
from vidinv.models.generator import Generator
from vidinv.models.synthesis import mean_style
from vidinv.runtime.compute import Compute
from vidinv.training.adversarial import AnyGenerator, draw_styles, fresh_noise, update_average
from vidinv.training.adversarial_losses import generator_loss
from vidinv.training.autoencoder import rate_at, settle_norms
from vidinv.training.bank import FaceBank
from vidinv.training.checkpoints import load_optimiser, load_stream, optimiser_state, weights_of
from vidinv.training.critic import Critic, CriticOptions, critic_step, logits, start_critic
from vidinv.training.discriminator import DiscriminatorConfig
from vidinv.training.inversion_losses import SCALES, identity_layers, multiscale_lpips, parts_layers
from vidinv.training.styles import StyleGaussian
from vidinv.training.teachers import Teachers

Encoder = TypeVar("Encoder", bound=nn.Module)


@dataclass(frozen=True)
class InversionOptions:
    images: int = 400_000  # real and generated, length of the run
    batch: int = 64  # half real, half generated
    rate: float = 1e-3
    anneal: float = 0.4  # last share of the run over which the rate falls to a fiftieth
    pixels: float = 1.0  # mean squared error of x1, generated faces only
    lpips: float = 0.2
    lpips_scales: tuple[int, ...] = SCALES  # (1,): at the picture's own size alone
    identity: float = 0.1
    parts: float = 0.1
    feature_branch: bool = True  # False: x1 alone is trained, F is never used
    feature_pull: float = 0.01
    synthetic: float = 0.5  # share of a batch that the generator made, below 1; 0: real faces alone
    styles: str = "noise"  # of those faces: the mapping's, or "codes": like those the pack's own encoder finds
    pixels_full: float = 0.0  # mean squared error of x2, all faces; not in the paper
    average_images: float = 5_000.0  # half-life of the averaged weights
    clip: float = 1.0  # norm of the gradient
    seed: int = 0

    def __post_init__(self) -> None:
        """:raises ValueError: there would be no real face, or no scale to compare at."""
        if not 0 <= self.synthetic < 1:
            raise ValueError(f"settings: synthetic is a share from 0 to below 1, not {self.synthetic}")
        if not self.lpips_scales or min(self.lpips_scales) < 1:
            raise ValueError(f"settings: lpips_scales are whole numbers from 1, not {list(self.lpips_scales)}")
        if self.styles not in ("noise", "codes"):
            raise ValueError(f'settings: styles are those of "noise" or of "codes", not of "{self.styles}"')

    @property
    def made_up(self) -> int:
        """Pictures of a batch that the generator makes; at least one is left to be real."""
        return min(round(self.synthetic * self.batch), self.batch - 1)


@dataclass(frozen=True)
class JointOptions(InversionOptions):
    """The generator learns too, the discriminator is on."""

    generator_rate: float = 5e-4
    adversarial: float = 0.05
    critic: CriticOptions = field(default_factory=CriticOptions)

    def __post_init__(self) -> None:
        """:raises ValueError: the same; or styles of codes, which a generator that learns leaves behind."""
        super().__post_init__()
        if self.styles != "noise":
            raise ValueError("settings: a generator that learns draws its faces from noise, styles do not apply")


@dataclass
class InversionState:
    generator: AnyGenerator
    encoder: FeatureStyleEncoder
    average_generator: AnyGenerator  # the generator itself, where it is fixed
    average_encoder: FeatureStyleEncoder
    optimiser: torch.optim.Adam
    rng: torch.Generator
    critic: Critic | None = None  # None: the generator is fixed
    styles: StyleGaussian | None = None  # of generated faces; None: the mapping's
    seen: int = 0
    steps: int = 0

    @property
    def joint(self) -> bool:
        return self.critic is not None

    def _networks(self) -> dict[str, nn.Module]:
        networks: dict[str, nn.Module] = {"encoder": self.encoder, "average_encoder": self.average_encoder}
        if self.joint:
            networks |= {"generator": self.generator, "average_generator": self.average_generator}
        return networks

    def to_dict(self) -> dict:
        """A fixed generator is not part of it: it belongs to another run, and its styles with it."""
        return {
            **{name: network.state_dict() for name, network in self._networks().items()},
            "optimiser": optimiser_state(self.optimiser),
            **({"critic": self.critic.to_dict()} if self.critic else {}),
            "rng": self.rng.get_state(),
            "seen": self.seen,
            "steps": self.steps,
        }

    def from_dict(self, saved: dict) -> None:
        for name, network in self._networks().items():
            network.load_state_dict(weights_of(saved, name))
        if "optimiser" in saved:
            load_optimiser(self.optimiser, saved["optimiser"])
        if self.critic:
            self.critic.from_dict(saved["critic"])
        load_stream(self.rng, saved)
        self.seen, self.steps = saved["seen"], saved["steps"]


def check_configs(generator: AnyGenerator, encoder: EncoderConfig) -> None:
    """:raises ValueError: the encoder's codes would not fit the generator; it names what would."""
    if wrong := misfits(encoder, generator.config):
        raise ValueError(f"settings: for this generator [encoder] needs {', '.join(wrong)}")


def at_layer(generator: Generator, layer: int) -> Generator:
    """The generator, with F in place of another layer's input. Its weights are the same whatever K is.

    :raises ValueError: it has no such layer, or nothing lies below it.
    """
    if not 1 <= layer < len(generator.convs):
        raise ValueError(f"settings: feature_layer is 1 to {len(generator.convs) - 1} for this generator, not {layer}")
    generator.config = replace(generator.config, feature_layer=layer)
    return generator


def start(
    generator: AnyGenerator,
    config: EncoderConfig,
    options: InversionOptions,
    compute: Compute,
    styles: StyleGaussian | None = None,
) -> InversionState:
    """An encoder that begins at the mean style, for a fixed generator.

    :param styles: those of generated faces, on ``compute``'s device; None: the generator's mapping draws them.
    """
    check_configs(generator, config)
    torch.manual_seed(options.seed)
    generator.eval().requires_grad_(False)
    encoder = FeatureStyleEncoder(config).to(compute.device).to(memory_format=torch.channels_last)
    mean = mean_style(generator) if styles is None else styles.mean
    encoder.mean_latent.copy_(mean.expand_as(encoder.mean_latent))
    average = copy.deepcopy(encoder).eval().requires_grad_(False)
    adam = torch.optim.Adam([{"params": list(encoder.parameters()), "share": 1.0}], lr=options.rate, betas=(0.9, 0.99))
    rng = torch.Generator(compute.device).manual_seed(options.seed)
    return InversionState(generator, encoder, generator, average, adam, rng, styles=styles)


def start_joint(
    generator: Generator,
    encoder: FeatureStyleEncoder,
    discriminator: DiscriminatorConfig,
    options: JointOptions,
    compute: Compute,
) -> InversionState:
    """Go on with a trained generator and encoder; the critic's weights are to be loaded by the caller."""
    check_configs(generator, encoder.config)
    average_generator = copy.deepcopy(generator).eval().requires_grad_(False)
    average_encoder = copy.deepcopy(encoder).eval().requires_grad_(False)
    generator.requires_grad_(True)
    encoder.train().requires_grad_(True)
    groups = [
        {"params": list(encoder.parameters()), "share": 1.0},
        {"params": list(generator.parameters()), "share": options.generator_rate / options.rate},
    ]
    adam = torch.optim.Adam(groups, lr=options.rate, betas=(0.0, 0.99))
    rng = torch.Generator(compute.device).manual_seed(options.seed)
    critic = start_critic(discriminator, options.critic, compute)
    return InversionState(generator, encoder, average_generator, average_encoder, adam, rng, critic)


def step(
    state: InversionState, bank: FaceBank, teachers: Teachers, options: InversionOptions, compute: Compute
) -> dict[str, Tensor]:
    """One step; returns the losses' values, 0-d, still on the device. ``_w`` belongs to x1 = G(w)."""
    g = state.generator
    for group in state.optimiser.param_groups:
        group["lr"] = rate_at(options, state.seen) * group["share"]
    halves, grids = _draw(state, bank, options, compute)
    real, x = halves[0], torch.cat(halves)
    with compute.autocast():
        # Each half has a forward pass, and so batch statistics, of its own: in use there are real faces only.
        codes = [state.encoder(half) for half in halves]
        w, feature = (torch.cat(parts) for parts in zip(*codes, strict=True))
        native, skip = g.below(w)
        inversions = {"_w": g.render_from(w, native, skip).float()}
        if options.feature_branch:
            inversions[""] = g.render_from(w, feature, skip).float()
    figures, loss = _compare(inversions, x, len(real), grids, teachers, options, compute)
    if options.feature_branch:
        # A generator that learns is not pulled: G^K(w) would shrink to the mean of F, and G(w) to one face for all.
        native = native.detach() if state.joint else native
        figures["pull"] = (feature.float() - native.float()).square().mean()
        loss = loss + options.feature_pull * figures["pull"]
    if state.joint:
        assert isinstance(options, JointOptions)
        made = [inverted[: len(real)] for inverted in inversions.values()]
        loss = loss + options.adversarial * _deceive(state, real, made, figures, options, compute)
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    learning = [p for group in state.optimiser.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(learning, options.clip)
    state.optimiser.step()
    state.steps += 1
    state.seen += len(x)
    update_average(state.average_encoder, state.encoder, len(x), state.seen, options.average_images)
    if state.joint:
        update_average(state.average_generator, g, len(x), state.seen, options.average_images)
    return {k: v.detach() for k, v in figures.items()}


def _draw(
    state: InversionState, bank: FaceBank, options: InversionOptions, compute: Compute
) -> tuple[list[Tensor], Tensor]:
    """Real faces and, where the options ask for any, generated ones, in -1..1; and the identity grids of all."""
    real, where = bank.draw(options.batch - options.made_up, state.rng)
    assert where is not None, "identity is compared through the bank's grids"
    if not options.made_up:
        return [real], where
    with torch.no_grad(), compute.autocast():
        if state.styles is None:
            known = draw_styles(state.generator, options.made_up, 0.0, state.rng)
        else:
            known = state.styles.draw(options.made_up, state.rng)
        made_up = state.generator(known).float().clamp(-1, 1).contiguous(memory_format=torch.channels_last)
    # Generated faces have no labels, but they lie where the template puts all faces: the mean face's grid serves.
    return [real, made_up], torch.cat([where, bank.mean_grid.expand(len(made_up), -1, -1)])


def _compare(
    inversions: dict[str, Tensor],
    x: Tensor,
    real: int,
    grids: Tensor,
    teachers: Teachers,
    options: InversionOptions,
    compute: Compute,
) -> tuple[dict[str, Tensor], Tensor]:
    """The paper's reconstruction losses of x1 ("_w") and x2 ("") against ``x``, which is generated from ``real`` on."""
    count, made = len(inversions), torch.cat(list(inversions.values()))
    with compute.autocast():
        distances = {
            "lpips": multiscale_lpips(teachers, made, torch.cat([x] * count), options.lpips_scales),
            "identity": identity_layers(teachers, made, x, grids),
            "parts": parts_layers(teachers, made, x),
        }
    figures, loss = {}, x.new_zeros(())
    if real < len(x):  # the same noise made both: only here can pixels agree
        figures["mse_w"] = (inversions["_w"] - x)[real:].square().mean()
        loss = loss + options.pixels * figures["mse_w"]
    if "" in inversions:
        figures["mse"] = (inversions[""] - x).square().mean()
        loss = loss + options.pixels_full * figures["mse"]
    for name, values in distances.items():
        means = values.float().unflatten(0, (count, -1)).mean(1)
        figures |= {name + which: mean for which, mean in zip(inversions, means, strict=True)}
        loss = loss + getattr(options, name) * means.sum()
    return figures, loss


def _deceive(
    state: InversionState,
    real: Tensor,
    inverted: list[Tensor],
    figures: dict[str, Tensor],
    options: JointOptions,
    compute: Compute,
) -> Tensor:
    """A step of the discriminator, and what generator and encoder are to change to get past it.

    :param inverted: inversions of the real faces.
    """
    g, critic, rng = state.generator, state.critic, state.rng
    assert isinstance(g, Generator)
    assert critic is not None
    with fresh_noise(g, len(real), rng), compute.autocast():
        drawn = g(draw_styles(g, len(real), 0.9, rng)).float()
    kinds = [*inverted, drawn]
    figures |= critic_step(critic, real, kinds, rng, options.critic, compute)
    critic.net.requires_grad_(False)
    losses = [generator_loss(logits(critic, kind, rng, options.critic, compute)) for kind in kinds]
    figures["g"] = torch.stack(losses).mean()
    return figures["g"]


def finished_encoder(state: InversionState, bank: FaceBank, batch: int, rounds: int = 60) -> FeatureStyleEncoder:
    """The averaged encoder with norms measured on real faces, ready for use. The state is left as it is."""
    return settled(state.average_encoder, bank, batch, rounds)


@torch.no_grad()
def settled(average: Encoder, bank: FaceBank, batch: int, rounds: int) -> Encoder:
    """A copy of ``average`` with norms measured on so many batches of real faces, ready for use."""
    encoder = copy.deepcopy(average)
    rng = torch.Generator(bank.pictures.device).manual_seed(0)
    settle_norms(encoder, (bank.draw(batch, rng) for _ in range(rounds)), rounds)
    return encoder.eval().requires_grad_(False)
