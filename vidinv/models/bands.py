"""Which frequencies each layer of an alias-free generator holds, and at which sampling rate (Karras et al. 2021,
section 3.2 and appendix C). Frequencies are cycles per picture width, rates samples per picture width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

CHANNELS_T, CHANNELS_R = (32768, 512), (65536, 1024)  # channel_base and channel_max of the paper's configurations


@dataclass(frozen=True)
class Band:
    """Of one layer's output."""

    cutoff: float  # f_c: what lies below passes
    stopband: float  # f_t: what lies above is suppressed
    rate: int  # s
    size: int  # samples per axis, margins included

    @property
    def width(self) -> float:
        """Of the transition band of a filter for this layer: 2 f_h."""
        return 2 * (max(self.stopband, self.rate / 2) - self.cutoff)


def bands(
    resolution: int,
    layers: int = 14,
    *,
    critical: int = 2,
    first_cutoff: float = 2.0,
    first_stopband: float = 2**2.1,
    last_stopband: float = 2**0.3,
    margin: int = 10,
) -> tuple[Band, ...]:
    """The band of every layer, and of the RGB layer after them: ``layers`` + 1.

    Both frequencies grow geometrically from the first layer to the last but ``critical``, which, as those after it, is
    sampled critically: its cutoff is half the picture's rate. ``last_stopband`` is relative to that.

    :param margin: samples beyond each border of the picture, at which convolutions may see nothing.
    """
    last = resolution / 2
    found = []
    for i in range(layers + 1):
        progress = min(i / (layers - critical), 1)
        cutoff = first_cutoff * (last / first_cutoff) ** progress
        stopband = first_stopband * (last * last_stopband / first_stopband) ** progress
        rate = 2 ** math.ceil(math.log2(min(2 * stopband, resolution)))
        # The last two need no margin: only a 1x1 convolution follows.
        found.append(Band(cutoff, stopband, rate, resolution if i >= layers - 1 else rate + 2 * margin))
    return tuple(found)


def channels(resolution: int, base: int, most: int, layers: int = 14) -> tuple[int, ...]:
    """Channels of every layer's output, the RGB layer's left out: in inverse proportion to the cutoff."""
    return tuple(round(min(base / 2 / band.cutoff, most)) for band in bands(resolution, layers)[:layers])
