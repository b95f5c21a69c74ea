"""The one signature of all inversion methods: pictures in, codes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vidinv.inversion.perceptual import Perceptual
from vidinv.models.synthesis import StyleGenerator
from vidinv.types import Code, known

Space = Literal["w+", "w", "z"]
"""Where an optimiser looks: a style for each layer, one style for all, or what the mapping makes such a style of."""

Start = Literal["mean", "random", "encoder"]
"""Where it begins: the mean latent, noise, or what the method's encoder says."""


@dataclass(frozen=True)
class Networks:
    """What a method may ask for. It is handed its networks; it loads none."""

    generator: StyleGenerator
    mean_latent: Tensor
    """[L, D]."""
    encoder: nn.Module | None = None
    """[B, 3, S, S] RGB, -1..1, to w [B, L, D] and F [B, C, h, h]."""
    domain_encoder: nn.Module | None = None
    """[B, 3, S, S] RGB, -1..1, to w [B, L, D] where the generator's own pictures have theirs."""
    perceptual: Perceptual | None = None


@dataclass(frozen=True)
class SearchOptions:
    """How an optimiser looks for codes; weights are of means over pixels, places or a code's numbers."""

    space: Space = "w+"
    start: Start = "mean"
    steps: int = 200
    warm_steps: int = 40  # in video, for methods that go on from the frame before
    rate: float = 0.2  # of Adam; it falls to nothing over the second half of the steps
    pixels: float = 1.0  # squared differences, on a scale of -1..1
    perceptual: float = 1.0
    domain: float = 0.0  # |w - E(G(w))|^2, E the domain encoder
    feature: bool = False  # look for F too, which else is G^K(w)
    feature_pull: float = 0.01  # |F - G^K(w)|^2
    noise: bool = False  # look for noise maps too
    seed: int = 0  # of a random start


@dataclass(frozen=True)
class Inverted:
    """A batch of pictures as codes."""

    w: Tensor
    """[B, L, D] float32."""

    feature: Tensor
    """[B, C, h, h] float32, F."""

    noise: Tensor | None = None
    """[B, M] float32, noise maps behind one another; None: the generator's own."""

    z: Tensor | None = None
    """[B, D] float32, what the mapping made the styles of; None: they were found elsewhere."""

    def codes(self) -> list[Code]:
        """One by one."""
        noises = [None] * len(self.w) if self.noise is None else list(self.noise)
        return [Code(w, feature, noise) for w, feature, noise in zip(self.w, self.feature, noises, strict=True)]

    def rows(self) -> list[Inverted]:
        """One by one, as batches of one."""
        return [
            Inverted(
                self.w[i : i + 1],
                self.feature[i : i + 1],
                None if self.noise is None else self.noise[i : i + 1],
                None if self.z is None else self.z[i : i + 1],
            )
            for i in range(len(self.w))
        ]


def batch_of(codes: Sequence[Code]) -> Inverted:
    """Codes of one method's making, one after the other, as a batch."""
    noise = None if codes[0].noise is None else torch.stack([known(code.noise) for code in codes])
    return Inverted(torch.stack([code.w for code in codes]), torch.stack([code.feature for code in codes]), noise)


def together(some: Sequence[Inverted]) -> Inverted:
    """Several batches of one method's making as one."""
    noises, zs = [one.noise for one in some], [one.z for one in some]
    return Inverted(
        torch.cat([one.w for one in some]),
        torch.cat([one.feature for one in some]),
        None if noises[0] is None else torch.cat([known(noise) for noise in noises]),
        None if zs[0] is None else torch.cat([known(z) for z in zs]),
    )


Invert = Callable[[Tensor, Networks, SearchOptions, Inverted | None], Inverted]
"""[B, 3, S, S] RGB, -1..1, to codes. The options are read by methods that search; the last is where to go on from."""

Features = Callable[[Tensor, Tensor, Tensor | None, Networks], Tensor]
"""F [B, C, h, h] once more, of pictures whose w [B, L, D] and noise maps [B, M] are known already."""


def features_of_styles(pictures: Tensor, w: Tensor, noise: Tensor | None, networks: Networks) -> Tensor:
    """G^K(w): F of methods that look for none."""
    return networks.generator.features(w, noise).float()


@dataclass(frozen=True)
class Method:
    """A way of inverting: a row of :data:`vidinv.inversion.METHODS`."""

    invert: Invert
    needs: tuple[str, ...]
    """Networks that a pack has to have, beside the generator."""
    search: SearchOptions | None = None
    """Its own options; None: it asks an encoder once, and searches for nothing."""
    spaces: tuple[Space, ...] = ("w+",)
    starts: tuple[Start, ...] = ("encoder",)
    warm: bool = False
    """In video it goes on from the same person's code in the frame before."""
    features: Features = features_of_styles
    """F once more, bit for bit; not where the options had F searched for."""
