"""T: W+ to W*, a space in which attributes lie apart (Shukor et al. 2022, arXiv:2206.14892), and back.

A RealNVP (Dinh et al. 2017) over the whole of w: affine couplings, each of which changes every other number by what it
reads in those between, without batch norm. Both ways are exact, so that a code which nothing moves comes back.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

SLOPE = 0.2  # of LeakyReLU
LEAST = 1e-3  # spread that is counted with of a number that hardly differs between faces


@dataclass(frozen=True)
class LatentFlowConfig:
    """Sizes of T. ``attributes`` are those whose classifiers it was trained with, in their order."""

    attributes: tuple[str, ...] = ()
    layers: int = 12  # L
    d_style: int = 256
    couplings: int = 6
    hidden: int = 64


def _three(half: int, hidden: int) -> nn.Sequential:
    """Three fully connected layers, which begin with the answer 0: so T begins as the identity."""
    last = nn.Linear(hidden, half)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(
        nn.Linear(half, hidden), nn.LeakyReLU(SLOPE), nn.Linear(hidden, hidden), nn.LeakyReLU(SLOPE), last
    )


class Coupling(nn.Module):
    """b exp(s(a)) + t(a), with s between -1 and 1; a stays."""

    def __init__(self, half: int, hidden: int) -> None:
        super().__init__()
        self.scale = nn.Sequential(*_three(half, hidden), nn.Tanh())
        self.translate = _three(half, hidden)

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """The changed half, and log |det| of the change, [B]."""
        s = self.scale(a)
        return b * s.exp() + self.translate(a), s.sum(1)

    def inverse(self, a: Tensor, b: Tensor) -> Tensor:
        return (b - self.translate(a)) * (-self.scale(a)).exp()


class LatentFlow(nn.Module):
    """W* is in standard deviations: numbers of w are centred and scaled before the first coupling."""

    mean: Tensor  # [L, D]
    spread: Tensor  # [L, D]
    normals: Tensor  # [K, L * D], of unit length, in W*: where each attribute grows
    steps: Tensor  # [K]: how far along its normal one step of the attribute's edit is

    def __init__(self, config: LatentFlowConfig) -> None:
        super().__init__()
        self.config = config
        count = config.layers * config.d_style
        if count % 2 or config.couplings < 1:
            raise ValueError(f"{config.couplings} couplings of {count} numbers: there are no halves to couple")
        self.register_buffer("mean", torch.zeros(config.layers, config.d_style))
        self.register_buffer("spread", torch.ones(config.layers, config.d_style))
        self.register_buffer("normals", torch.zeros(len(config.attributes), count))
        self.register_buffer("steps", torch.ones(len(config.attributes)))
        self.couplings = nn.ModuleList(Coupling(count // 2, config.hidden) for _ in range(config.couplings))

    def forward(self, w: Tensor) -> Tensor:
        """W* of w. :param w: [B, L, D]. :return: [B, L * D] float32."""
        return self.with_volume(w)[0]

    def with_volume(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and log |det| of T without the first scaling, [B]."""
        halves = list(self.standardised(w).unflatten(1, (-1, 2)).unbind(2))
        volume = halves[0].new_zeros(len(w))
        for number, coupling in enumerate(self.couplings):
            kept, changed = number % 2, 1 - number % 2
            halves[changed], more = coupling(halves[kept], halves[changed])
            volume = volume + more
        return torch.stack(halves, 2).flatten(1), volume

    def inverse(self, star: Tensor) -> Tensor:
        """w [B, L, D] float32 of points of W* [B, L * D]."""
        halves = list(star.to(self.mean.dtype).unflatten(1, (-1, 2)).unbind(2))
        for number, coupling in reversed(list(enumerate(self.couplings))):
            kept, changed = number % 2, 1 - number % 2
            assert isinstance(coupling, Coupling)
            halves[changed] = coupling.inverse(halves[kept], halves[changed])
        whole = torch.stack(halves, 2).flatten(1).view(-1, self.config.layers, self.config.d_style)
        return whole * self.spread + self.mean

    def standardised(self, w: Tensor) -> Tensor:
        """What the first coupling sees, [B, L * D] float32."""
        return ((w.to(self.mean.dtype) - self.mean) / self.spread).flatten(1)

    @torch.no_grad()
    def standardise(self, w: Tensor) -> None:
        """Centre and scale by the codes of many faces, [N, L, D]."""
        self.mean.copy_(w.mean(0))
        self.spread.copy_(w.std(0).clamp_min(LEAST))

    def moved(self, w: Tensor, lengths: Tensor) -> Tensor:
        """T^-1(T(w) + lengths normals).

        :param w: [B, L, D]. :param lengths: [B, K] along the normals, of either sign.
        :return: [B, L, D] float32; w to the bit where all lengths are 0.
        """
        star = self(w)
        # What rounding takes from the way there and back is the same in both, and falls out.
        return w.to(star) + (self.inverse(star + lengths.to(star) @ self.normals) - self.inverse(star))
