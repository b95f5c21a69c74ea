"""A discriminator of patches about the eyes and the mouth: where a picture that is soft gives itself away.

Aligned crops have eyes and mouth at the template's places, so two crops of half the picture's side hold them, at a
third of what the whole picture would cost. It judges patches of two sizes and is told which crop it sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.faces.quads import FACE, Template


@dataclass(frozen=True)
class HeadCriticConfig:
    """Sizes of the network; ``widths`` are its channels at 1/2, 1/4 and 1/8 of a crop."""

    side: int = 64  # of a crop, pixels
    widths: tuple[int, int, int] = (48, 96, 160)


def corners(resolution: int, side: int, template: Template = FACE) -> tuple[tuple[int, int], tuple[int, int]]:
    """Top left corners (y, x) of the crops about the eyes and about the mouth, pixels."""
    eyes = 0.5 - template.centre / (2 * template.by_mouth)
    mouth = eyes + 1 / (2 * template.by_mouth)
    left, most = (resolution - side) // 2, resolution - side
    first, second = (min(max(round(at * resolution - side / 2), 0), most) for at in (eyes, mouth))
    return (first, left), (second, left)


class HeadCritic(nn.Module):
    def __init__(self, config: HeadCriticConfig) -> None:
        super().__init__()
        self.config, c = config, config.widths
        self.enter = nn.Conv2d(12, c[0], 3, 1, 1)
        self.descents = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(c))
        self.mixes = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1) for width in c[1:])
        sides = [config.side // 4, config.side // 8]
        # What lies where in which crop: an eye beside the nose is no eye.
        self.places = nn.ParameterList(torch.zeros(2, width, s, s) for width, s in zip(c[1:], sides, strict=True))
        self.judges = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in c[1:])

    def crops(self, pictures: Tensor) -> Tensor:
        """Pictures [B, 3, S, S] to [2 B, 3, s, s]: all eyes, then all mouths."""
        side = self.config.side
        places = corners(pictures.shape[-1], side)
        return torch.cat([pictures[..., y : y + side, x : x + side] for y, x in places])

    def forward(self, crops: Tensor) -> list[Tensor]:
        """Logits of patches, [2 B, h, h] float32 each, high for real ones. :param crops: [2 B, 3, s, s] in -1..1."""
        x, found = F.leaky_relu(self.enter(F.pixel_unshuffle(crops, 2)), 0.2), []
        for descend, mix, place, judge in zip(self.descents, self.mixes, self.places, self.judges, strict=True):
            x = F.leaky_relu(descend(x), 0.2)
            x = F.leaky_relu(mix(x + place.to(x.dtype).repeat_interleave(len(crops) // 2, 0)), 0.2)
            found.append(judge(x).float()[:, 0])
        return found
