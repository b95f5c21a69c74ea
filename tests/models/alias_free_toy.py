"""An alias-free generator of random weights, whose layers see signals of the size that they expect."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from vidinv.models.generator3 import AliasFreeConfig, AliasFreeGenerator

CONFIG = AliasFreeConfig(resolution=64, channels=(8,) * 6, d_style=16, mapping_layers=1)


def toy_generator(radial: bool = False, seed: int = 0) -> AliasFreeGenerator:
    torch.manual_seed(seed)
    generator = AliasFreeGenerator(replace(CONFIG, radial=radial)).eval().requires_grad_(False)
    w = torch.randn(4, CONFIG.layers, CONFIG.d_style)
    x = generator.input(w[:, 0])
    for i, layer in enumerate(generator.convs):
        layer.magnitude_ema.copy_(x.square().mean())
        x = layer(x, w[:, i + 1])
    return generator


def moved(generator: AliasFreeGenerator, w: Tensor, transform: Tensor) -> Tensor:
    """G(w) with the input under ``transform``."""
    generator.input.transform.copy_(transform)
    picture = generator(w)
    generator.input.transform.copy_(torch.eye(3))
    return picture


def translation(right: float, down: float) -> Tensor:
    """By pixels."""
    side = CONFIG.resolution
    return torch.tensor([[1, 0, -right / side], [0, 1, -down / side], [0, 0, 1.0]])


def rotation(degrees: float) -> Tensor:
    """Anticlockwise as seen."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
