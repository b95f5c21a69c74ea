"""A picture to w in W+: the half of the Feature-Style encoder that makes styles, and an encoder that is this half.

The latter is the domain-guided encoder of In-Domain GAN inversion (Zhu et al. 2020, arXiv:2004.00049, section 3.1) in
our shape: what makes it one is how it is trained (vidinv.training.domain).
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
class StyleEncoderConfig:
    """Sizes of the network; ``widths`` are the trunk's channels at 1/2, 1/4, ... of the picture."""

    resolution: int = 128
    widths: tuple[int, ...] = (48, 96, 192, 256, 256)
    blocks: tuple[int, ...] = (2, 3, 1, 1)
    hidden: int = 512
    layers: int = 12  # L
    d_style: int = 256


def style_misfits(encoder: StyleEncoderConfig, generator: GeneratorSizes) -> list[str]:
    """What would have to change in ``encoder`` for its styles to fit a generator: "layers = 16", ..."""
    wanted = {"resolution": generator.resolution, "layers": generator.layers, "d_style": generator.d_style}
    return [f"{k} = {v}" for k, v in wanted.items() if getattr(encoder, k) != v]


class StyleReader(nn.Module):
    """What encoders share that read styles off a residual trunk; each builds the parts in its own order."""

    mean_latent: Tensor  # [L, D]

    def _build_trunk(self, config: StyleEncoderConfig) -> None:
        self.stem, self.stages = stem(config.widths[0]), stages(config.widths, config.blocks)

    def _build_styles(self, config: StyleEncoderConfig) -> None:
        self.layers, self.d_style, c = config.layers, config.d_style, config.widths
        last = config.resolution // 2 // 2 ** len(config.blocks)
        self.squeeze = nn.Conv2d(c[-1], 64, 1)
        pooled = sum(c[1:][-DESCRIBED:])
        self.to_style = nn.Sequential(
            nn.LayerNorm(pooled + 64 * last * last),
            nn.Linear(pooled + 64 * last * last, config.hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(config.hidden, config.layers * config.d_style),
        )
        self.register_buffer("mean_latent", torch.zeros(config.layers, config.d_style))

    def looks(self, x: Tensor) -> list[Tensor]:
        """What every stage of the trunk makes of pictures [B, 3, S, S] in -1..1, finest first."""
        x = self.stem(F.pixel_unshuffle(x, 2))
        found = []
        for down in self.stages:
            x = down(x)
            found.append(x)
        return found

    def styles(self, looks: list[Tensor]) -> Tensor:
        """w [B, L, D] float32 of :meth:`looks`."""
        w = self.to_style(describe(looks[-DESCRIBED:], self.squeeze)).float().view(-1, self.layers, self.d_style)
        # Freshly initialised layers tell faces apart by a tenth of a unit; styles are used to differ by about one.
        return STYLE_GAIN * w + self.mean_latent

    @torch.no_grad()
    def set_mean_latent(self, mean: Tensor) -> None:
        """Name the mean of all codes [L, D]; what the encoder answers stays the same."""
        last = self.to_style[-1]
        assert isinstance(last, nn.Linear)
        last.bias.sub_(((mean - self.mean_latent) / STYLE_GAIN).flatten())
        self.mean_latent.copy_(mean)


class StyleEncoder(StyleReader):
    def __init__(self, config: StyleEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self._build_trunk(config)
        self._build_styles(config)

    def forward(self, x: Tensor) -> Tensor:
        """w [B, L, D] float32 of pictures ``x`` [B, 3, S, S] RGB, -1..1."""
        return self.styles(self.looks(x))
