"""Faces on the device: those that are there, drawn by weight, mirrored with their grids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines.prepare_faces import skin_brightness
from tests.training.shards_toy import write_faces
from vidinv.training.bank import FaceBank, open_faces


def test_training_uses_the_shards_that_are_there(tmp_path: Path) -> None:
    folder = write_faces(tmp_path / "faces", shard_mib=0.008)
    assert len(list(folder.glob("shard-*.zip"))) > 2
    every = open_faces(folder, 64)
    assert (len(every.train), len(every.val)) == (18, 6)
    (folder / "shard-000.zip").unlink()
    some = open_faces(folder, 64)
    assert 0 < len(some.train) < 18
    assert len(some.bank("cpu").pictures) == len(some.train)
    assert set(some.train) < set(every.train)


def test_crops_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds 64 px crops and the settings want 128"):
        open_faces(write_faces(tmp_path / "faces"), 128)


def test_a_folder_without_validation_faces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="3 training and 0 validation"):
        open_faces(write_faces(tmp_path / "faces", 3), 64)


def test_faces_are_drawn_by_weight_and_mirrored_together_with_their_grids() -> None:
    pictures = torch.zeros(2, 8, 8, 3, dtype=torch.uint8)
    pictures[1, :, :4] = 255
    grids = torch.arange(12.0).view(2, 2, 3) + 1
    x, where = FaceBank(pictures, torch.tensor([0.0, 1.0]), grids).draw(200, torch.Generator().manual_seed(0))
    left = x[:, 0, 0, 0] > 0
    assert 60 < left.sum() < 140
    assert torch.equal(x[left][:, :, 0, 7], torch.full((int(left.sum()), 3), -1.0))
    assert torch.equal(where[left], grids[1:].expand(int(left.sum()), 2, 3))
    assert torch.equal(where[~left][0], grids[1] * torch.tensor([[1.0, -1, -1], [-1, 1, 1]]))
    assert np.isclose(float(x.max()), 1)


@pytest.mark.parametrize("side", [128, 256])
def test_skin_is_measured_at_the_same_place_of_crops_of_any_size(side: int) -> None:
    picture = np.full((side, side, 3), 10, np.uint8)
    unit = side // 128
    picture[48 * unit : 90 * unit, 30 * unit : 98 * unit] = 200
    assert skin_brightness(picture) == 200
    picture[60 * unit : 70 * unit] = 0  # glasses: a median does not mind
    assert skin_brightness(picture) == 200
