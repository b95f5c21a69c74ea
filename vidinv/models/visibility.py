"""Where a face is, and what lies over it: a small network with a fine and a coarse look at the crop.

The face is meant whole, from the jaw to the upper forehead, also where something covers it. Hands, cups, microphones,
masks and other people cover it; its own hair, glasses and beard belong to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.backbone import rectified
from vidinv.models.student import Student, StudentConfig


class Visibility(NamedTuple):
    face: Tensor  # [B, h, h] 0..1, P(the face would be seen here if nothing covered it)
    occluder: Tensor  # [B, h, h] 0..1, P(something that is not the face's own is seen here)


@dataclass(frozen=True)
class VisibilityConfig(StudentConfig):
    """The maps have half of ``side``."""

    widths: tuple[int, ...] = (16, 40, 72, 96)


class Merge(nn.Module):
    """The coarse look, doubled in size, joins the finer one (Ronneberger et al. 2015, with a sum for the joint)."""

    foldable = (("conv", "norm"),)

    def __init__(self, c_coarse: int, c_fine: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(c_coarse, c_fine, 1)
        self.conv = nn.Conv2d(c_fine, c_fine, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(c_fine)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        up = F.interpolate(self.narrow(coarse), scale_factor=2, mode="bilinear", align_corners=False)
        return rectified(self.norm(self.conv(up + fine)))


class VisibilityNet(Student):
    config: VisibilityConfig

    def __init__(self, config: VisibilityConfig) -> None:
        super().__init__(config)
        self.merges = nn.ModuleList(Merge(coarse, fine) for fine, coarse in pairwise(config.widths))
        self.to_maps = nn.Conv2d(config.widths[0], 2, 1)

    def logits(self, x: Tensor) -> Tensor:
        """[B, 2, side / 2, side / 2] float32, face and occluder: what losses want."""
        looks = self.looks(x)
        y = looks.pop()
        for merge in reversed(self.merges):
            y = merge(y, looks.pop())
        with torch.autocast(x.device.type, enabled=False):
            return self.to_maps(y.float())

    def forward(self, x: Tensor) -> Visibility:
        """:param x: [B, 3, S, S] RGB crops of the pack's template, -1..1, any S.

        :return: float32 maps of half the network's side.
        """
        return Visibility(*self.logits(x).sigmoid().unbind(1))
