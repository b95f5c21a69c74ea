"""The Feature-Style encoder as its authors published it (Yao et al. 2022, arXiv:2202.02183, section 3).

An iresnet50 reads the picture. Every stage is averaged over 3x3 fields; joined, they give each style by a linear layer
of its own. The third stage becomes F.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.iresnet import IRESNET50, WIDTHS, IResNet, cut_and_resize
from vidinv.models.synthesis import GeneratorSizes

FIELDS = 3  # per axis
FEATURE_STAGE = 2
SHRUNK = 16  # pixels that the network sees to one of F


@dataclass(frozen=True)
class IResNetEncoderConfig:
    """Sizes of the network."""

    side: int = 256  # what the network sees; larger crops are shrunk to it
    widths: tuple[int, ...] = WIDTHS
    blocks: tuple[int, ...] = IRESNET50
    layers: int = 18  # L
    d_style: int = 512
    feature_channels: int = 512


def iresnet_misfits(encoder: IResNetEncoderConfig, generator: GeneratorSizes) -> list[str]:
    """What would have to change in ``encoder`` for its codes to fit a generator: "layers = 16", ..."""
    channels, side, _ = generator.feature_shape
    wanted = {"layers": generator.layers, "d_style": generator.d_style, "feature_channels": channels}
    wrong = [f"{k} = {v}" for k, v in wanted.items() if getattr(encoder, k) != v]
    return wrong if -(-encoder.side // SHRUNK) == side else [*wrong, f"side = {SHRUNK * side}"]


class IResNetEncoder(nn.Module):
    mean_latent: Tensor  # [L, D]

    def __init__(self, config: IResNetEncoderConfig) -> None:
        super().__init__()
        self.config, c = config, config.widths
        self.trunk = IResNet(c, config.blocks)
        c_mid, c_out = c[FEATURE_STAGE + 1], config.feature_channels
        self.to_feature = nn.Sequential(
            nn.BatchNorm2d(c_mid),
            nn.Conv2d(c_mid, c_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.PReLU(c_out),
            nn.Conv2d(c_out, c_out, 3, 2, 1, bias=False),
            nn.BatchNorm2d(c_out),
        )
        pooled = sum(c[1:]) * FIELDS**2
        self.to_styles = nn.ModuleList(nn.Linear(pooled, config.d_style) for _ in range(config.layers))
        self.register_buffer("mean_latent", torch.zeros(config.layers, config.d_style))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """:param x: [B, 3, S, S] RGB, -1..1, any S.

        :return: w [B, L, D] float32 and F [B, C, side / 16, side / 16].
        """
        stages = self.trunk(cut_and_resize(x, (0, 0, 1, 1), self.config.side))
        fields = torch.cat([F.adaptive_avg_pool2d(s, FIELDS) for s in stages], 1).flatten(1)
        w = torch.stack([to_style(fields) for to_style in self.to_styles], 1)
        return w.float() + self.mean_latent, self.to_feature(stages[FEATURE_STAGE])
