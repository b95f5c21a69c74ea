"""T: the edit of this very face. A code and signed amounts of named edits to what they change in the code.

A direction moves every face alike, and so paints the same stencil on everybody. T looks at the face first. What it
changes in F is a motion, along which F's own values travel, and a residual, which draws what the face lacks. The last
weights of both are mixed by the amounts, so that no amount is no change, to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.ops import fetch, keep_variance


@dataclass(frozen=True)
class EditNetworkConfig:
    """Sizes of the network. ``widths`` are its channels at the side of F, half and a quarter of it."""

    edits: tuple[str, ...] = ()  # names, in the order of the amounts
    layers: int = 12  # L
    d_style: int = 256
    feature_channels: int = 128
    feature_side: int = 32
    first_style: int = 8  # those of the layers up to K and of their RGB pictures stay: F has what they make
    widths: tuple[int, ...] = (64, 96, 128)
    blocks: int = 2  # residual blocks at each side, on the way down and on the way up
    hidden: int = 128  # of what is known of face and amounts together
    reach: float = 3.0  # cells of F by which a motion may go, of amounts below 1 their share of it
    most: float = 4.0  # standard deviations of F's channels by which a residual may go


class ModulatedBlock(nn.Module):
    """Two 3x3 convolutions beside the shortcut, scaled and shifted by what is known of the face and of what is asked
    (FiLM, Perez et al. 2018); begins as little."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, 1, 1)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1)
        self.film = nn.Linear(hidden, 2 * channels)
        self.gain = nn.Parameter(torch.full((1, channels, 1, 1), 0.2))

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        scale, shift = (0.2 * self.film(known)).to(x.dtype)[..., None, None].chunk(2, 1)
        y = F.leaky_relu(self.conv1(F.leaky_relu(x, 0.2)) * (1 + scale) + shift, 0.2)
        return x + self.gain.to(x.dtype) * self.conv2(y)


class Blocks(nn.Module):
    def __init__(self, channels: int, count: int, hidden: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ModulatedBlock(channels, hidden) for _ in range(count))

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, known)
        return x


class EditNetwork(nn.Module):
    mean: Tensor  # [C], of F's channels over the training faces
    spread: Tensor  # [C]
    mean_latent: Tensor  # [L, D]
    steps: Tensor  # [E], amounts that one step of each edit is

    def __init__(self, config: EditNetworkConfig) -> None:
        super().__init__()
        self.config, c, count = config, config.widths, len(config.edits)
        styles = config.layers - config.first_style
        self.register_buffer("mean", torch.zeros(config.feature_channels))
        self.register_buffer("spread", torch.ones(config.feature_channels))
        self.register_buffer("mean_latent", torch.zeros(config.layers, config.d_style))
        self.register_buffer("steps", torch.ones(count))
        self.read_style = nn.Sequential(
            nn.Linear(config.layers * config.d_style, config.hidden),
            nn.LeakyReLU(0.2),
        )
        # Signs apart: a broader smile and none are not each other's mirror images.
        self.read_amounts = nn.Linear(2 * count, config.hidden)
        self.join = nn.Sequential(
            nn.Linear(2 * config.hidden, config.hidden), nn.LeakyReLU(0.2), nn.Linear(config.hidden, config.hidden)
        )
        self.enter = nn.Conv2d(config.feature_channels + 2, c[0], 3, 1, 1)
        self.descents = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in pairwise(c))
        self.ascents = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(c))
        self.down = nn.ModuleList(Blocks(width, config.blocks, config.hidden) for width in c)
        self.up = nn.ModuleList(Blocks(width, config.blocks, config.hidden) for width in c[:-1])
        keep_variance(self)
        # One set of last weights for each edit and sign, mixed by the amounts.
        self.draw = nn.Parameter(torch.randn(2 * count, config.feature_channels, c[0]) * 0.003)
        self.move = nn.Parameter(torch.randn(2 * count, 2, c[0]) * 0.003)
        self.open = nn.Parameter(torch.randn(2 * count, config.hidden) * 0.1)
        self.tint = nn.Linear(config.hidden, styles * config.d_style, bias=False)
        nn.init.normal_(self.tint.weight, std=0.01)

    def forward(self, feature: Tensor, w: Tensor, amounts: Tensor) -> tuple[Tensor, Tensor]:
        """What to add to F and w.

        :param feature: [B, C, h, h]. :param w: [B, L, D].
        :param amounts: [B, E], standard deviations of the scores, about -3..3, signed.
        :return: [B, C, h, h] float32 and [B, L, D] float32; zero where all amounts are.
        """
        config, feature = self.config, feature.float()
        signed = torch.cat([amounts.clamp_min(0), (-amounts).clamp_min(0)], 1).float()
        look = self.read_style((w.float() - self.mean_latent).flatten(1))
        known = F.leaky_relu(self.join(torch.cat([look, self.read_amounts(signed)], 1)), 0.2)
        h = self._trunk(feature, known)
        residual, along = (self._mixed(signed, last, h) for last in (self.draw, self.move))
        limit = config.reach * signed.sum(1).clamp_max(1.0)[:, None, None, None].clamp_min(1e-6)
        motion = limit * torch.tanh(along / limit)
        drawn = self.config.most * torch.tanh(residual / self.config.most)
        change = fetch(feature, motion) - feature + self.spread[:, None, None] * drawn
        tint = self.tint(known.float() * (signed @ self.open)).float()
        styles = F.pad(tint.view(len(w), -1, config.d_style), (0, 0, config.first_style, 0))
        return change, styles

    def _mixed(self, signed: Tensor, last: Tensor, h: Tensor) -> Tensor:
        """What last weights [2 E, C, k], mixed by the amounts, make of h [B, k, h, h]: [B, C, h, h] float32."""
        with torch.autocast(h.device.type, enabled=False):  # half precision is slow at so few rows
            weights = (signed @ last.flatten(1)).view(len(h), *last.shape[1:])
        return torch.bmm(weights.to(h.dtype), h.flatten(2)).float().view(len(h), -1, *h.shape[2:])

    def _trunk(self, feature: Tensor, known: Tensor) -> Tensor:
        """What is found at every place, [B, widths[0], h, h]: a U-Net (Ronneberger et al. 2015)."""
        x = (feature - self.mean[:, None, None]) / self.spread[:, None, None]
        axis = torch.linspace(-1, 1, x.shape[-1], device=x.device)
        places = torch.stack(torch.meshgrid(axis, axis, indexing="ij")).expand(len(x), -1, -1, -1)
        x = self.enter(torch.cat([x, places], 1).contiguous(memory_format=torch.channels_last))
        looks = []
        for blocks, descend in zip(self.down, [*self.descents, None], strict=True):
            x = blocks(x, known)
            looks.append(x)
            x = x if descend is None else descend(F.leaky_relu(x, 0.2))
        x = looks.pop()
        for blocks, ascend in zip(reversed(self.up), reversed(self.ascents), strict=True):
            wider = F.interpolate(ascend(x), scale_factor=2, mode="bilinear", align_corners=False)
            x = blocks(wider + looks.pop(), known)
        return F.leaky_relu(x, 0.2)
