"""Weights by a formula, so that networks of any size can be compared without a file of weights.

r(key, shape) are standard normal numbers that depend on the key alone; what kind of weight a key is says its scale.
"""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor

KERNEL = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 64


def r(key: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)


def generator_weights(shapes: dict[str, list[int]]) -> dict[str, Tensor]:
    """In rosinality's layout."""
    return {k: torch.from_numpy(np.asarray(_generator_weight(k, tuple(s)))) for k, s in shapes.items()}


def _generator_weight(key: str, shape: tuple[int, ...]) -> np.ndarray:
    if key.endswith("kernel"):
        return KERNEL * np.float32(4)  # every one of them belongs to an upsampling layer
    if key.startswith("style.") and key.endswith("weight"):
        return 100 * r(key, shape)
    if key.endswith("modulation.bias"):
        return 1 + np.float32(0.1) * r(key, shape)
    if key.endswith(("bias", "noise.weight")):
        return np.float32(0.1) * r(key, shape)
    return r(key, shape)


def face_network_weights(shapes: dict[str, list[int]]) -> dict[str, Tensor]:
    """Of the Feature-Style encoder, ArcFace and face parsing."""
    norms = {k.removesuffix("running_mean") for k in shapes if k.endswith("running_mean")}
    weights = {}
    for key, shape in shapes.items():
        if not shape:
            weights[key] = torch.tensor(0)  # a batch norm's counter
            continue
        numbers, fan_in = r(key, tuple(shape)), int(np.prod(shape[1:]))
        if len(shape) == 4:
            numbers *= np.float32(np.sqrt(2 / fan_in))
        elif len(shape) == 2:
            numbers *= np.float32(np.sqrt(1 / fan_in))
        elif key.endswith("running_var"):
            numbers = 1 + np.float32(0.1) * np.abs(numbers)
        elif key.endswith("weight") and key.removesuffix("weight") in norms:
            numbers = 1 + np.float32(0.1) * numbers
        elif key.endswith(("bias", "running_mean")):
            numbers *= np.float32(0.1)
        else:
            numbers = np.float32(0.25) + np.float32(0.05) * numbers
        weights[key] = torch.from_numpy(numbers)
    return weights


def tensor(key: str, shape: tuple[int, ...], scale: float = 1.0) -> Tensor:
    return torch.from_numpy(np.float32(scale) * r(key, shape))


def relative_error(a: Tensor, b: np.ndarray) -> float:
    a, b = a.detach().double(), torch.from_numpy(b).double()
    assert a.shape == b.shape
    return float((a - b).norm() / b.norm())
