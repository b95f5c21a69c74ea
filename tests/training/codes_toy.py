"""Folders of faces and of pairs with every column that the recipes on codes read, for a toy pack of 64 px."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from tests.toy import write_toy_pack
from tests.training.shards_toy import write_labellers
from tests.training.teachers_toy import toy_teachers
from vidinv.training import accessories
from vidinv.training.shards import write_shards


def points68(count: int, rng: np.random.Generator) -> np.ndarray:
    """Landmarks of faces that look ahead, in crops of 64 px, [count, 68, 2]; a little different each."""
    turn = np.linspace(0, np.pi, 17)
    jaw = np.stack([32 - 20 * np.cos(turn), 28 + 26 * np.sin(turn)], 1)
    brows = np.stack([np.linspace(16, 48, 10), np.full(10, 19.0)], 1)
    nose = np.stack(
        [np.r_[np.full(4, 32.0), np.linspace(28, 36, 5)], np.r_[np.linspace(24, 34, 4), np.full(5, 36.0)]], 1
    )
    eye = np.array([[-4, 0], [-2, -2], [2, -2], [4, 0], [2, 2], [-2, 2]], float)
    round_ = np.linspace(0, 2 * np.pi, 13)[:-1]
    lips = np.stack([-10 * np.cos(round_), -4 * np.sin(round_)], 1)
    inner = np.stack([-7 * np.cos(np.linspace(0, 2 * np.pi, 9)[:-1]), np.r_[0, -1, -1, -1, 0, 1, 1, 1]], 1)
    face = np.concatenate([jaw, brows, nose, eye + [23, 25], eye + [41, 25], lips + [32, 43], inner + [32, 43]])
    return face + rng.normal(0, 0.4, (count, 68, 2))


def one_face() -> np.ndarray:
    """Landmarks of one of them in a crop of 128 px, [68, 2]."""
    return points68(1, np.random.default_rng(0))[0] * 2


def write_labelled(folder: Path, count: int, *, pairs: bool = False) -> Path:
    """Faces (skin, hair above it, a mouth) with all labels; of pairs two pictures show the same person."""
    rng, crops = np.random.default_rng(1), []
    for _ in range(count):
        picture = np.full((64, 64, 3), rng.integers(90, 160, 3) + [60, 20, -20], np.uint8)
        picture[:16] = rng.integers(0, 256, 3)
        picture[39:47, 22:42] = rng.integers(0, 256, 3)
        crops.append(cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes())
    identity = rng.normal(size=(count, 16))
    files = [f"imm/{i // 2}/{i}.jpg" if pairs else f"{i}.jpg" for i in range(count)]
    labels = {
        "age": rng.uniform(10, 70, count),
        "male": rng.random(count),
        "skin": rng.uniform(40, 220, count),
        "points68": points68(count, rng),
        "val": (np.arange(count) // 2) % 4 == 3,
        "expression": rng.dirichlet(np.ones(7), count),
        "identity": (identity / np.linalg.norm(identity, axis=1, keepdims=True)).astype(np.float32),
        "side": rng.uniform(90, 300, count),
        "set": np.full(count, "pairs" if pairs else "drawn"),
        "file": np.array(files),
    }
    worn = {name: rng.random(count).astype(np.float32) for name in ("glasses", "beard", "makeup")}
    write_shards(folder, crops, labels if pairs else labels | worn)
    if not pairs:
        write_probe(folder)
    return folder


def write_probe(folder: Path) -> None:
    with torch.no_grad():
        widths = accessories.features_at(toy_teachers(), torch.zeros(1, 3, 64, 64), torch.eye(2, 3)[None])
    weights = {name: torch.ones(width.shape[1]) for name, width in widths.items()}
    # Of the toy faces some are to wear glasses, surely, and others none.
    weights, biases = weights | {"glasses": 3 * weights["glasses"]}, {name: torch.zeros(()) for name in weights}
    accessories.Probe(weights, biases | {"glasses": torch.tensor(12.6)}).save(folder)


def write_all(folder: Path, count: int = 24) -> Path:
    """data/faces, data/pairs, labellers and pack in a folder."""
    write_labelled(folder / "data" / "faces", count)
    write_labelled(folder / "data" / "pairs", count, pairs=True)
    write_labellers(folder / "labellers")
    write_toy_pack(folder / "pack")
    return folder
