"""The residual trunk that the encoder and the small student networks share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def rectified(x: Tensor) -> Tensor:
    """Leaky ReLU; where no gradient is asked for, in place: ``x`` is a layer's answer that nobody else sees."""
    return F.leaky_relu(x, 0.2, inplace=not torch.is_grad_enabled())


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm beside a 1x1 (or empty) shortcut; ``stride`` 2 halves the picture."""

    foldable = (("conv1", "norm1"), ("conv2", "norm2"))

    def __init__(self, c_in: int, c_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(c_out)
        same = c_in == c_out and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(c_in, c_out, 1, bias=False)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        y = rectified(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        # Averaging before the 1x1 shortcut is the anti-aliased (and cheaper) form of a strided 1x1.
        x = F.avg_pool2d(x, 2) if self.stride == 2 else x
        shortcut = self.shortcut(x)
        return rectified(y + shortcut if torch.is_grad_enabled() else y.add_(shortcut))


def stage(c_in: int, c_out: int, blocks: int, stride: int = 2) -> nn.Sequential:
    """``blocks`` residual blocks, the first of which strides."""
    return nn.Sequential(ResidualBlock(c_in, c_out, stride), *(ResidualBlock(c_out, c_out) for _ in range(blocks - 1)))


def stem(channels: int) -> nn.Sequential:
    """What reads a picture that ``pixel_unshuffle(x, 2)`` folded, [B, 12, S / 2, S / 2]."""
    return nn.Sequential(nn.Conv2d(12, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels), nn.LeakyReLU(0.2))


def stages(widths: Sequence[int], blocks: Sequence[int]) -> nn.ModuleList:
    """A stage from each width to the next, of so many blocks."""
    sizes = zip(widths[:-1], widths[1:], blocks, strict=True)
    return nn.ModuleList(stage(c_in, c_out, count) for c_in, c_out, count in sizes)


def describe(looks: Sequence[Tensor], squeeze: nn.Conv2d) -> Tensor:
    """Means of all ``looks`` say what is there, the last one's squeezed map says where: a face is both.

    :param looks: outputs of stages, [B, C, h, h] each, finest first. :return: [B, D].
    """
    placed = F.leaky_relu(squeeze(looks[-1]), 0.2).flatten(1)
    return torch.cat([*(x.mean((2, 3)) for x in looks), placed], 1)


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """Fold every batch norm into the convolution before it, in place; for networks that only infer.

    The same function with a third fewer memory passes. Sequences are looked through by themselves; any other module
    names its pairs of convolution and norm in ``foldable``.
    """
    for module in list(network.modules()):
        pairs: Sequence[tuple[str, str]] = getattr(module, "foldable", ())
        if isinstance(module, nn.Sequential):
            pairs = list(pairwise(n for n, _ in module.named_children()))
        for conv, norm in pairs:
            if isinstance(getattr(module, conv), nn.Conv2d) and isinstance(getattr(module, norm), nn.BatchNorm2d):
                setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
                setattr(module, norm, nn.Identity())
    return network
