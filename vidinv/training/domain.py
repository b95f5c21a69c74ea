"""Training of the domain-guided encoder of In-Domain GAN inversion (Zhu et al. 2020, arXiv:2004.00049, section 3.1).

E learns from real pictures through the generator, which stays as it is, against a discriminator of its own that tells
them from their reconstructions (Eq. 3 and 4):

    E: min |x - G(E(x))|^2 + lpips LPIPS(x, G(E(x))) + adversarial L(D(G(E(x))))
    D: real x high, G(E(x)) low, + r1 / 2 |grad D(x)|^2

Two things are not the paper's. The perceptual distance is LPIPS of the labelling networks: their features are of unit
norm, so the paper's 5e-5 for raw VGG features means nothing here. And the discriminator is the one that the generator
is trained with (vidinv.training.critic): logits with the logistic loss in place of the paper's linear -D, whose slope
is never steeper, and the gradient penalty at every 16th step, 16 times as heavy.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor

from vidinv.models.style_encoder import StyleEncoder, StyleEncoderConfig, style_misfits
from vidinv.runtime.compute import Compute
from vidinv.training.adversarial import AnyGenerator, mean_style, update_average
from vidinv.training.adversarial_losses import generator_loss
from vidinv.training.autoencoder import rate_at
from vidinv.training.bank import FaceBank
from vidinv.training.checkpoints import load_optimiser, load_stream, optimiser_state, weights_of
from vidinv.training.critic import Critic, CriticOptions, critic_step, logits, start_critic
from vidinv.training.discriminator import DiscriminatorConfig
from vidinv.training.inversion import settled
from vidinv.training.teachers import Teachers


@dataclass(frozen=True)
class DomainOptions:
    """``adversarial`` and the critic's ``r1`` are the paper's lambda_adv and gamma (section 4.1)."""

    images: int = 60_000  # real faces shown, length of the run
    batch: int = 12
    rate: float = 5e-4
    anneal: float = 0.5  # last share of the run over which the rate falls to a fiftieth
    lpips: float = 0.8  # beside a mean squared error of weight 1, as in pSp (Richardson et al. 2021, arXiv:2008.00951)
    adversarial: float = 0.1
    average_images: float = 2_000.0  # half-life of the averaged weights
    clip: float = 1.0  # norm of the gradient
    seed: int = 0
    critic: CriticOptions = field(default_factory=lambda: CriticOptions(rate=1e-3, r1=10.0, augment_start=0.0))


@dataclass
class DomainState:
    generator: AnyGenerator  # fixed: it belongs to a pack
    encoder: StyleEncoder
    average_encoder: StyleEncoder
    optimiser: torch.optim.Adam
    critic: Critic
    rng: torch.Generator
    taken: bool  # did it begin with the styles' half of a Feature-Style encoder?
    seen: int = 0

    @property
    def recipe(self) -> str:
        """One sentence for the card of a pack."""
        began = "the styles' half of the Feature-Style encoder" if self.taken else "random weights"
        return (
            f"`pipelines.train_domain_encoder` showed the domain-guided encoder, which began with {began}, {self.seen} "
            "real faces through the fixed generator, against a discriminator of their reconstructions"
        )

    def to_dict(self) -> dict:
        return {
            "encoder": self.encoder.state_dict(),
            "average_encoder": self.average_encoder.state_dict(),
            "optimiser": optimiser_state(self.optimiser),
            "critic": self.critic.to_dict(),
            "rng": self.rng.get_state(),
            "taken": self.taken,
            "seen": self.seen,
        }

    def from_dict(self, saved: dict) -> None:
        self.encoder.load_state_dict(weights_of(saved, "encoder"))
        self.average_encoder.load_state_dict(saved["average_encoder"])
        if "optimiser" in saved:
            load_optimiser(self.optimiser, saved["optimiser"])
        self.critic.from_dict(saved["critic"])
        load_stream(self.rng, saved)
        self.taken, self.seen = saved["taken"], saved["seen"]

    def weights(self, finished: StyleEncoder) -> dict:
        """What other programs read of a run. :param finished: of :func:`finished_encoder`."""
        told = {"config": asdict(finished.config), "recipe": self.recipe, "seen": self.seen}
        return {"domain_encoder": finished.state_dict(), **told}


def start(
    generator: AnyGenerator,
    config: StyleEncoderConfig,
    discriminator: DiscriminatorConfig,
    options: DomainOptions,
    compute: Compute,
    styles: dict[str, Tensor] | None = None,
) -> DomainState:
    """An encoder for a fixed generator, and a discriminator that has seen nothing yet.

    :param styles: state dict of a Feature-Style encoder that it begins with; None: random weights about the mean style.
    :raises ValueError: the encoder's styles would not fit the generator, or those weights the encoder; it says why.
    """
    if wrong := style_misfits(config, generator.config):
        raise ValueError(f"settings: for this generator [encoder] needs {', '.join(wrong)}")
    torch.manual_seed(options.seed)
    generator.eval().requires_grad_(False)
    encoder = StyleEncoder(config)
    if styles is None:
        encoder.mean_latent.copy_(mean_style(generator).expand_as(encoder.mean_latent))
    else:
        take_styles(encoder, styles)
    encoder.to(compute.device).to(memory_format=torch.channels_last)
    average = copy.deepcopy(encoder).eval().requires_grad_(False)
    adam = torch.optim.Adam(encoder.parameters(), lr=options.rate, betas=(0.9, 0.99))
    critic = start_critic(discriminator, options.critic, compute)
    rng = torch.Generator(compute.device).manual_seed(options.seed)
    return DomainState(generator, encoder, average, adam, critic, rng, taken=styles is not None)


def take_styles(encoder: StyleEncoder, weights: dict[str, Tensor]) -> None:
    """Load what a Feature-Style encoder makes its styles with; they come out the same.

    :raises ValueError: it has another trunk.
    """
    try:
        encoder.load_state_dict({k: weights[k] for k in encoder.state_dict()})
    except (KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"the pack's encoder has another trunk than [encoder] ({reason}); leave [encoder] out, or begin anew"
        ) from None


def step(
    state: DomainState, bank: FaceBank, teachers: Teachers, options: DomainOptions, compute: Compute
) -> dict[str, Tensor]:
    """One step of the discriminator and one of the encoder, on the same reconstructions of real faces.

    :return: the losses' values, 0-d, still on the device.
    """
    state.optimiser.param_groups[0]["lr"] = rate_at(options, state.seen)
    x, _ = bank.draw(options.batch, state.rng)
    with compute.autocast():
        made = state.generator(state.encoder(x)).float()
        perceptual = teachers.labeller.lpips(made, x).float().mean()
    figures = critic_step(state.critic, x, [made], state.rng, options.critic, compute)
    state.critic.net.requires_grad_(False)
    figures |= {
        "mse": (made - x).square().mean(),
        "lpips": perceptual,
        "g": generator_loss(logits(state.critic, made, state.rng, options.critic, compute)),
    }
    loss = figures["mse"] + options.lpips * figures["lpips"] + options.adversarial * figures["g"]
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.encoder.parameters(), options.clip)
    state.optimiser.step()
    state.seen += options.batch
    update_average(state.average_encoder, state.encoder, options.batch, state.seen, options.average_images)
    return {k: v.detach() for k, v in figures.items()}


def finished_encoder(state: DomainState, bank: FaceBank, batch: int, rounds: int = 60) -> StyleEncoder:
    """The averaged encoder with norms measured on real faces, ready for use. The state is left as it is."""
    return settled(state.average_encoder, bank, batch, rounds)
