"""Face parsing with BiSeNet (Yu et al. 2018, arXiv:1808.00897): which part of a face every pixel belongs to.

The published variant for faces: the context path is a resnet18 (He et al. 2016), whose stage at 1/8 also serves as the
spatial path. Modules are named as in the published checkpoint; its two auxiliary outputs serve training only.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# CelebAMask-HQ's order, as published.
PARTS = (
    "background", "skin", "left brow", "right brow", "left eye", "right eye", "glasses", "left ear", "right ear",
    "earring", "nose", "mouth", "upper lip", "lower lip", "neck", "necklace", "clothes", "hair", "hat",
)  # fmt: skip
FACE = tuple(PARTS.index(p) for p in PARTS[1:14] if "ear" not in p)
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, RGB in 0..1


@dataclass(frozen=True)
class FaceParsingConfig:
    """Sizes of the network; ``widths`` are the channels of the resnet's four stages."""

    side: int = 512  # what the network sees, pixels; a multiple of 32
    widths: tuple[int, ...] = (64, 128, 256, 512)
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    parts: int = len(PARTS)


class _Block(nn.Module):
    foldable = (("conv1", "bn1"), ("conv2", "bn2"))

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out)
        self.conv2, self.bn2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False), nn.BatchNorm2d(c_out)
        same = c_in == c_out and stride == 1
        shortcut = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))
        self.downsample = nn.Identity() if same else shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.downsample(x))


class _ResNet(nn.Module):
    foldable = (("conv1", "bn1"),)
    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(self, widths: tuple[int, ...], blocks: tuple[int, ...]) -> None:
        super().__init__()
        c = (widths[0], *widths)
        self.conv1, self.bn1 = nn.Conv2d(3, c[0], 7, 2, 3, bias=False), nn.BatchNorm2d(c[0])
        for i, count in enumerate(blocks):
            first = _Block(c[i], c[i + 1], 1 if i == 0 else 2)
            self.add_module(
                f"layer{i + 1}", nn.Sequential(first, *(_Block(c[i + 1], c[i + 1], 1) for _ in range(count - 1)))
            )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """At 1/8, 1/16 and 1/32 of the input's size."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        at_8 = self.layer2(self.layer1(x))
        at_16 = self.layer3(at_8)
        return at_8, at_16, self.layer4(at_16)


class _ConvNorm(nn.Module):
    foldable = (("conv", "bn"),)

    def __init__(self, c_in: int, c_out: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, 1, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(c_out)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class _Refinement(nn.Module):
    """Attention refinement: channels are weighed by what the whole picture says of them."""

    foldable = (("conv_atten", "bn_atten"),)

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv = _ConvNorm(c_in, c_out)
        self.conv_atten, self.bn_atten = nn.Conv2d(c_out, c_out, 1, bias=False), nn.BatchNorm2d(c_out)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * self.bn_atten(self.conv_atten(x.mean((2, 3), keepdim=True))).sigmoid()


class _ContextPath(nn.Module):
    def __init__(self, config: FaceParsingConfig) -> None:
        super().__init__()
        w, c = config.widths, config.widths[1]
        self.resnet = _ResNet(w, config.blocks)
        self.arm16, self.arm32 = _Refinement(w[2], c), _Refinement(w[3], c)
        self.conv_head16, self.conv_head32 = _ConvNorm(c, c), _ConvNorm(c, c)
        self.conv_avg = _ConvNorm(w[3], c, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The spatial detail and the context, both at 1/8."""
        at_8, at_16, at_32 = self.resnet(x)
        whole = self.conv_avg(at_32.mean((2, 3), keepdim=True))
        context = self.conv_head32(F.interpolate(self.arm32(at_32) + whole, at_16.shape[2:]))
        return at_8, self.conv_head16(F.interpolate(self.arm16(at_16) + context, at_8.shape[2:]))


class _Fusion(nn.Module):
    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.convblk = _ConvNorm(c_in, c_out, 1)
        self.conv1 = nn.Conv2d(c_out, c_out // 4, 1, bias=False)
        self.conv2 = nn.Conv2d(c_out // 4, c_out, 1, bias=False)

    def forward(self, detail: Tensor, context: Tensor) -> Tensor:
        x = self.convblk(torch.cat([detail, context], 1))
        return x + x * self.conv2(F.relu(self.conv1(x.mean((2, 3), keepdim=True)))).sigmoid()


class _Output(nn.Module):
    def __init__(self, c_in: int, parts: int) -> None:
        super().__init__()
        self.conv, self.conv_out = _ConvNorm(c_in, c_in), nn.Conv2d(c_in, parts, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_out(self.conv(x))


class FaceParsing(nn.Module):
    def __init__(self, config: FaceParsingConfig) -> None:
        super().__init__()
        self.config, c = config, config.widths[1]
        self.cp = _ContextPath(config)
        self.ffm = _Fusion(2 * c, 2 * c)
        self.conv_out = _Output(2 * c, config.parts)

    def logits(self, x: Tensor) -> Tensor:
        """:param x: [B, 3, S, S] RGB crops, -1..1, any S; those of FFHQ's template are what it was trained on.

        :return: [B, 19, S, S], in the order of PARTS.
        """
        size, side = x.shape[-1], self.config.side
        if size != side:
            x = F.interpolate(x.float(), (side, side), mode="bilinear", antialias=True)
        mean, deviation = (torch.tensor(v, device=x.device, dtype=x.dtype) for v in (_MEAN, _DEVIATION))
        x = ((x + 1) / 2 - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)
        logits = self.conv_out(self.ffm(*self.cp(x)))
        return F.interpolate(logits, (size, size), mode="bilinear", align_corners=True)

    def forward(self, x: Tensor) -> Tensor:
        """[B, S, S] float32: the probability that a pixel belongs to the face, without ears, neck and hair, 0..1."""
        return self.logits(x).float().softmax(1)[:, list(FACE)].sum(1).clamp(max=1.0)  # a sum of rounded shares
