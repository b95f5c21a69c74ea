"""The one signature of all inversion methods: pictures in, codes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from vidinv.models.lpips import Lpips
from vidinv.models.synthesis import StyleGenerator


@dataclass(frozen=True)
class Networks:
    """What a method may ask for. It is handed its networks; it loads none."""

    generator: StyleGenerator
    encoder: nn.Module
    """[B, 3, S, S] RGB, -1..1, to w [B, L, D] and F [B, C, h, h]."""

    perceptual: Lpips | None = None
    """A perceptual distance, for methods that optimise."""


Invert = Callable[[Tensor, Networks], tuple[Tensor, Tensor]]
"""[B, 3, S, S] RGB, -1..1, to w [B, L, D] and F [B, C, h, h], float32."""


@dataclass(frozen=True)
class Method:
    """A way of inverting: a row of :data:`vidinv.inversion.METHODS`."""

    invert: Invert
    gradients: bool = False
    """It differentiates: the caller must not switch that off."""
