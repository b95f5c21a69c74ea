"""Who a face is: a small student of a face-recognition network, for similarities while a video is edited.

The pack's own measure of identity. It is trained by ``vidinv.training.distil`` to give the teacher's embeddings
(Park et al. 2019, arXiv:1904.05068, for the relational part) straight from the pack's crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from vidinv.models.pictures import to_tensor
from vidinv.models.student import DescribingConfig, DescribingStudent
from vidinv.runtime.compute import Compute


@dataclass(frozen=True)
class IdentityConfig(DescribingConfig):
    widths: tuple[int, ...] = (24, 48, 96, 192)
    embedding: int = 128


class IdentityNet(DescribingStudent):
    config: IdentityConfig

    def __init__(self, config: IdentityConfig) -> None:
        super().__init__(config)
        self.to_embedding = nn.Linear(self.descriptor_size, config.embedding)

    def forward(self, x: Tensor) -> Tensor:
        """:param x: [B, 3, S, S] RGB crops of the pack's template, -1..1, any S.

        :return: [B, 128] float32 unit vectors; the dot product of two of them is their similarity, -1..1.
        """
        return F.normalize(self.read(x, self.to_embedding), dim=1)


def embedded(crops: Sequence[NDArray[np.uint8]], identity: nn.Module, compute: Compute) -> NDArray[np.float32]:
    """[N, D] unit vectors: the mean of what an identity network says of each crop and of its mirror image, which tells
    people apart better than one of them."""
    pictures = to_tensor(np.stack(crops), compute.device)
    with torch.inference_mode(), compute.autocast():
        both = identity(torch.cat([pictures, pictures.flip(3)])).float()
        return np.asarray(F.normalize(both[: len(crops)] + both[len(crops) :]).cpu().numpy())
