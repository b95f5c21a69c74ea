"""What a face shows: age, sex and expression, by a small student of labelling networks.

Its scores are what the pack's edits are measured in, and nothing more: "male" is how a network reads a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.backbone import stage

EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
SCORES = ("age", "smile", "gender")


class Attributes(NamedTuple):
    age: Tensor  # [B] years
    male: Tensor  # [B] P(male), 0..1
    expression: Tensor  # [B, 7] probabilities in the order of EXPRESSIONS, summing to 1

    def score(self, name: str) -> Tensor:
        """[B] score by the name of an edit: "age" in years, "smile" = P(happy), "gender" = P(male)."""
        if name not in SCORES:
            raise ValueError(f"no score for {name!r}; there are {', '.join(SCORES)}")
        return {"age": self.age, "smile": self.expression[:, 1], "gender": self.male}[name]


@dataclass(frozen=True)
class AttributeConfig:
    """Sizes of the network; ``widths`` are the trunk's channels at 1/2, 1/4, ... of its ``side`` x ``side`` input.

    ``side`` is a multiple of 2 ** len(widths).
    """

    side: int = 64
    widths: tuple[int, ...] = (20, 40, 80, 160)
    blocks: tuple[int, ...] = (1, 1, 1)
    squeeze: int = 32  # channels kept per place of the last stage


class AttributeNet(nn.Module):
    def __init__(self, config: AttributeConfig) -> None:
        super().__init__()
        self.config, c = config, config.widths
        if config.side % 2 ** len(c):
            raise ValueError(f"side {config.side} cannot be halved {len(c)} times")
        self.stem = nn.Sequential(nn.Conv2d(12, c[0], 3, 1, 1, bias=False), nn.BatchNorm2d(c[0]), nn.LeakyReLU(0.2))
        self.stages = nn.Sequential(*(stage(a, b, n) for a, b, n in zip(c[:-1], c[1:], config.blocks, strict=True)))
        last = config.side // 2 ** len(c)
        self.squeeze = nn.Conv2d(c[-1], config.squeeze, 1)
        self.to_logits = nn.Linear(c[-1] + config.squeeze * last * last, 2 + len(EXPRESSIONS))

    def logits(self, x: Tensor) -> Tensor:
        """[B, 9] float32: decades of age past thirty, logit of male, logits of the expressions.

        Losses and gradients want these: probabilities saturate.
        """
        x = F.interpolate(x.float(), (self.config.side,) * 2, mode="bilinear", antialias=True)
        x = self.stages(self.stem(F.pixel_unshuffle(x, 2)))
        x = torch.cat([x.mean((2, 3)), F.leaky_relu(self.squeeze(x), 0.2).flatten(1)], 1)
        with torch.autocast(x.device.type, enabled=False):
            return self.to_logits(x.float())

    def forward(self, x: Tensor) -> Attributes:
        """:param x: [B, 3, S, S] RGB crops of the pack's template, -1..1, any S.

        :return: float32 age (years), P(male), P(expression).
        """
        out = self.logits(x)
        return Attributes(30 + 10 * out[:, 0], out[:, 1].sigmoid(), out[:, 2:].softmax(1))
