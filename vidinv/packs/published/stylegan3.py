"""StyleGAN3 generators as NVIDIA publishes them: mapping.fcN, synthesis.input, synthesis.LI_SIZE_CHANNELS.

The files hold the low-pass filters too. This package makes its own, so theirs must be the same numbers.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from vidinv.errors import UnsuitableCheckpoint
from vidinv.models.generator3 import AliasFreeConfig, AliasFreeGenerator
from vidinv.models.uninitialised import Uninitialised
from vidinv.packs.published.fitting import renamer
from vidinv.packs.published.generator_state import PublishedGenerator, axis, published

_LAYER = re.compile(r"synthesis\.L(\d+)_(\d+)_(\d+)\.weight")
_FILTER = r"synthesis\.L\d+_\d+_\d+\.(up|down)_filter"
_SAME = 1e-4  # of a filter's largest tap; the published ones were kept in float32


def nvidia(state: dict[str, Tensor], path: Path) -> PublishedGenerator:
    """Configuration T or R, by the convolutions' size.

    :raises UnsuitableCheckpoint: other sizes, bands or filters than the paper's, by key name.
    """
    found = sorted((tuple(map(int, m.groups())), key) for key in state if (m := _LAYER.fullmatch(key)))
    if len(found) < 4:
        raise UnsuitableCheckpoint(f"{path}: without the layers synthesis.L0 and on; this is part of a network")
    channels = tuple(axis(state, key, 0, path) for _, key in found[:-1])
    radial = axis(state, found[0][1], -1, path) == 1
    mapping_layers = sum(bool(re.fullmatch(r"mapping\.fc\d+\.weight", k)) for k in state)
    d_style = axis(state, "synthesis.input.affine.weight", 1, path)
    config = AliasFreeConfig(found[-1][0][1], channels, d_style, mapping_layers, radial)
    sizes, wide = [band.size for band in config.bands], (*channels, 3)
    rules = [(rf"convs\.{i}\.(.+)", rf"synthesis.L{i}_{sizes[i]}_{wide[i]}.\1") for i in range(len(wide))]
    rename = renamer(
        *rules, (r"input\.(.+)", r"synthesis.input.\1"), (r"mapping\.layers\.(\d+)\.(.+)", r"mapping.fc\1.\2")
    )
    layout = f"StyleGAN3-{'R' if radial else 'T'}"
    mean = state.get("mapping.w_avg")
    read = published(layout, "stylegan3", AliasFreeGenerator, config, state, rename, mean, path, _FILTER)
    _check_filters(config, state, rename, path)
    return read


def _check_filters(config: AliasFreeConfig, state: dict[str, Tensor], rename, path: Path) -> None:
    with Uninitialised():
        made = dict(AliasFreeGenerator(config).named_buffers())
    ours = {rename(key): value for key, value in made.items() if key.endswith("_filter")}
    for key in sorted(ours.keys() | {k for k in state if re.fullmatch(_FILTER, k)}):
        mine, theirs = ours.get(key), state.get(key)
        if mine is None or theirs is None or mine.shape != theirs.shape:
            is_, should = (list(f.shape) if f is not None else "absent" for f in (theirs, mine))
            raise UnsuitableCheckpoint(f"{path}: {key} is {is_} and should be {should}; this variant cannot be used")
        if not torch.allclose(theirs.float(), mine, rtol=0, atol=_SAME * float(mine.abs().max())):
            raise UnsuitableCheckpoint(f"{path}: {key} is not the paper's filter; this variant cannot be used")
