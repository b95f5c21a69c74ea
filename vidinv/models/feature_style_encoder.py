"""Feature-Style encoder (Yao et al. 2022, arXiv:2202.02183): a picture to w in W+ and a feature code F.

A residual trunk reads the picture once. The stage of F's resolution becomes F; global descriptors of the last three
stages are joined and mapped to one style per generator layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.style_encoder import StyleEncoderConfig, StyleReader, style_misfits
from vidinv.models.synthesis import GeneratorSizes


@dataclass(frozen=True)
class EncoderConfig(StyleEncoderConfig):
    """Sizes of the network: those of its styles' half, and F's."""

    feature_channels: int = 256
    feature_side: int = 16  # of F, margins included
    feature_margin: int = 0  # samples by which F reaches beyond each border of the picture (alias-free generators)


def misfits(encoder: EncoderConfig, generator: GeneratorSizes) -> list[str]:
    """What would have to change in ``encoder`` for its codes to fit a generator: "layers = 16", ..."""
    wanted = {
        "feature_channels": generator.feature_shape[0],
        "feature_side": generator.feature_shape[1],
        "feature_margin": generator.feature_margin,
    }
    of_feature = [f"{k} = {v}" for k, v in wanted.items() if getattr(encoder, k) != v]
    return style_misfits(encoder, generator) + of_feature


class FeatureStyleEncoder(StyleReader):
    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config, c = config, config.widths
        self._build_trunk(config)
        side, inner = config.resolution // 2, config.feature_side - 2 * config.feature_margin
        sides = [side // 2 ** (i + 1) for i in range(len(self.stages))]
        if inner not in sides:
            raise ValueError(f"F of {inner} px needs a stage of that side; this encoder's stages are {sides}")
        self._feature_stage = sides.index(inner)
        c_mid = c[self._feature_stage + 1]
        self.to_feature = nn.Sequential(
            nn.Conv2d(c_mid, config.feature_channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(config.feature_channels),
            nn.LeakyReLU(0.2),
            nn.Conv2d(config.feature_channels, config.feature_channels, 1),
        )
        self._build_styles(config)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """:param x: [B, 3, S, S] RGB, -1..1.

        :return: w [B, L, D] float32 and F [B, C, h, h].
        """
        looks = self.looks(x)
        margin = (self.config.feature_margin,) * 4
        feature = self.to_feature(F.pad(looks[self._feature_stage], margin, mode="replicate"))
        return self.styles(looks), feature
