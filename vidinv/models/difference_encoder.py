"""The latent difference encoder D (Herrmann and Zengerle 2020): a code and target landmarks to a displacement in W+.

w_hat = w + D(w, landmarks). What it is compared with are its own settings: landmarks as a vector in place of a picture,
and an encoder that answers with w_hat itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.ops import keep_variance


@dataclass(frozen=True)
class DifferenceConfig:
    """Sizes of the network; ``widths`` are the channels at 1/2, 1/4, ... of the landmark picture."""

    layers: int = 12  # L
    d_style: int = 256
    target: Literal["image", "keypoints"] = "image"
    difference: bool = True  # False: the naive encoder, whose answer is w_hat itself
    side: int = 64  # of the landmark picture, pixels
    widths: tuple[int, ...] = (16, 32, 64, 96)
    hidden: int = 256
    points: int = 68


class DifferenceEncoder(nn.Module):
    mean: Tensor  # [L, D], of codes over the training faces
    spread: Tensor  # [L, D], their standard deviations
    mean_points: Tensor  # [P, 2]

    def __init__(self, config: DifferenceConfig) -> None:
        super().__init__()
        self.config, flat = config, config.layers * config.d_style
        self.register_buffer("mean", torch.zeros(config.layers, config.d_style))
        self.register_buffer("spread", torch.ones(config.layers, config.d_style))
        self.register_buffer("mean_points", torch.full((config.points, 2), 0.5))
        self.read_style = nn.Linear(flat, config.hidden)
        self.read_target = _picture_reader(config) if config.target == "image" else _vector_reader(config)
        self.join = nn.Sequential(
            nn.Linear(2 * config.hidden, config.hidden), nn.LeakyReLU(0.2), nn.Linear(config.hidden, config.hidden)
        )
        self.answer = nn.Linear(config.hidden, flat)
        keep_variance(self)
        nn.init.normal_(self.answer.weight, std=0.01)  # begins at next to no displacement

    def forward(self, w: Tensor, target: Tensor) -> Tensor:
        """w_hat.

        :param w: [B, L, D].
        :param target: the landmark picture [B, 1, side, side], 0..1, of
            :func:`vidinv.faces.landmark_image.landmark_images`; for "keypoints" [B, P, 2], fractions of the crop.
        :return: [B, L, D] float32.
        """
        if self.config.target == "keypoints":
            target = ((target - self.mean_points) * 10).flatten(1)  # a tenth of the crop is much
        look = self.read_style(((w.float() - self.mean) / self.spread).flatten(1) / 4)
        known = torch.cat([look, self.read_target(target)], 1)
        moved = self.answer(F.leaky_relu(self.join(F.leaky_relu(known, 0.2)), 0.2)).float().view_as(w) * self.spread
        return (w if self.config.difference else self.mean) + moved


def _picture_reader(config: DifferenceConfig) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise((1, *config.widths)):
        layers += [nn.Conv2d(a, b, 3, 2, 1), nn.LeakyReLU(0.2)]
    last = config.side // 2 ** len(config.widths)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(config.widths[-1] * last * last, config.hidden))


def _vector_reader(config: DifferenceConfig) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(2 * config.points, config.hidden), nn.LeakyReLU(0.2), nn.Linear(config.hidden, config.hidden)
    )
