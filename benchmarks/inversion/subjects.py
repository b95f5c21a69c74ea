"""The faces that all rows invert, and where the face lies in each of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.generator.pictures import from_folder
from vidinv.errors import InputError
from vidinv.faces.quads import Template
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import Pack
from vidinv.training.labelling import attribute_grids, read_points
from vidinv.training.shards import read_crops, read_labels, rows_present
from vidinv.training.teachers import Teachers


@dataclass(frozen=True)
class Subjects:
    """N pictures, of which the first few are a sample of their own."""

    pictures: Tensor
    """[N, 3, S, S] in -1..1."""
    points68: NDArray | None
    """[N, 68, 2] pixels; None: no labelling network has looked."""

    def first(self, count: int) -> Subjects:
        return Subjects(self.pictures[:count], None if self.points68 is None else self.points68[:count])

    def only(self, rows: list[int]) -> Subjects:
        return Subjects(self.pictures[rows], None if self.points68 is None else self.points68[rows])

    @property
    def digest(self) -> str:
        """By which the pictures are known again."""
        return hashlib.sha256(self.pictures.contiguous().numpy().tobytes()).hexdigest()[:16]


def kept_faces(folder: Path, side: int, count: int, seed: int) -> Subjects:
    """Prepared faces in an order drawn by seed, at most ``count``: of those kept for validation, if any are."""
    rows, labels = rows_present(folder), read_labels(folder)
    kept = rows[labels["val"][rows]] if "val" in labels else rows
    drawn = np.random.default_rng(seed).permutation(kept)[:count]
    crops = read_crops(folder, drawn)
    scale = side / crops.shape[1]
    if scale != 1:
        crops = np.stack([cv2.resize(c, (side, side), interpolation=cv2.INTER_AREA) for c in crops])
    points = labels["points68"][drawn] if "points68" in labels else None
    return Subjects(to_tensor(crops), None if points is None else (points + 0.5) * scale - 0.5)


def folder_faces(folder: Path, pack: Pack, count: int, nets: Teachers | None) -> Subjects:
    """The largest face of each picture of a folder, as the pack crops it.

    :raises InputError: no face, or a pack that is of none.
    """
    if not isinstance(pack.template, Template):
        raise InputError(f"pack {pack.name} is not of faces, so none can be found for it; give one of faces")
    return placed(to_tensor(from_folder(folder, pack.template, pack.resolution, count)), nets)


@torch.inference_mode()
def placed(pictures: Tensor, nets: Teachers | None, looks: int = 3) -> Subjects:
    """Crops whose points nobody knows yet: the landmark network looks at the whole crop, then closer."""
    if nets is None:
        return Subjects(pictures, None)
    grids = torch.eye(2, 3).expand(len(pictures), -1, -1)
    for _ in range(looks):
        points = read_points(nets, pictures, grids).numpy()
        grids = attribute_grids(points, pictures.shape[-1])
    return Subjects(pictures, points)
