"""What a face shows: age, sex and expression, by a small student of labelling networks.

Its scores are what the pack's edits are measured in, and nothing more: "male" is how a network reads a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vidinv.models.student import DescribingConfig, DescribingStudent

EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
SCORES = ("age", "smile", "gender")
SUREST = 0.998  # probability beyond which a logit tells nothing more
MOST_SURE = log(SUREST / (1 - SUREST))  # and that logit


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
class AttributeConfig(DescribingConfig):
    widths: tuple[int, ...] = (20, 40, 80, 160)
    squeeze: int = 32


class AttributeNet(DescribingStudent):
    config: AttributeConfig

    def __init__(self, config: AttributeConfig) -> None:
        super().__init__(config)
        self.to_logits = nn.Linear(self.descriptor_size, 2 + len(EXPRESSIONS))

    def logits(self, x: Tensor) -> Tensor:
        """[B, 9] float32: decades of age past thirty, logit of male, logits of the expressions.

        Losses and gradients want these: probabilities saturate.
        """
        return self.read(x, self.to_logits)

    def scores(self, x: Tensor) -> dict[str, Tensor]:
        """[B] each of SCORES on scales on which a standard deviation means the same anywhere: years, and logits of
        probabilities. :param x: as of :meth:`forward`."""
        out = self.logits(x)
        others = torch.cat([out[:, 2:3], out[:, 4:]], 1).logsumexp(1)
        return {"age": 30 + 10 * out[:, 0], "smile": out[:, 3] - others, "gender": out[:, 1]}

    def forward(self, x: Tensor) -> Attributes:
        """:param x: [B, 3, S, S] RGB crops of the pack's template, -1..1, any S.

        :return: float32 age (years), P(male), P(expression).
        """
        out = self.logits(x)
        return Attributes(30 + 10 * out[:, 0], out[:, 1].sigmoid(), out[:, 2:].softmax(1))


def scaled(name: str, score: float) -> float:
    """A score of :meth:`Attributes.score` on the scale of :meth:`AttributeNet.scores`, as far as a rounded probability
    tells: logits end at that of ``SUREST``."""
    if name == "age":
        return score
    p = min(max(score, 1 - SUREST), SUREST)
    return log(p / (1 - p))
