"""What an inversion is compared by in Yao et al. 2022 (arXiv:2202.02183, section 3.3), through the labelling networks.

The paper's parsing loss takes the features of a face-parsing network. There is none among the labelling networks: the
features of their landmark network stand in for it. It too knows where brows, eyes, nose, lips and jaw are, and nothing
of whose they are; it says less about hair.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vidinv.models.activations import activations as at_resolutions
from vidinv.training.losses import identity_view
from vidinv.training.teachers import Teachers

SCALES = (1, 2, 4)  # the picture is shrunk by these; three, as published


def activations(network: Callable[[Tensor], Tensor], x: Tensor) -> list[Tensor]:
    """The last convolution at each of the network's resolutions, and its answer, each [B, *]."""
    found, answer = at_resolutions(network, x.contiguous(memory_format=torch.channels_last))
    return [*found, answer]


def layer_distance(a: list[Tensor], b: list[Tensor]) -> Tensor:
    """Sum over layers of 1 - cosine, [A]; ``b``, [B, *] of each layer, is repeated where A is a multiple of B."""
    total = torch.zeros(len(a[-1]), device=a[-1].device)
    for u, v in zip(a, b, strict=True):
        u, v = u.flatten(1).float(), v.flatten(1).float()
        total = total + (1 - F.cosine_similarity(u.unflatten(0, (-1, len(v))), v, dim=2)).flatten()
    return total


def identity_layers(teachers: Teachers, made: Tensor, target: Tensor, grids: Tensor) -> Tensor:
    """Multi-layer identity loss, [A]; ``made`` [A, 3, S, S], one set after the other of inversions of ``target``
    [B, 3, S, S], ``grids`` [B, 2, 3]."""
    network = teachers.labeller.embed.raw
    with torch.no_grad():
        wanted = activations(network, (identity_view(target, grids) + 1) / 2)
    view = identity_view(made, grids.repeat(len(made) // len(grids), 1, 1))
    return layer_distance(activations(network, (view + 1) / 2), wanted)


def parts_layers(teachers: Teachers, made: Tensor, target: Tensor) -> Tensor:
    """Multi-layer loss on where the face's parts are, [A], of pictures as for :func:`identity_layers`: in place of
    the paper's parsing loss."""
    network = teachers.labeller.points.features
    with torch.no_grad():
        wanted = activations(network, (target + 1) / 2)
    return layer_distance(activations(network, (made + 1) / 2), wanted)


def multiscale_lpips(teachers: Teachers, made: Tensor, target: Tensor, scales: tuple[int, ...] = SCALES) -> Tensor:
    """Sum over scales of LPIPS, [B], of pictures [B, 3, S, S] in -1..1."""
    distance = teachers.labeller.lpips
    small = [(F.avg_pool2d(made, s), F.avg_pool2d(target, s)) for s in scales]
    return torch.stack([distance(a, b).flatten().float() for a, b in small]).sum(0)
