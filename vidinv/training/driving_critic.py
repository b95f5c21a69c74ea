"""The conditional discriminator of driving: does this picture look real, and like these landmarks?

Picture and landmark picture are seen apart, and meet in an inner product (the projection of Miyato and Koyama 2018,
arXiv:1802.05637): one of the whole, and one at every place of two sizes of patches, for landmarks say what lies where.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.ops import keep_variance


@dataclass(frozen=True)
class DrivingCriticConfig:
    """Sizes of the network; ``widths`` are its channels at 1/4, 1/8 and 1/16 of the picture."""

    resolution: int = 128
    widths: tuple[int, int, int] = (48, 96, 160)
    shapes: tuple[int, int, int] = (16, 32, 64)  # those that see the landmark picture, at the same sizes


class DrivingCritic(nn.Module):
    def __init__(self, config: DrivingCriticConfig) -> None:
        super().__init__()
        self.config, c, s = config, config.widths, config.shapes
        self.enter, self.enter_shape = nn.Conv2d(48, c[0], 3, 1, 1), nn.Conv2d(4, s[0], 3, 1, 1)
        self.descents = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(c))
        self.shape_descents = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(s))
        self.mixes = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1) for width in c[1:])
        self.unconditional = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in c[1:])
        self.projections = nn.ModuleList(nn.Conv2d(a, b, 3, 1, 1) for a, b in zip(s[1:], c[1:], strict=True))
        self.hidden = nn.Linear(c[-1] * 16, c[-1])
        self.judge, self.compare = nn.Linear(c[-1], 1), nn.Linear(s[-1] * 16, c[-1])
        keep_variance(self)

    def look(self, x: Tensor) -> list[Tensor]:
        """What is seen of pictures [B, 3, S, S] in -1..1: maps, finest first, and [B, C] of the whole."""
        x, found = F.leaky_relu(self.enter(F.pixel_unshuffle(x, 4)), 0.2), []
        for descend, mix in zip(self.descents, self.mixes, strict=True):
            x = F.leaky_relu(mix(F.leaky_relu(descend(x), 0.2)), 0.2)
            found.append(x)
        return [*found, F.leaky_relu(self.hidden(F.adaptive_avg_pool2d(x, 4).flatten(1)), 0.2)]

    def read(self, shape: Tensor) -> list[Tensor]:
        """What landmark pictures [B, 1, S / 2, S / 2] ask for, in the shapes of :meth:`look`."""
        x, found = F.leaky_relu(self.enter_shape(F.pixel_unshuffle(shape, 2)), 0.2), []
        for descend, project in zip(self.shape_descents, self.projections, strict=True):
            x = F.leaky_relu(descend(x), 0.2)
            found.append(project(x))
        return [*found, self.compare(F.adaptive_avg_pool2d(x, 4).flatten(1))]

    def judged(self, seen: list[Tensor], asked: list[Tensor]) -> list[Tensor]:
        """Logits of patches and of the whole, [B, *] each; high for a real picture with these landmarks.

        :param seen: of :meth:`look`. :param asked: of :meth:`read`.
        """
        *maps, whole = seen
        *places, shape = asked
        found = []
        for look, place, alone in zip(maps, places, self.unconditional, strict=True):
            match = (look.float() * place.float()).sum(1) / look.shape[1] ** 0.5
            found.append((alone(look).float()[:, 0] + match).flatten(1))
        match = (whole.float() * shape.float()).sum(1, keepdim=True) / whole.shape[1] ** 0.5
        return [*found, self.judge(whole).float() + match]

    def forward(self, x: Tensor, shape: Tensor) -> list[Tensor]:
        return self.judged(self.look(x), self.read(shape))


def mean_logit(logits: list[Tensor]) -> Tensor:
    """[B]: what the penalty on the gradient is taken of."""
    return torch.cat([one.mean(1, keepdim=True) for one in logits], 1).sum(1)
