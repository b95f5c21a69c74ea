"""What a network thinks on the way: the last convolution at each of its resolutions.

It asks nothing of how the network is written but that its convolutions are PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

T = TypeVar("T")


class _LastPerResolution(TorchFunctionMode):
    """While active: keeps the output of the last convolution at each resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[int, Tensor] = {}

    def __torch_function__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if func is F.conv2d and out.shape[-1] > 1:
            self.found[out.shape[-1]] = out
        return out


def activations(network: Callable[[Tensor], T], x: Tensor) -> tuple[list[Tensor], T]:
    """The last convolution at each resolution [B, C, h, h], as they are met, and the answer."""
    with _LastPerResolution() as taps:
        answer = network(x)
    return list(taps.found.values()), answer
