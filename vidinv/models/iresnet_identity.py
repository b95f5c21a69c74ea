"""ArcFace (Deng et al. 2019, arXiv:1801.07698) on an iresnet, as published: who a face is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.face_views import Box, FaceView
from vidinv.models.iresnet import IRESNET50, WIDTHS, IResNet, cut_and_resize

# Where ArcFace's 112 x 112 input has the eyes, and the corners of the mouth, on average: pixels.
ARCFACE_VIEW = FaceView(size=(112, 112), eyes=(55.913, 51.599), mouth=(56.140, 92.285), eye_distance=35.237)


@dataclass(frozen=True)
class IResNetIdentityConfig:
    """Sizes of the network, and where in the pack's crop its input lies."""

    side: int = 112
    box: Box = (0.0, 0.0, 1.0, 1.0)  # x0, y0, x1, y1, fractions of the crop
    widths: tuple[int, ...] = WIDTHS
    blocks: tuple[int, ...] = IRESNET50
    embedding: int = 512


class IResNetIdentity(nn.Module):
    def __init__(self, config: IResNetIdentityConfig) -> None:
        super().__init__()
        self.config, last = config, config.widths[-1]
        self.trunk = IResNet(config.widths, config.blocks)
        self.norm = nn.BatchNorm2d(last)
        self.to_embedding = nn.Linear(last * (config.side // 2 ** len(config.blocks)) ** 2, config.embedding)
        self.norm_embedding = nn.BatchNorm1d(config.embedding)

    def embed(self, x: Tensor) -> Tensor:
        """[B, 3, side, side] RGB faces in ArcFace's alignment, -1..1, to [B, embedding] float32 of any length."""
        x = self.norm(self.trunk(x)[-1]).flatten(1)
        with torch.autocast(x.device.type, enabled=False):
            return self.norm_embedding(self.to_embedding(x.float()))

    def forward(self, x: Tensor) -> Tensor:
        """:param x: [B, 3, S, S] RGB crops of the pack's template, -1..1, any S.

        :return: [B, 512] float32 unit vectors; the dot product of two of them is their similarity, -1..1.
        """
        return F.normalize(self.embed(cut_and_resize(x, self.config.box, self.config.side)), dim=1)
