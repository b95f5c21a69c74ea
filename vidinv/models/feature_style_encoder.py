"""Feature-Style encoder (Yao et al. 2022, arXiv:2202.02183): a picture to w in W+ and a feature code F.

A residual trunk reads the picture once. The stage of F's resolution becomes F; global descriptors of the last three
stages are joined and mapped to one style per generator layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.backbone import describe, stages, stem
from vidinv.models.synthesis import GeneratorSizes

STYLE_GAIN = 5.0
DESCRIBED = 3  # last stages of the trunk whose means the styles are made from


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of the network; ``widths`` are the trunk's channels at 1/2, 1/4, ... of the picture."""

    resolution: int = 128
    widths: tuple[int, ...] = (48, 96, 192, 256, 256)
    blocks: tuple[int, ...] = (2, 3, 1, 1)
    hidden: int = 512
    layers: int = 12  # L
    d_style: int = 256
    feature_channels: int = 256
    feature_side: int = 16  # of F, margins included
    feature_margin: int = 0  # samples by which F reaches beyond each border of the picture (alias-free generators)


def misfits(encoder: EncoderConfig, generator: GeneratorSizes) -> list[str]:
    """What would have to change in ``encoder`` for its codes to fit a generator: "layers = 16", ..."""
    wanted = {
        "resolution": generator.resolution,
        "layers": generator.layers,
        "d_style": generator.d_style,
        "feature_channels": generator.feature_shape[0],
        "feature_side": generator.feature_shape[1],
        "feature_margin": generator.feature_margin,
    }
    return [f"{k} = {v}" for k, v in wanted.items() if getattr(encoder, k) != v]


class FeatureStyleEncoder(nn.Module):
    mean_latent: Tensor  # [L, D]

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config, c = config, config.widths
        self.stem, self.stages = stem(c[0]), stages(c, config.blocks)
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
        last = side // 2 ** len(config.blocks)
        self.squeeze = nn.Conv2d(c[-1], 64, 1)
        pooled = sum(c[1:][-DESCRIBED:])
        self.to_style = nn.Sequential(
            nn.LayerNorm(pooled + 64 * last * last),
            nn.Linear(pooled + 64 * last * last, config.hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(config.hidden, config.layers * config.d_style),
        )
        self.register_buffer("mean_latent", torch.zeros(config.layers, config.d_style))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """:param x: [B, 3, S, S] RGB, -1..1.

        :return: w [B, L, D] float32 and F [B, C, h, h].
        """
        x = self.stem(F.pixel_unshuffle(x, 2))
        looks = []
        for down in self.stages:
            x = down(x)
            looks.append(x)
        margin = (self.config.feature_margin,) * 4
        feature = self.to_feature(F.pad(looks[self._feature_stage], margin, mode="replicate"))
        descriptor = describe(looks[-DESCRIBED:], self.squeeze)
        w = self.to_style(descriptor).float().view(-1, self.config.layers, self.config.d_style)
        # Freshly initialised layers tell faces apart by a tenth of a unit; styles are used to differ by about one.
        return STYLE_GAIN * w + self.mean_latent, feature

    @torch.no_grad()
    def set_mean_latent(self, mean: Tensor) -> None:
        """Name the mean of all codes [L, D]; what the encoder answers stays the same."""
        last = self.to_style[-1]
        assert isinstance(last, nn.Linear)
        last.bias.sub_(((mean - self.mean_latent) / STYLE_GAIN).flatten())
        self.mean_latent.copy_(mean)
