"""A discriminator that is told what a face should show: of edited pictures it asks whether a face of those scores
looks like that.

It judges patches of two sizes and the whole, so that eyes and mouths, which lie alike in aligned crops, are judged
where they are. The condition enters the last layers alone, as a projection (Miyato and Koyama 2018,
arXiv:1802.05637), so that one look at a picture answers for several conditions. Beside it a head reads the scores of
real pictures: a reader that shares nothing with the labelling networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.ops import keep_variance


@dataclass(frozen=True)
class EditCriticConfig:
    """Sizes of the network; ``widths`` are its channels at 1/2, 1/4, 1/8 and 1/16 of the picture."""

    resolution: int = 128
    scores: int = 12
    widths: tuple[int, int, int, int] = (48, 96, 160, 224)


class Looked(NamedTuple):
    """What was seen of B pictures."""

    maps: list[Tensor]  # [B, C, h, h] each, finest first
    whole: Tensor  # [B, C]
    scores: Tensor  # [B, K], standardised


class EditCritic(nn.Module):
    def __init__(self, config: EditCriticConfig) -> None:
        super().__init__()
        self.config, c = config, config.widths
        self.enter = nn.Conv2d(12, c[0], 3, 1, 1)
        self.descents = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(c))
        self.mixes = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1) for width in c[2:])
        sides = [config.resolution // 8, config.resolution // 16]
        # Where in the crop a patch lies: an eye beside the nose is no eye.
        self.places = nn.ParameterList(torch.zeros(1, width, s, s) for width, s in zip(c[2:], sides, strict=True))
        self.unconditional = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in c[2:])
        self.conditional = nn.ModuleList(nn.Conv2d(width, config.scores, 1) for width in c[2:])
        self.hidden = nn.Linear(c[-1] * 16, c[-1])
        self.judge, self.compare = nn.Linear(c[-1], 1), nn.Linear(c[-1], config.scores)
        self.read = nn.Linear(c[-1], config.scores)
        keep_variance(self)

    def look(self, x: Tensor) -> Looked:
        """:param x: [B, 3, S, S] in -1..1."""
        x = F.leaky_relu(self.enter(F.pixel_unshuffle(x, 2)), 0.2)
        maps = []
        for step, descend in enumerate(self.descents):
            x = F.leaky_relu(descend(x), 0.2)
            if step:
                x = F.leaky_relu(self.mixes[step - 1](x + self.places[step - 1].to(x.dtype)), 0.2)
                maps.append(x)
        whole = F.leaky_relu(self.hidden(F.adaptive_avg_pool2d(x, 4).flatten(1)), 0.2)
        return Looked(maps, whole, self.read(whole).float())

    def judged(self, seen: Looked, condition: Tensor) -> list[Tensor]:
        """Logits of patches and of the whole, [B, *] each; high for a real picture of a face with these scores.

        :param condition: [B, K], standardised scores; 0 where nothing is known.
        """
        found = []
        condition = condition / condition.shape[1] ** 0.5
        for look, alone, told in zip(seen.maps, self.unconditional, self.conditional, strict=True):
            match = (told(look).float() * condition[..., None, None]).sum(1)
            found.append((alone(look).float()[:, 0] + match).flatten(1))
        match = (self.compare(seen.whole).float() * condition).sum(1, keepdim=True)
        return [*found, self.judge(seen.whole).float() + match]
