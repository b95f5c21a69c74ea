"""The residual discriminator of StyleGAN2 (Karras et al. 2020, section 4.1 and appendix B)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.ops import SQRT2, EqualLinear, blur, leaky_relu


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Sizes of the network: ``channels[i]`` belongs to resolution 4 * 2**i, as in the generator's config."""

    channels: tuple[int, ...] = (256, 256, 256, 128, 64, 32)
    group: int = 4  # pictures whose spread is measured together

    @property
    def resolution(self) -> int:
        return 4 * 2 ** (len(self.channels) - 1)


class EqualConv(nn.Module):
    """Convolution with run-time weight scaling; where it goes ``down``, the picture is blurred and then halved."""

    def __init__(self, c_in: int, c_out: int, kernel: int, down: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(c_out, c_in, kernel, kernel))
        self.scale, self.down = 1 / math.sqrt(c_in * kernel**2), down

    def forward(self, x: Tensor) -> Tensor:
        weight, kernel = (self.weight * self.scale).to(x.dtype), self.weight.shape[-1]
        if self.down:
            pad = kernel // 2 + 1
            return F.conv2d(blur(x, (pad, pad)), weight, stride=2)
        return F.conv2d(x, weight, padding=kernel // 2)


class ResidualDown(nn.Module):
    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv1, self.bias1 = EqualConv(c_in, c_in, 3), nn.Parameter(torch.zeros(c_in))
        self.conv2, self.bias2 = EqualConv(c_in, c_out, 3, down=True), nn.Parameter(torch.zeros(c_out))
        self.shortcut = EqualConv(c_in, c_out, 1, down=True)

    def forward(self, x: Tensor) -> Tensor:
        y = leaky_relu(self.conv1(x), self.bias1)
        y = leaky_relu(self.conv2(y), self.bias2)
        return (y + self.shortcut(x)) / SQRT2


def batch_spread(x: Tensor, group: int) -> Tensor:
    """One more channel: the standard deviation over groups of pictures, averaged over channels and places.

    (Karras et al. 2018, section 3.) It tells a batch of equal faces from a batch of different ones.

    :param x: [B, C, H, W]; a group has ``group`` pictures, or fewer where B is not a multiple of it.
    :return: [B, C + 1, H, W].
    """
    size = math.gcd(len(x), group)
    y = x.to(torch.promote_types(x.dtype, torch.float32)).view(size, -1, *x.shape[1:])
    spread = (y.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
    channel = spread.to(x.dtype).repeat(size).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
    return torch.cat([x, channel], 1)


class Discriminator(nn.Module):
    """Pictures [B, 3, S, S] in -1..1 -> logits [B], high for pictures that look real."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config, c = config, config.channels[::-1]
        self.from_rgb, self.rgb_bias = EqualConv(3, c[0], 1), nn.Parameter(torch.zeros(c[0]))
        self.blocks = nn.ModuleList(ResidualDown(a, b) for a, b in pairwise(c))
        self.last, self.last_bias = EqualConv(c[-1] + 1, c[-1], 3), nn.Parameter(torch.zeros(c[-1]))
        self.hidden, self.out = EqualLinear(16 * c[-1], c[-1]), EqualLinear(c[-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        x = leaky_relu(self.from_rgb(x), self.rgb_bias)
        for block in self.blocks:
            x = block(x)
        x = leaky_relu(self.last(batch_spread(x, self.config.group)), self.last_bias)
        return self.out(leaky_relu(self.hidden(x.flatten(1)))).squeeze(1)
