"""Labelling networks of random weights, with the interface of the real ones."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from vidinv.training.teachers import Teachers


def conv(out: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 8, 5, 4), nn.Tanh(), nn.Conv2d(8, out, 3, 2)).requires_grad_(False)


class Attributes:
    def __init__(self) -> None:
        self.net, self.heads = conv(8, 1), {"fc/age": 40.0, "fc/gender": 4.0}

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x).mean((2, 3))

    def fc(self, f: torch.Tensor, name: str) -> torch.Tensor:
        return self.heads[name] * f[:, :2]


class Expression:
    def __init__(self) -> None:
        self.net = conv(7, 2)

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        return 4 * self.net(x).mean((2, 3))


class Embed:
    def __init__(self) -> None:
        self.net = conv(16, 3)

    def raw(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x).flatten(2).mean(2)


class Points:
    def __init__(self) -> None:
        self.net, self.head = conv(12, 4), torch.randn(12, 136)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x).mean((2, 3))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.features(x) @ self.head).unflatten(1, (68, 2))


class Perceptual(nn.Module):
    """Distance of small pictures, and a trunk with the real one's names."""

    def __init__(self) -> None:
        super().__init__()
        self.features, self.shift, self.scale = conv(6, 5), torch.zeros(1), torch.ones(1)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (F.avg_pool2d(a, 4) - F.avg_pool2d(b, 4)).square().mean((1, 2, 3))


def toy_teachers() -> Teachers:
    def similarity(src: np.ndarray, dst: np.ndarray) -> np.ndarray:
        scale = np.ptp(dst) / np.ptp(src)
        return np.concatenate([scale * np.eye(2), (dst.mean(0) - scale * src.mean(0))[:, None]], 1)

    alignment = SimpleNamespace(
        T112=np.array([[38, 52], [74, 52], [56, 72], [42, 92], [71, 92]], float),
        similarity=similarity,
        points68_to_5=lambda p: np.stack([p[36:42].mean(0), p[42:48].mean(0), p[30], p[48], p[54]]),
    )

    def to(device: str) -> None:
        for network in (labeller.attributes, labeller.expression, labeller.embed, labeller.points):
            network.net.to(device)
        labeller.points.head = labeller.points.head.to(device)
        labeller.lpips.to(device)
        labeller.lpips.shift, labeller.lpips.scale = (torch.full((1,), v, device=device) for v in (0.0, 1.0))

    labeller = SimpleNamespace(
        attributes=Attributes(),
        expression=Expression(),
        embed=Embed(),
        points=Points(),
        lpips=Perceptual(),
        to=to,
    )
    return Teachers(labeller, SimpleNamespace(), alignment)
