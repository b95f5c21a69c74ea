"""What two pictures look like to a network: the perceptual half of an optimiser's loss.

The papers compare VGG-16's features. Its weights are no part of a pack; where a user has the file of a trunk that
LPIPS knows, LPIPS on it is asked, and else the features of the pack's own encoder, compared as LPIPS compares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.activations import activations
from vidinv.models.lpips import Lpips

Distance = Callable[[Tensor], Tensor]
"""Pictures [B, 3, S, S] in -1..1 to their distances [B] from pictures that are given already."""


@dataclass(frozen=True)
class Perceptual:
    """A way to compare pictures."""

    name: str
    """Of the network: without it a figure means nothing."""

    to: Callable[[Tensor], Distance]
    """The distance to pictures [B, 3, S, S] in -1..1."""


def by_lpips(lpips: Lpips) -> Perceptual:
    """LPIPS (Zhang et al. 2018)."""
    return Perceptual(f"LPIPS ({lpips.trunk})", lambda target: lambda made: lpips((made + 1) / 2, (target + 1) / 2))


def by_features(network: nn.Module, name: str) -> Perceptual:
    """The features of a network that takes pictures as we have them, at each of its resolutions.

    As in LPIPS (Eq. 1) features are scaled to length 1 at every place, their squared differences averaged over places;
    every layer counts the same, and the mean over layers is 0..4.
    """

    def to(target: Tensor) -> Distance:
        with torch.no_grad():
            wanted = _directions(network, target)

        def distance(made: Tensor) -> Tensor:
            found = _directions(network, made)
            apart = [(a - b).square().sum(1).mean((1, 2)) for a, b in zip(found, wanted, strict=True)]
            return torch.stack(apart).mean(0)

        return distance

    return Perceptual(name, to)


def _directions(network: nn.Module, pictures: Tensor) -> list[Tensor]:
    found, _ = activations(network, pictures)
    return [F.normalize(layer.float(), dim=1) for layer in found]
