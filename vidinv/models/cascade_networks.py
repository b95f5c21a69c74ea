"""The networks of MTCNN (Zhang et al. 2016), with the weights that lie in facenet-pytorch's wheel.

The wheel's files are read without its code: importing that imports torchvision, which imports PyTorch's compiler. None
of it is needed to find faces, and it takes seconds and 180 MiB of every run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from vidinv.errors import MissingExtra


class Network(nn.Module):
    """Layers one after the other, and several heads on the last of them. Names are those of the weights."""

    def __init__(self, layers: Mapping[str, nn.Module], heads: Mapping[str, nn.Module], odds: str) -> None:
        """:param odds: the head whose answers are odds that something is a face."""
        super().__init__()
        for name, module in (*layers.items(), *heads.items()):
            self.add_module(name, module)
        self._layers, self._heads, self._odds = tuple(layers), tuple(heads), odds

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """:param x: [N, 3, h, w] RGB, about -1..1. :return: what each head says."""
        for name in self._layers:
            layer = self.get_submodule(name)
            if isinstance(layer, nn.Linear) and x.dim() == 4:
                x = x.permute(0, 3, 2, 1).flatten(1)  # by columns, as the weights were made
            x = layer(x)
        said = {name: self.get_submodule(name)(x) for name in self._heads}
        return tuple(torch.softmax(answer, 1) if name == self._odds else answer for name, answer in said.items())


def _first() -> Network:
    layers = {
        "conv1": nn.Conv2d(3, 10, 3),
        "prelu1": nn.PReLU(10),
        "pool1": nn.MaxPool2d(2, 2, ceil_mode=True),
        "conv2": nn.Conv2d(10, 16, 3),
        "prelu2": nn.PReLU(16),
        "conv3": nn.Conv2d(16, 32, 3),
        "prelu3": nn.PReLU(32),
    }
    return Network(layers, {"conv4_2": nn.Conv2d(32, 4, 1), "conv4_1": nn.Conv2d(32, 2, 1)}, "conv4_1")


def _second() -> Network:
    layers = {
        "conv1": nn.Conv2d(3, 28, 3),
        "prelu1": nn.PReLU(28),
        "pool1": nn.MaxPool2d(3, 2, ceil_mode=True),
        "conv2": nn.Conv2d(28, 48, 3),
        "prelu2": nn.PReLU(48),
        "pool2": nn.MaxPool2d(3, 2, ceil_mode=True),
        "conv3": nn.Conv2d(48, 64, 2),
        "prelu3": nn.PReLU(64),
        "dense4": nn.Linear(576, 128),
        "prelu4": nn.PReLU(128),
    }
    return Network(layers, {"dense5_2": nn.Linear(128, 4), "dense5_1": nn.Linear(128, 2)}, "dense5_1")


def _last() -> Network:
    layers = {
        "conv1": nn.Conv2d(3, 32, 3),
        "prelu1": nn.PReLU(32),
        "pool1": nn.MaxPool2d(3, 2, ceil_mode=True),
        "conv2": nn.Conv2d(32, 64, 3),
        "prelu2": nn.PReLU(64),
        "pool2": nn.MaxPool2d(3, 2, ceil_mode=True),
        "conv3": nn.Conv2d(64, 64, 3),
        "prelu3": nn.PReLU(64),
        "pool3": nn.MaxPool2d(2, 2, ceil_mode=True),
        "conv4": nn.Conv2d(64, 128, 2),
        "prelu4": nn.PReLU(128),
        "dense5": nn.Linear(1152, 256),
        "prelu5": nn.PReLU(256),
    }
    heads = {"dense6_2": nn.Linear(256, 4), "dense6_3": nn.Linear(256, 10), "dense6_1": nn.Linear(256, 2)}
    return Network(layers, heads, "dense6_1")


@dataclass(frozen=True)
class Cascade:
    """Three networks, each of which sees what the one before takes for a face."""

    first: Network  # proposes places, anywhere in a picture
    second: Network
    last: Network  # says where the five points are, too
    device: torch.device
    min_face: int  # smallest face that is looked for, pixels
    factor: float = 0.709  # between neighbouring scales
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)  # odds from which each network is believed


def make_cascade(min_face: int, factor: float, device: str | torch.device) -> Cascade:
    """:raises MissingExtra: facenet-pytorch's files are not there."""
    spec = find_spec("facenet_pytorch")  # of a package at the top this imports nothing
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("the face detector's weights are in facenet-pytorch: pip install facenet-pytorch")
    folder = Path(spec.submodule_search_locations[0]) / "data"

    def filled(network: Network, name: str) -> Network:
        network.load_state_dict(torch.load(folder / f"{name}.pt", map_location="cpu", weights_only=True))
        return network.eval().requires_grad_(False).to(device)

    first, second, last = filled(_first(), "pnet"), filled(_second(), "rnet"), filled(_last(), "onet")
    return Cascade(first, second, last, torch.device(device), min_face, factor)
