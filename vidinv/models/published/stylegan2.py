"""StyleGAN2 generators in the two layouts they are published in.

rosinality's (also pSp's and e4e's, under ``decoder.``): style.N, input, conv1, convs.N, to_rgb1, to_rgbs.N, noises.
NVIDIA's StyleGAN2-ADA: mapping.fcN, synthesis.bR.conv0, conv1, torgb. Both multiply the mapping network's weights by
0.01 and start styles at 1, as :mod:`vidinv.models.ops` does; NVIDIA's convolutions are not scaled by their fan-in,
which demodulation divides out (but for the 1e-8 in its root).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidinv.errors import UnsuitableCheckpoint
from vidinv.models.generator import Generator, GeneratorShape, Mapping
from vidinv.models.published.fitting import fitted, renamer
from vidinv.models.published.reading import tensors_under

SAMPLES = 10_000  # for a mean latent that a checkpoint does not state
_FILTERS = re.compile(r".*(\.kernel|resample_filter)")


@dataclass(frozen=True)
class PublishedGenerator:
    layout: str
    shape: GeneratorShape
    state: dict[str, Tensor]  # under the names of vidinv.models.generator.Generator
    mean_latent: Tensor  # [L, D]
    mean_is_stated: bool  # False: averaged over SAMPLES styles


def read_generator(tree: Any, path: Path) -> PublishedGenerator:
    """The generator in a checkpoint: the averaged one (g_ema, G_ema) where there are several.

    :raises UnsuitableCheckpoint: none of the known layouts, or one that does not fit.
    """
    tree = tree if isinstance(tree, dict) else {}
    state = tree.get("g_ema") or tree.get("G_ema") or tree.get("state_dict") or tree
    if any(k.startswith("decoder.") for k in state):
        state = tensors_under(state, "decoder.")
    state = tensors_under(state, "")
    if "input.input" in state:
        return _rosinality(state, tree.get("latent_avg"), path)
    if "synthesis.b4.const" in state:
        return _nvidia(state, path)
    some = ", ".join(sorted(map(str, state))[:3]) or "nothing by name"
    raise UnsuitableCheckpoint(f"{path} holds no StyleGAN2 generator that is known here (but {some})")


def _rosinality(state: dict[str, Tensor], mean: Tensor | None, path: Path) -> PublishedGenerator:
    _check_filters(state, path)
    layers = sum(bool(re.fullmatch(r"style\.\d+\.weight", k)) for k in state)
    count = 1 + sum(bool(re.fullmatch(r"to_rgbs\.\d+\.bias", k)) for k in state)
    first = "conv1.conv.modulation.weight"
    channels = [_axis(state, f"to_rgb{'1' if i == 0 else f's.{i - 1}'}.conv.weight", -3, path) for i in range(count)]
    shape = GeneratorShape(tuple(channels), _axis(state, first, 1, path), layers)

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

    return _published("rosinality", shape, state, rename, mean, path)


def _nvidia(state: dict[str, Tensor], path: Path) -> PublishedGenerator:
    _check_filters(state, path)
    count = sum(bool(re.fullmatch(r"synthesis\.b\d+\.torgb\.weight", k)) for k in state)
    layers = sum(bool(re.fullmatch(r"mapping\.fc\d+\.weight", k)) for k in state)
    channels = [_axis(state, f"synthesis.b{4 * 2**i}.torgb.weight", 1, path) for i in range(count)]
    shape = GeneratorShape(tuple(channels), _axis(state, "synthesis.b4.conv1.affine.weight", 1, path), layers)
    inner = renamer((r"conv\.modulation\.(.+)", r"affine.\1"), (r"conv\.weight", "weight"), (r"noise", "noise_const"))

    def rename(key: str) -> str:
        if key == "constant":
            return "synthesis.b4.const"
        name, i, rest = _parts(key)
        if name == "mapping.layers":
            return f"mapping.fc{i}.{rest}"
        side = shape.resolution_of(i) if name == "convs" else 4 * 2**i
        layer = "torgb" if name == "to_rgb" else "conv0" if i % 2 else "conv1"
        return f"synthesis.b{side}.{layer}.{inner(rest)}"

    return _published("StyleGAN2-ADA", shape, state, rename, state.get("mapping.w_avg"), path)


def _parts(key: str) -> tuple[str, int, str]:
    """One of our keys: the list, the place in it, and what is there."""
    name, i, rest = re.fullmatch(r"(mapping\.layers|convs|to_rgb)\.(\d+)\.(.+)", key).groups()
    return name, int(i), rest


def _published(layout: str, shape: GeneratorShape, state: dict, rename, mean: Any, path: Path) -> PublishedGenerator:
    ours = fitted(lambda: Generator(shape), state, rename, path, ignored=rf"{_FILTERS.pattern}|mapping\.w_avg")
    stated = isinstance(mean, Tensor)
    mean = mean.float() if stated else mean_latent(shape, ours)
    if mean.shape[-1] != shape.d_style or mean.numel() not in (shape.d_style, shape.layers * shape.d_style):
        raise UnsuitableCheckpoint(f"{path}: the mean latent is {list(mean.shape)}; styles are {shape.d_style} numbers")
    mean = mean.reshape(-1, shape.d_style).expand(shape.layers, -1).contiguous()
    return PublishedGenerator(layout, shape, ours, mean, stated)


@torch.inference_mode()
def mean_latent(shape: GeneratorShape, state: dict[str, Tensor]) -> Tensor:
    """[D] mean of :data:`SAMPLES` styles, always of the same noise."""
    mapping = Mapping(shape.d_style, shape.mapping_layers)
    mapping.load_state_dict(tensors_under(state, "mapping."))
    z = torch.randn(SAMPLES, shape.d_style, generator=torch.Generator().manual_seed(0))
    return mapping(z).mean(0)


def _axis(state: dict[str, Tensor], key: str, axis: int, path: Path) -> int:
    if key not in state or state[key].dim() < 2:
        raise UnsuitableCheckpoint(f"{path}: without {key}; this is another network, or part of one")
    return state[key].shape[axis]


def _check_filters(state: dict[str, Tensor], path: Path) -> None:
    """Every resampling filter must be the one that :mod:`vidinv.models.ops` has."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    taps = torch.outer(taps, taps) / taps.sum() ** 2
    for key in filter(_FILTERS.fullmatch, state):
        # rosinality's filters hold the gain of the upsampling that they belong to, NVIDIA's get it elsewhere.
        expected = taps * (4 if key.endswith("kernel") else 1)
        if state[key].shape != taps.shape or not torch.allclose(state[key].float(), expected, atol=1e-4):
            raise UnsuitableCheckpoint(f"{path}: {key} is no filter [1, 3, 3, 1]; this variant cannot be used")
