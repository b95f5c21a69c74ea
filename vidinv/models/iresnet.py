"""Improved residual network (Duta et al. 2020, arXiv:2004.04989), the trunk of published face networks.

Unlike a plain residual block it starts with a norm and ends without an activation, so that the shortcut stays a sum.
Modules are named as in the published checkpoints.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

IRESNET50 = (3, 4, 14, 3)
WIDTHS = (64, 64, 128, 256, 512)


class IResNetBlock(nn.Module):
    """Norm, 3x3, norm, PReLU, 3x3 (which strides), norm; beside it a 1x1 with norm where the shape changes."""

    foldable = (("conv1", "bn2"), ("conv2", "bn3"))

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.prelu = nn.PReLU(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = (
            nn.Identity()
            if stride == 1
            else nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return self.bn3(self.conv2(y)) + self.downsample(x)


class IResNet(nn.Module):
    """A stem at full size and stages that halve; ``widths`` has one entry more than ``blocks``."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS, blocks: tuple[int, ...] = IRESNET50) -> None:
        super().__init__()
        first = widths[0]
        self.stem = nn.Sequential(nn.Conv2d(3, first, 3, 1, 1, bias=False), nn.BatchNorm2d(first), nn.PReLU(first))
        self.stages = nn.ModuleList(
            nn.Sequential(IResNetBlock(a, b, 2), *(IResNetBlock(b, b, 1) for _ in range(n - 1)))
            for a, b, n in zip(widths[:-1], widths[1:], blocks, strict=True)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """[B, 3, S, S] to the outputs of all stages: [B, widths[i + 1], S / 2**(i + 1), S / 2**(i + 1)]."""
        x, outputs = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            outputs.append(x)
        return outputs


def cut_and_resize(x: Tensor, box: tuple[float, float, float, float], side: int) -> Tensor:
    """A rectangle of every picture as ``side`` x ``side``; anti-aliased, and repeating the border beyond it.

    :param x: [B, C, S, S]. :param box: x0, y0, x1, y1, fractions of the picture, rounded to pixels.
    """
    size = x.shape[-1]
    x0, y0, x1, y1 = (round(v * size) for v in box)
    beyond = max(0, -x0, -y0, x1 - size, y1 - size)
    if beyond:
        x = F.pad(x, (beyond,) * 4, mode="replicate")
    x = x[:, :, y0 + beyond : y1 + beyond, x0 + beyond : x1 + beyond]
    if x.shape[-2:] == (side, side):
        return x
    return F.interpolate(x.float(), (side, side), mode="bilinear", antialias=True).to(x.dtype)
