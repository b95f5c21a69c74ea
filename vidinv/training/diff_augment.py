"""Augmentation between generator and discriminator, so that a few thousand faces are enough.

The operations are those of differentiable augmentation (Zhao et al. 2020, arXiv:2006.10738: colour, translation,
cutout) and a small turn and change of size; each strikes a picture with probability p, which the training loop adapts
(Karras et al. 2020, arXiv:2006.06676). As p stays below 1, the generator cannot take them for part of the data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class DifferentiableAugmentation:
    """How far a picture may stray; sizes are uniform in +-value."""

    brightness: float = 0.5  # of -1..1
    saturation: float = 1.0  # factor 1 +- value about grey
    contrast: float = 0.5  # factor 1 +- value about the picture's mean
    shift: float = 0.125  # of the side, along both axes
    turn: float = 8.0  # degrees
    scale: float = 0.1  # log
    cutout: float = 0.5  # side of the square that is blanked, as a share of the picture's


def augment(x: Tensor, p: Tensor, rng: torch.Generator, how: DifferentiableAugmentation) -> Tensor:
    """Pictures [B, 3, S, S], each changed at random; what an operation does not strike stays bit-identical.

    Differentiable once in ``x`` (sampling on a grid has no second derivative on every device).

    :param p: probability of each operation, 0-d, on the pictures' device.
    """
    x = _struck(x, colour(x, rng, how), p, rng)
    x = _struck(x, move(x, rng, how), p, rng)
    x = _struck(x, cut(x, rng, how), p, rng)
    return x.contiguous(memory_format=torch.channels_last)


def _uniform(x: Tensor, rng: torch.Generator) -> Tensor:
    """[B, 1, 1, 1] in -1..1."""
    return torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device) * 2 - 1


def _struck(x: Tensor, changed: Tensor, p: Tensor, rng: torch.Generator) -> Tensor:
    chosen = torch.rand(len(x), 1, 1, 1, generator=rng, device=x.device) < p
    return torch.where(chosen, changed, x)


def colour(x: Tensor, rng: torch.Generator, how: DifferentiableAugmentation) -> Tensor:
    x = x + how.brightness * _uniform(x, rng)
    grey = x.mean(1, keepdim=True)
    x = grey + (1 + how.saturation * _uniform(x, rng)) * (x - grey)
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (1 + how.contrast * _uniform(x, rng)) * (x - mean)


def move(x: Tensor, rng: torch.Generator, how: DifferentiableAugmentation) -> Tensor:
    """Turn, resize and shift; what comes in from outside is grey."""
    turn, size, dx, dy = (_uniform(x, rng).view(-1) for _ in range(4))
    angle, factor = math.radians(how.turn) * turn, torch.exp(how.scale * size)
    a, b = factor * torch.cos(angle), factor * torch.sin(angle)
    rows = [torch.stack([a, -b, 2 * how.shift * dx], 1), torch.stack([b, a, 2 * how.shift * dy], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid.to(x.dtype), mode="bilinear", padding_mode="zeros", align_corners=False)


def cut(x: Tensor, rng: torch.Generator, how: DifferentiableAugmentation) -> Tensor:
    """Blank a square whose centre is anywhere in the picture."""
    side = x.shape[-1]
    at = (torch.arange(side, device=x.device) + 0.5) / side * 2 - 1
    row = (at.view(1, 1, -1, 1) - _uniform(x, rng)).abs() < how.cutout
    column = (at.view(1, 1, 1, -1) - _uniform(x, rng)).abs() < how.cutout
    return torch.where(row & column, torch.zeros((), dtype=x.dtype, device=x.device), x)
