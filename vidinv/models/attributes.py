"""What a face shows: age, sex, expression and what it wears, by a small student of labelling networks.

Its scores are what the pack's edits are measured in, and nothing more: "male" is how a network reads a picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vidinv.models.backbone import describe, stages
from vidinv.models.student import DescribingConfig, DescribingStudent

EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
SCORES = ("age", "smile", "gender")  # that every such network reads
TOLD = 2 + len(EXPRESSIONS)  # numbers that they are told by
SUREST = 0.998  # probability beyond which a logit tells nothing more
MOST_SURE = log(SUREST / (1 - SUREST))  # and that logit
NOTHING: Mapping[str, Tensor] = MappingProxyType({})


class Attributes(NamedTuple):
    age: Tensor  # [B] years
    male: Tensor  # [B] P(male), 0..1
    expression: Tensor  # [B, 7] probabilities in the order of EXPRESSIONS, summing to 1
    worn: Mapping[str, Tensor] = NOTHING  # [B] probabilities by what the network's config calls worn

    def score(self, name: str) -> Tensor:
        """[B] score by the name of an edit: "age" in years, "smile" = P(happy), "gender" = P(male), of what is worn its
        probability.

        :raises ValueError: the network reads nothing of this name.
        """
        found = {"age": self.age, "smile": self.expression[:, 1], "gender": self.male, **self.worn}
        if name not in found:
            raise ValueError(f"no score for {name!r}; there are {', '.join(found)}")
        return found[name]


@dataclass(frozen=True)
class AttributeConfig(DescribingConfig):
    widths: tuple[int, ...] = (20, 40, 80, 160)
    squeeze: int = 32
    worn: tuple[str, ...] = ()
    """What is told besides SCORES, as present or not: "glasses", "beard", "makeup"."""
    worn_widths: tuple[int, ...] = (32, 48, 64)
    """Channels of the stages that read it, at 1/4, 1/8, ... of ``side``."""

    @property
    def scores(self) -> tuple[str, ...]:
        """All that the network reads, by the names of edits."""
        return (*SCORES, *self.worn)


class Worn(nn.Module):
    """What is worn, by stages of its own on the trunk's finest look: they can be trained where the trunk is to stay."""

    def __init__(self, config: AttributeConfig) -> None:
        super().__init__()
        widths = (config.widths[0], *config.worn_widths)
        last = config.side // 2 ** len(widths)
        if not last or set(config.worn) & set(SCORES) or len(set(config.worn)) < len(config.worn):
            raise ValueError(f"cannot read {', '.join(config.worn)} with widths {widths} of a side of {config.side}")
        self.stages = stages(widths, (1,) * len(config.worn_widths))
        self.squeeze = nn.Conv2d(widths[-1], config.squeeze, 1)
        self.to_logits = nn.Linear(widths[-1] + config.squeeze * last * last, len(config.worn))

    def forward(self, look: Tensor) -> Tensor:
        """[B, K] float32 logits, also under autocast. :param look: [B, C, side / 2, side / 2]."""
        for down in self.stages:
            look = down(look)
        descriptor = describe([look], self.squeeze)
        with torch.autocast(look.device.type, enabled=False):
            return self.to_logits(descriptor.float())


class AttributeNet(DescribingStudent):
    config: AttributeConfig

    def __init__(self, config: AttributeConfig) -> None:
        super().__init__(config)
        self.to_logits = nn.Linear(self.descriptor_size, TOLD)
        self.worn = Worn(config) if config.worn else None

    def logits(self, x: Tensor) -> Tensor:
        """[B, 9 + K] float32: decades of age past thirty, logit of male, logits of the expressions and of what is worn.

        Losses and gradients want these: probabilities saturate.
        """
        looks = self.looks(x)
        told = self.answer(looks[-1], self.to_logits)
        return told if self.worn is None else torch.cat([told, self.worn(looks[0])], 1)

    def scores(self, x: Tensor) -> dict[str, Tensor]:
        """[B] each of ``config.scores`` on scales on which a standard deviation means the same anywhere: years, and
        logits of probabilities; of what is worn as far as they tell something, or a leak would be told where nobody
        sees one: most faces are without, and far beyond it. :param x: as of :meth:`forward`."""
        out = self.logits(x)
        others = torch.cat([out[:, 2:3], out[:, 4:TOLD]], 1).logsumexp(1)
        told = {"age": 30 + 10 * out[:, 0], "smile": out[:, 3] - others, "gender": out[:, 1]}
        worn = out[:, TOLD:].clamp(-MOST_SURE, MOST_SURE)
        return told | dict(zip(self.config.worn, worn.unbind(1), strict=True))

    def forward(self, x: Tensor) -> Attributes:
        """:param x: [B, 3, S, S] RGB crops of the pack's template, -1..1, any S.

        :return: float32 age (years), P(male), P(expression), and of what is worn.
        """
        out = self.logits(x)
        worn = dict(zip(self.config.worn, out[:, TOLD:].sigmoid().unbind(1), strict=True))
        return Attributes(30 + 10 * out[:, 0], out[:, 1].sigmoid(), out[:, 2:TOLD].softmax(1), worn)


def scaled(name: str, score: float) -> float:
    """A score of :meth:`Attributes.score` on the scale of :meth:`AttributeNet.scores`, as far as a rounded probability
    tells: logits end at that of ``SUREST``."""
    if name == "age":
        return score
    p = min(max(score, 1 - SUREST), SUREST)
    return log(p / (1 - p))
