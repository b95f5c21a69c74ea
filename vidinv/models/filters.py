"""Low-pass filters and the resampling that alias-free generators are made of (Karras et al. 2021, arXiv:2106.12423).

Appendix C: a Kaiser window bounds an ideal low-pass filter, a sinc along each axis or, where rotation must not change
anything, a jinc of the radius. Frequencies are cycles per picture width, rates samples per picture width.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def lowpass(taps: int, cutoff: float, width: float, rate: float, *, radial: bool = False) -> Tensor:
    """A symmetric filter whose gain at frequency 0 is 1.

    :param cutoff: f_c, where the response is one half. :param width: of the transition band, from pass to stop.
    :param rate: of the signal that is filtered. :param radial: a jinc instead of a sinc along each axis.
    :return: [taps], or [taps, taps] where radial, float32.
    """
    from scipy.signal import kaiser_beta  # takes half a second to import, which packs of StyleGAN2 need not wait for

    window = np.kaiser(taps, kaiser_beta(2.285 * (taps - 1) * np.pi * width / (rate / 2) + 7.95))
    at = (np.arange(taps) - (taps - 1) / 2) / rate
    if radial:
        r = torch.from_numpy(np.hypot(at[:, None], at)).clamp_min(1e-12)  # the middle of an odd number of taps
        kernel = torch.special.bessel_j1(2 * np.pi * cutoff * r) / r * torch.from_numpy(np.outer(window, window))
    else:
        kernel = torch.from_numpy(np.sinc(2 * cutoff * at) * window)
    return (kernel / kernel.sum()).float()


def upsample(x: Tensor, taps: Tensor, factor: int, pad: tuple[int, int]) -> Tensor:
    """``factor`` - 1 zeros after every sample, ``pad`` zeros before and after (fewer where negative), then the filter.

    :param x: [B, C, h, w]; :param taps: [n], along each axis, with the gain that zeros in between cost.
    :return: [B, C, h', w'], h' = factor * h + pad[0] + pad[1] - n + 1.
    """
    n, channels, dtype = len(taps), x.shape[1], x.dtype
    # A transposed convolution never multiplies by the zeros; it makes what all the padding in the world would give.
    cut = (pad[0] - (n - 1), pad[1] - (n - factor))
    with torch.autocast(x.device.type, enabled=False):  # a CPU is ten times slower at it in bf16
        kernel = (taps * factor).float().expand(channels, 1, 1, n)
        x = F.pad(F.conv_transpose2d(x.float(), kernel, stride=(1, factor), groups=channels), cut)
        x = F.conv_transpose2d(x, kernel.transpose(2, 3), stride=(factor, 1), groups=channels)
    return F.pad(x, (0, 0, *cut)).to(dtype)


def downsample(x: Tensor, taps: Tensor, factor: int) -> Tensor:
    """The filter, then every ``factor``-th sample.

    :param x: [B, C, h, w]; :param taps: [n] along each axis, or [n, n].
    :return: [B, C, h', w'], h' = (h - n) // factor + 1.
    """
    n, channels = len(taps), x.shape[1]
    taps = taps.to(x.dtype)
    if taps.dim() == 2:
        return F.conv2d(x, taps.expand(channels, 1, n, n), stride=factor, groups=channels)
    x = F.conv2d(x, taps.expand(channels, 1, 1, n), stride=(1, factor), groups=channels)
    return F.conv2d(x, taps[:, None].expand(channels, 1, n, 1), stride=(factor, 1), groups=channels)
