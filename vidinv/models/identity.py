"""Who a face is: a small student of a face-recognition network, for similarities while a video is edited.

The pack's own measure of identity. It is trained by ``vidinv.training.distil`` to give the teacher's embeddings
(Park et al. 2019, arXiv:1904.05068, for the relational part) straight from the pack's crop.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.backbone import stage


@dataclass(frozen=True)
class IdentityConfig:
    """Sizes of the network; ``widths`` are the trunk's channels at 1/2, 1/4, ... of its ``side`` x ``side`` input.

    ``side`` is a multiple of 2 ** len(widths).
    """

    side: int = 64
    widths: tuple[int, ...] = (24, 48, 96, 192)
    blocks: tuple[int, ...] = (1, 1, 1)
    squeeze: int = 64  # channels kept per place of the last stage
    embedding: int = 128


class IdentityNet(nn.Module):
    def __init__(self, config: IdentityConfig) -> None:
        super().__init__()
        self.config, c = config, config.widths
        if config.side % 2 ** len(c):
            raise ValueError(f"side {config.side} cannot be halved {len(c)} times")
        self.stem = nn.Sequential(nn.Conv2d(12, c[0], 3, 1, 1, bias=False), nn.BatchNorm2d(c[0]), nn.LeakyReLU(0.2))
        self.stages = nn.Sequential(*(stage(a, b, n) for a, b, n in zip(c[:-1], c[1:], config.blocks, strict=True)))
        last = config.side // 2 ** len(c)
        self.squeeze = nn.Conv2d(c[-1], config.squeeze, 1)
        self.to_embedding = nn.Linear(c[-1] + config.squeeze * last * last, config.embedding)

    def forward(self, x: Tensor) -> Tensor:
        """:param x: [B, 3, S, S] RGB crops of the pack's template, -1..1, any S.

        :return: [B, 128] float32 unit vectors; the dot product of two of them is their similarity, -1..1.
        """
        x = F.interpolate(x.float(), (self.config.side,) * 2, mode="bilinear", antialias=True)
        x = self.stages(self.stem(F.pixel_unshuffle(x, 2)))
        # Means say what is there, the squeezed map says where: a face is both.
        x = torch.cat([x.mean((2, 3)), F.leaky_relu(self.squeeze(x), 0.2).flatten(1)], 1)
        with torch.autocast(x.device.type, enabled=False):
            return F.normalize(self.to_embedding(x.float()), dim=1)
