"""StyleGAN2 generators in the two layouts they are published in.

rosinality's (also pSp's and e4e's, under ``decoder.``): style.N, input, conv1, convs.N, to_rgb1, to_rgbs.N, noises.
NVIDIA's StyleGAN2-ADA: mapping.fcN, synthesis.bR.conv0, conv1, torgb. Both multiply the mapping network's weights by
0.01 and start styles at 1, as :mod:`vidinv.models.ops` does; NVIDIA's convolutions are not scaled by their fan-in,
which demodulation divides out (but for the 1e-8 in its root).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidinv.errors import UnsuitableCheckpoint
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.packs.published.fitting import renamer
from vidinv.packs.published.generator_state import PublishedGenerator, axis, published

_FILTERS = re.compile(r".*(\.kernel|resample_filter)")


def rosinality(state: dict[str, Tensor], mean: Tensor | None, path: Path) -> PublishedGenerator:
    _check_filters(state, path)
    layers = sum(bool(re.fullmatch(r"style\.\d+\.weight", k)) for k in state)
    count = 1 + sum(bool(re.fullmatch(r"to_rgbs\.\d+\.bias", k)) for k in state)
    first = "conv1.conv.modulation.weight"
    channels = [axis(state, f"to_rgb{'1' if i == 0 else f's.{i - 1}'}.conv.weight", -3, path) for i in range(count)]
    config = GeneratorConfig(tuple(channels), axis(state, first, 1, path), layers)

    def rename(key: str) -> str:
        if key == "constant":
            return "input.input"
        name, i, rest = _parts(key)
        if name == "mapping.layers":
            return f"style.{i + 1}.{rest}"
        if name == "to_rgb":
            return f"to_rgb1.{rest}" if i == 0 else f"to_rgbs.{i - 1}.{rest}"
        if rest == "noise":
            return f"noises.noise_{i}"
        rest = {"noise_strength": "noise.weight", "bias": "activate.bias"}.get(rest, rest)
        return f"conv1.{rest}" if i == 0 else f"convs.{i - 1}.{rest}"

    return _published("rosinality", config, state, rename, mean, path)


def nvidia(state: dict[str, Tensor], path: Path) -> PublishedGenerator:
    _check_filters(state, path)
    count = sum(bool(re.fullmatch(r"synthesis\.b\d+\.torgb\.weight", k)) for k in state)
    layers = sum(bool(re.fullmatch(r"mapping\.fc\d+\.weight", k)) for k in state)
    channels = [axis(state, f"synthesis.b{4 * 2**i}.torgb.weight", 1, path) for i in range(count)]
    config = GeneratorConfig(tuple(channels), axis(state, "synthesis.b4.conv1.affine.weight", 1, path), layers)
    inner = renamer((r"conv\.modulation\.(.+)", r"affine.\1"), (r"conv\.weight", "weight"), (r"noise", "noise_const"))

    def rename(key: str) -> str:
        if key == "constant":
            return "synthesis.b4.const"
        name, i, rest = _parts(key)
        if name == "mapping.layers":
            return f"mapping.fc{i}.{rest}"
        side = config.resolution_of(i) if name == "convs" else 4 * 2**i
        layer = "torgb" if name == "to_rgb" else "conv0" if i % 2 else "conv1"
        return f"synthesis.b{side}.{layer}.{inner(rest)}"

    return _published("StyleGAN2-ADA", config, state, rename, state.get("mapping.w_avg"), path)


def _parts(key: str) -> tuple[str, int, str]:
    """One of our keys: the list, the place in it, and what is there."""
    found = re.fullmatch(r"(mapping\.layers|convs|to_rgb)\.(\d+)\.(.+)", key)
    assert found, key
    return found[1], int(found[2]), found[3]


def _published(layout: str, config: GeneratorConfig, state: dict, rename, mean: Any, path: Path) -> PublishedGenerator:
    return published(layout, "stylegan2", Generator, config, state, rename, mean, path, _FILTERS.pattern)


def _check_filters(state: dict[str, Tensor], path: Path) -> None:
    """Every resampling filter must be the one that :mod:`vidinv.models.ops` has."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    taps = torch.outer(taps, taps) / taps.sum() ** 2
    for key in filter(_FILTERS.fullmatch, state):
        # rosinality's filters hold the gain of the upsampling that they belong to, NVIDIA's get it elsewhere.
        expected = taps * (4 if key.endswith("kernel") else 1)
        if state[key].shape != taps.shape or not torch.allclose(state[key].float(), expected, atol=1e-4):
            raise UnsuitableCheckpoint(f"{path}: {key} is no filter [1, 3, 3, 1]; this variant cannot be used")
