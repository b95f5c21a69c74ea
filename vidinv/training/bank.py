"""All training faces on the device that trains, and batches drawn there: no loader threads, and one random stream."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.models.pictures import to_tensor
from vidinv.training.sampling import MIRRORED_GRID, balanced_weights
from vidinv.training.shards import read_crops, read_labels, rows_present


@dataclass(frozen=True)
class FaceBank:
    pictures: Tensor  # [N, S, S, 3] uint8
    weights: Tensor  # [N] probability of each
    grids: Tensor | None = None  # [N, 2, 3] identity grids, where a loss wants them

    @cached_property
    def mean_grid(self) -> Tensor:
        """[2, 3], that of the mean face."""
        assert self.grids is not None, "this bank was made without grids"
        return self.grids.mean(0)

    def draw(self, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """:return: [count, 3, S, S] in -1..1, half of them mirrored, and their grids [count, 2, 3]."""
        rows = torch.multinomial(self.weights, count, replacement=True, generator=rng)
        flipped = torch.rand(count, 1, 1, 1, generator=rng, device=rows.device) < 0.5
        x = to_tensor(self.pictures[rows], rows.device)
        x = torch.where(flipped, x.flip(-1), x).contiguous(memory_format=torch.channels_last)
        if self.grids is None:
            return x, None
        where = self.grids[rows]
        return x, torch.where(flipped[..., 0], where * MIRRORED_GRID.to(where), where)


@dataclass(frozen=True)
class FaceFolder:
    """The faces of a folder of shards that are there: shards may come one by one."""

    folder: Path
    labels: dict[str, NDArray]  # of all faces of the table
    train: NDArray  # rows
    val: NDArray

    def bank(self, device: str, grids: Tensor | None = None) -> FaceBank:
        """:param grids: [N, 2, 3], one for every row of the table."""
        chosen = {k: self.labels[k][self.train] for k in ("age", "male", "skin")}
        weights = torch.from_numpy(balanced_weights(chosen)).float()
        pictures = torch.from_numpy(read_crops(self.folder, self.train))
        mine = None if grids is None else grids[self.train].to(device)
        return FaceBank(pictures.to(device), weights.to(device), mine)

    def tensor(self, rows: NDArray) -> Tensor:
        """Pictures of some rows, [N, 3, S, S] in -1..1."""
        return to_tensor(read_crops(self.folder, rows))


def open_faces(folder: Path, resolution: int) -> FaceFolder:
    """:raises ValueError: the crops have another size, or there is nothing to train on or to validate with."""
    labels, rows = read_labels(folder), rows_present(folder)
    val = labels["val"][rows]
    if val.all() or not val.any():
        raise ValueError(f"{folder}: shards with {int((~val).sum())} training and {int(val.sum())} validation faces")
    side = read_crops(folder, rows[:1]).shape[1]
    if side != resolution:
        raise ValueError(f"{folder} holds {side} px crops and the settings want {resolution}; prepare_faces has --size")
    return FaceFolder(folder, labels, rows[~val], rows[val])
