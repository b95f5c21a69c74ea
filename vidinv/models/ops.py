"""The operations StyleGAN2 (Karras et al. 2020) is made of, in plain PyTorch: nothing is compiled at import."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SQRT2 = math.sqrt(2.0)
BLUR = (1.0, 3.0, 3.0, 1.0)


def leaky_relu(x: Tensor, bias: Tensor | None = None) -> Tensor:
    """Leaky ReLU (slope 0.2) with gain sqrt(2), which keeps unit variance; ``bias`` [C] is added first."""
    if bias is not None:
        x = x + bias.to(x.dtype).view(1, -1, *([1] * (x.dim() - 2)))
    return F.leaky_relu(x, 0.2) * SQRT2


def _blur_kernel(channels: int, gain: float, like: Tensor) -> Tensor:
    # Filled in on the device: sending four numbers there would make a GPU wait for all the work before it.
    taps = torch.cat([torch.full((1,), tap, device=like.device) for tap in BLUR])
    taps = torch.outer(taps, taps) / taps.sum() ** 2 * gain
    return taps.to(like.dtype).expand(channels, 1, 4, 4)


def blur(x: Tensor, pad: tuple[int, int], gain: float = 1.0) -> Tensor:
    """Filter with [1, 3, 3, 1] x [1, 3, 3, 1]; ``pad`` zeros are added before and after both axes."""
    x = F.pad(x, (pad[0], pad[1], pad[0], pad[1]))
    return F.conv2d(x, _blur_kernel(x.shape[1], gain, x), groups=x.shape[1])


def upsample2(x: Tensor) -> Tensor:
    """Twice the size: zeros in between, then the blur with gain 4 (so that the mean stays)."""
    channels = x.shape[1]
    # One transposed convolution does both; cropping one pixel at each border gives StyleGAN2's padding (2, 1).
    return F.conv_transpose2d(x, _blur_kernel(channels, 4.0, x), stride=2, padding=1, groups=channels)


def fetch(x: Tensor, by: Tensor) -> Tensor:
    """``x`` whose value at p is that at p + ``by``(p), bilinear; the border is repeated.

    :param x: [B, C, h, h]. :param by: [B, 2, h, h] (dx, dy), cells. :return: [B, C, h, h]; ``x`` itself where by is 0.
    """
    side = x.shape[-1]
    at = torch.arange(side, device=x.device, dtype=by.dtype)
    places = torch.stack([at.expand(side, side), at[:, None].expand(side, side)])
    grid = ((places + by) * 2 + 1) / side - 1
    return F.grid_sample(x, grid.permute(0, 2, 3, 1).to(x.dtype), padding_mode="border", align_corners=False)


@torch.no_grad()
def keep_variance(network: nn.Module) -> None:
    """Initialise every convolution and fully connected layer for leaky ReLUs (He et al. 2015); biases are 0.

    PyTorch's own initialisation loses a factor of three of the variance in each layer, and a network of ten of them
    needs thousands of steps to find its voice.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            if layer.bias is not None:
                layer.bias.zero_()


class EqualLinear(nn.Module):
    """Fully connected layer with run-time weight scaling (equalised learning rate)."""

    def __init__(self, d_in: int, d_out: int, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(d_out, d_in) / rate)
        self.bias = nn.Parameter(torch.full((d_out,), float(bias)))
        self.scale, self.rate = rate / math.sqrt(d_in), rate

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, (self.weight * self.scale).to(x.dtype), (self.bias * self.rate).to(x.dtype))


class ModulatedConv(nn.Module):
    """Convolution whose input channels are scaled by a style and whose output is demodulated (section 2.2).

    ``y = demod * conv(style * x)`` equals modulating the weights per sample, without a grouped convolution: one
    convolution serves the whole batch.
    """

    def __init__(self, c_in: int, c_out: int, kernel: int, d_style: int, up: bool = False, demodulate: bool = True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(c_out, c_in, kernel, kernel))
        self.modulation = EqualLinear(d_style, c_in, bias=1.0)
        self.scale, self.up, self.demodulate = 1 / math.sqrt(c_in * kernel**2), up, demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """:param x: [B, C, H, W]; :param w: [B, D]; returns [B, C', H', W'], H' = 2 H where it upsamples."""
        style = self.modulation(w.float())
        weight = self.weight * self.scale
        x = x * style.to(x.dtype)[:, :, None, None]
        if self.up:
            x = F.conv_transpose2d(x, weight.to(x.dtype).transpose(0, 1), stride=2)
            x = blur(x, (1, 1), gain=4.0)
        else:
            x = F.conv2d(x, weight.to(x.dtype), padding=weight.shape[-1] // 2)
        if self.demodulate:
            power = weight.square().sum((2, 3))
            demod = torch.rsqrt(style.square() @ power.t() + 1e-8)
            x = x * demod.to(x.dtype)[:, :, None, None]
        return x


class StyledConv(nn.Module):
    noise: Tensor  # [1, 1, side, side]

    def __init__(self, c_in: int, c_out: int, d_style: int, side: int, up: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv(c_in, c_out, 3, d_style, up=up)
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(c_out))
        # Noise is a fixed picture: drawing it anew for every frame is what makes published video edits crawl.
        self.register_buffer("noise", torch.randn(1, 1, side, side))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None = None) -> Tensor:
        """:param noise: [B, 1, side, side] in place of the layer's own."""
        x = self.conv(x, w)
        noise = self.noise if noise is None else noise
        return leaky_relu(x + (self.noise_strength * noise).to(x.dtype), self.bias)


class ToRGB(nn.Module):
    def __init__(self, c_in: int, d_style: int) -> None:
        super().__init__()
        self.conv = ModulatedConv(c_in, 3, 1, d_style, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, w: Tensor, skip: Tensor | None) -> Tensor:
        y = self.conv(x, w) + self.bias.to(x.dtype).view(1, 3, 1, 1)
        return y if skip is None else y + upsample2(skip)
