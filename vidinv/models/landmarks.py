"""Where a face's parts lie: the usual 68 points (iBUG 300-W order), by a small student of a landmark network.

Points are fractions of the crop: 0 is the outer edge of the first pixel and 1 that of the last, so the centre of pixel
i of S is at (i + 0.5) / S, whatever S is.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vidinv.models.student import DescribingConfig, DescribingStudent

# Which point each becomes in the mirrored picture. "Left" is the viewer's left: 36 is the outer corner of that eye.
MIRROR = (
    *range(16, -1, -1),  # jaw
    *range(26, 16, -1),  # brows
    *range(27, 31),  # bridge of the nose
    *range(35, 30, -1),  # nostrils
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),  # eyes
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),  # outer lips
    *(64, 63, 62, 61, 60, 67, 66, 65),  # inner lips
)


def to_pixels(points: Tensor, size: int) -> Tensor:
    """Crop fractions to pixels of a ``size`` x ``size`` crop, (0, 0) being the centre of its top-left pixel."""
    return points * size - 0.5


def to_fractions(points: Tensor, size: int) -> Tensor:
    """The inverse of :func:`to_pixels`."""
    return (points + 0.5) / size


@dataclass(frozen=True)
class LandmarkConfig(DescribingConfig):
    points: int = 68


class LandmarkNet(DescribingStudent):
    config: LandmarkConfig
    mean_points: Tensor

    def __init__(self, config: LandmarkConfig) -> None:
        super().__init__(config)
        self.to_points = nn.Linear(self.descriptor_size, config.points * 2)
        self.register_buffer("mean_points", torch.full((config.points, 2), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        """:param x: [B, 3, S, S] RGB crops of the pack's template, -1..1, any S.

        :return: [B, 68, 2] float32 x and y, fractions of the crop; a jaw that leaves the crop leaves 0..1 too.
        """
        # A tenth of the crop per unit: the head's outputs are then of order one.
        return self.mean_points + 0.1 * self.read(x, self.to_points).view(-1, self.config.points, 2)
