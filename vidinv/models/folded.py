"""StyleGAN2's layers where no gradient is asked for, on a CPU: the same function with fewer passes over memory.

A pass over a layer's picture costs as much as its convolution. So whatever has fewer numbers is scaled by the style:
the picture, for a whole batch at once, at low resolutions; the weights, once for every sample, at high ones, where a
sample's picture also stays in the cache from layer to layer. Gains are folded into the weights, biases into the
convolution. A CPU that multiplies tiles of half precision does it so quickly that an upsampling layer is one
convolution that makes all four phases of its picture with the blur in it; elsewhere these would be four times the
products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from vidinv.models.ops import BLUR, SQRT2, ModulatedConv, StyledConv, ToRGB, upsample2


def draw(
    convs: Sequence[StyledConv],
    to_rgb: Sequence[ToRGB],
    x: Tensor,
    skip: Tensor | None,
    w: Tensor,
    layers: range,
    noise: Sequence[Tensor | None],
    *,
    to_go_on: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """What some layers make of ``x`` and of the RGB picture below them.

    :param x: [B, C, h, h] in the type to compute in. :param skip: [B, 3, h, h]. :param w: [B, L, D].
    :param noise: for each of ``convs`` maps [B or 1, 1, side, side] in place of its own; None: its own.
    :param to_go_on: further layers follow. :return: [B, C', h', h'] for them, and the picture, [B, 3, h', h'] float32.
    """
    with torch.autocast(x.device.type, enabled=False):
        w, x = w.float(), x.contiguous(memory_format=torch.channels_last)
        skip = None if skip is None else skip.float()
        made = [_scales(convs[i], w[:, i], noise[i], x.dtype) for i in layers]
        colours = {i: _rgb_weights(to_rgb[i // 2], w[:, i + 1], x.dtype) for i in layers if i % 2 == 0}
        for at, i in enumerate(layers):
            if len(x) > 1 and _weights_are_fewer(convs[i].conv, x):
                rows = [
                    _drawn(
                        convs,
                        to_rgb,
                        x[b : b + 1],
                        None if skip is None else skip[b : b + 1],
                        [(n, one.of(b)) for n, one in zip(layers[at:], made[at:], strict=True)],
                        {n: weights[b : b + 1] for n, weights in colours.items()},
                    )
                    for b in range(len(x))
                ]
                pictures = [picture for _, picture in rows if picture is not None]
                return (
                    torch.cat([y for y, _ in rows]) if to_go_on else None,
                    torch.cat(pictures) if pictures else None,
                )
            x, skip = _drawn(convs, to_rgb, x, skip, [(i, made[at])], colours)
    return x, skip


@dataclass(frozen=True)
class _Scales:
    """What the styles of a batch make of a layer."""

    style: Tensor  # [B, C]
    demod: Tensor  # [B, C'], gain of the activation included
    noise: Tensor | None  # [B or 1, 1, side, side], what is added, as it is added; None: nothing

    def of(self, b: int) -> _Scales:
        noise = self.noise if self.noise is None or len(self.noise) == 1 else self.noise[b : b + 1]
        return _Scales(self.style[b : b + 1], self.demod[b : b + 1], noise)


def _scales(layer: StyledConv, w: Tensor, noise: Tensor | None, dtype: torch.dtype) -> _Scales:
    """:param w: [B, D]."""
    style, strength = layer.conv.modulation(w), layer.noise_strength.item()
    demod = torch.rsqrt(style.square() @ kept(layer.conv).power + 1e-8) * SQRT2
    maps = ((layer.noise if noise is None else noise) * (strength * SQRT2)).to(dtype) if strength else None
    return _Scales(style, demod, maps)


def _drawn(
    convs: Sequence[StyledConv],
    to_rgb: Sequence[ToRGB],
    x: Tensor,
    skip: Tensor | None,
    layers: Sequence[tuple[int, _Scales]],
    colours: Mapping[int, Tensor],
) -> tuple[Tensor, Tensor | None]:
    for i, scales in layers:
        x = _styled(convs[i], x, scales)
        if i % 2 == 0:
            skip = _projected(to_rgb[i // 2], x, colours[i], skip)
    return x, skip


def _weights_are_fewer(conv: ModulatedConv, x: Tensor) -> bool:
    """Than the numbers of one sample's pictures before and after."""
    c_out, c_in = conv.weight.shape[:2]
    return conv.weight.numel() < (c_in + c_out * (4 if conv.up else 1)) * x.shape[2] * x.shape[3]


def _styled(layer: StyledConv, x: Tensor, scales: _Scales) -> Tensor:
    """sqrt(2) leaky_relu(demod conv(style x) + noise + bias)."""
    conv, style, demod, bias = layer.conv, scales.style, scales.demod, layer.bias * SQRT2
    if len(x) == 1 and _weights_are_fewer(conv, x):
        weight = kept(conv).weight(x.dtype, torch.float32)
        both = demod.view(-1, 1, 1, 1) * style.view(-1, 1, 1)
        weight = (weight.view(-1, demod.shape[1], *weight.shape[1:]) * both).flatten(0, 1)
        x = _convolved(x, weight.to(x.dtype, memory_format=torch.channels_last), bias, conv.up)
    else:
        x = _convolved(x * style.to(x.dtype)[:, :, None, None], kept(conv).weight(x.dtype, x.dtype), None, conv.up)
        x = torch.addcmul(bias.to(x.dtype)[:, None, None], x, demod.to(x.dtype)[:, :, None, None])
    x = x if scales.noise is None else x.add_(scales.noise)
    return F.leaky_relu_(x, 0.2)


@dataclass(frozen=True)
class Kept:
    """A convolution's weights as they are multiplied with, made when they are first asked for."""

    made_of: object
    whole: Tensor  # [C', C, k, k] float32, the convolution's own
    scale: float
    up: bool
    power: Tensor  # [C, C'] float32, sums of squares, by which demodulation is found
    forms: dict[tuple[bool, torch.dtype], Tensor] = field(default_factory=dict)

    def weight(self, computed: torch.dtype, dtype: torch.dtype) -> Tensor:
        """As a convolution in ``computed`` takes them, :func:`phases_of` them or as they are, kept in ``dtype``."""
        phases = self.up and in_phases(computed)
        if (phases, dtype) not in self.forms:
            scaled = self.whole * self.scale
            made = phases_of(scaled) if phases else scaled
            self.forms[phases, dtype] = made.to(dtype, memory_format=torch.channels_last)
        return self.forms[phases, dtype]


def kept(conv: ModulatedConv) -> Kept:
    """They are made anew when the weights have changed.

    What changes them behind PyTorch's back (through ``.data``, or a fused optimiser on the CPU) is not seen; whoever
    does that takes ``conv.__dict__.pop("kept")``. Weights made in inference mode have no version, and should stay.
    """
    version = None if conv.weight.is_inference() else conv.weight._version
    made_of = (conv.weight.data_ptr(), version)
    known: Kept | None = conv.__dict__.get("kept")
    if known is None or known.made_of != made_of:
        power = (conv.weight * conv.scale).square().sum((2, 3)).t().contiguous()
        known = Kept(made_of, conv.weight, conv.scale, conv.up, power)
        conv.__dict__["kept"] = known
    return known


def _convolved(x: Tensor, weight: Tensor, bias: Tensor | None, up: bool) -> Tensor:
    """:param weight: see :meth:`Kept.weight`."""
    bias = None if bias is None else bias.to(x.dtype)
    if not up:
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)
    if not in_phases(x.dtype):
        x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        return F.conv2d(x, _taps(x.shape[1], x.dtype), bias, padding=1, groups=x.shape[1])
    x = F.conv2d(x, weight, None if bias is None else bias.repeat(4), padding=1)
    b, _, height, width = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(b, height, width, 2, 2, -1).transpose(2, 3)
    return rows.reshape(b, 2 * height, 2 * width, -1).permute(0, 3, 1, 2)


def in_phases(dtype: torch.dtype) -> bool:
    """Whether an upsampling layer makes its four phases at once.

    Without tiles (AMX) a convolution's time is that of its products: 6.2 ms for the phases of 128 px from 64 channels,
    1.1 for zeros in between and the blur.
    """
    return dtype != torch.float32 and torch.cpu._is_amx_tile_supported()


@cache
def _taps(channels: int, dtype: torch.dtype) -> Tensor:
    """[C, 1, 4, 4] of the blur after zeros in between, each channel by itself."""
    with torch.inference_mode(False):
        taps = torch.tensor(BLUR) / 4
        return torch.outer(taps, taps).to(dtype).expand(channels, 1, 4, 4).contiguous()


def phases_of(weight: Tensor) -> Tensor:
    """Zeros in between, the convolution and the blur, as one convolution that makes the pixels of each parity.

    Along an axis the two filters make c[n] = sum_t taps[t] weight[n - 1 + t], n = -2..3, and pixel 2 p + a is the sum
    of x[p + d] c[a - 2 d] over d = -1, 0, 1.

    :param weight: [C', C, 3, 3]. :return: [4 C', C, 3, 3], parities of row and column before the channels.
    """
    taps = torch.tensor(BLUR, device=weight.device) / 4
    c = F.conv2d(weight.flatten(0, 1)[:, None], torch.outer(taps, taps)[None, None], padding=3)
    c = c.view(*weight.shape[:2], 6, 6).flip(2, 3)
    parities = [c[:, :, 1 - a :: 2, 1 - b :: 2] for a in (0, 1) for b in (0, 1)]
    return torch.cat(parities)


def _rgb_weights(layer: ToRGB, w: Tensor, dtype: torch.dtype) -> Tensor:
    """[B, 3, C]. :param w: [B, D]."""
    conv = layer.conv
    return (conv.weight[:, :, 0, 0] * conv.scale * conv.modulation(w)[:, None]).to(dtype)


def _projected(layer: ToRGB, x: Tensor, weights: Tensor, skip: Tensor | None) -> Tensor:
    """To RGB, [B, 3, h, h] float32, with what is below it."""
    picture = torch.bmm(weights, x.permute(0, 2, 3, 1).flatten(1, 2).transpose(1, 2)).float()
    picture = (picture + layer.bias[:, None]).view(len(x), 3, *x.shape[2:])
    if skip is None:
        return picture
    twice = doubling(skip.shape[-1])
    return picture + twice @ skip @ twice.t()


@cache
def doubling(side: int) -> Tensor:
    """[2 h, h]: what :func:`vidinv.models.ops.upsample2` does along an axis."""
    column = upsample2(torch.eye(side)[:, None, :, None].expand(-1, 1, -1, side))
    return column[:, 0, :, side].t().contiguous()
