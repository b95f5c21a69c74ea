"""What a published generator is read into, whichever layout it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vidinv.errors import UnsuitableCheckpoint
from vidinv.models.generator import Mapping
from vidinv.models.synthesis import GeneratorSizes
from vidinv.packs.published.fitting import fitted
from vidinv.packs.published.reading import tensors_under

SAMPLES = 10_000  # for a mean latent that a checkpoint does not state


@dataclass(frozen=True)
class PublishedGenerator:
    layout: str
    kind: str  # as pack.toml calls it
    config: GeneratorSizes
    state: dict[str, Tensor]  # under the names of the kind's network
    mean_latent: Tensor  # [L, D]
    mean_is_stated: bool  # False: averaged over SAMPLES styles


def published(
    layout: str,
    kind: str,
    make: Callable[[Any], nn.Module],
    config: Any,
    state: dict[str, Tensor],
    rename: Callable[[str], str],
    mean: Any,
    path: Path,
    ignored: str,
) -> PublishedGenerator:
    """``state`` under the names of ``make(config)``, with the mean latent.

    :param mean: as the file states it, [D] or [L, D], or None. :param ignored: as of ``fitted``.
    :raises UnsuitableCheckpoint: by key name, what does not fit.
    """
    ours = fitted(lambda: make(config), state, rename, path, ignored=rf"{ignored}|mapping\.w_avg")
    stated = isinstance(mean, Tensor)
    mean = mean.float() if stated else mean_latent(config, ours)
    if mean.shape[-1] != config.d_style or mean.numel() not in (config.d_style, config.layers * config.d_style):
        raise UnsuitableCheckpoint(
            f"{path}: the mean latent is {list(mean.shape)}; styles are {config.d_style} numbers"
        )
    mean = mean.reshape(-1, config.d_style).expand(config.layers, -1).contiguous()
    return PublishedGenerator(layout, kind, config, ours, mean, stated)


@torch.inference_mode()
def mean_latent(config: Any, state: dict[str, Tensor]) -> Tensor:
    """[D] mean of :data:`SAMPLES` styles, always of the same noise."""
    mapping = Mapping(config.d_style, config.mapping_layers)
    mapping.load_state_dict(tensors_under(state, "mapping."))
    z = torch.randn(SAMPLES, config.d_style, generator=torch.Generator().manual_seed(0))
    return mapping(z).mean(0)


def axis(state: dict[str, Tensor], key: str, which: int, path: Path) -> int:
    """Length of a weight's axis. :raises UnsuitableCheckpoint: when there is no such weight."""
    if key not in state or state[key].dim() < 2:
        raise UnsuitableCheckpoint(f"{path}: without {key}; this is another network, or part of one")
    return state[key].shape[which]
