"""What the visibility network learns from: faces with something drawn over them, and where.

No picture says of itself what is covered in it. So occluders are drawn over clean faces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.models.pictures import to_tensor
from vidinv.training.distil import DistilOptions
from vidinv.training.limbs import Bank
from vidinv.training.objects import Rng
from vidinv.training.occluders import cover, face_region
from vidinv.training.photo_augmentation import degrade, placement
from vidinv.training.sampling import balanced_weights
from vidinv.training.shards import read_names

LEANING = 0.4  # share of pictures in perspective, as turned heads are: there are few among the training faces


def example(
    picture: NDArray[np.uint8], points: NDArray, bank: Bank, options: DistilOptions, rng: Rng
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """One face of training: covered, then moved, lit and degraded as a whole, so that both share the lamp and the lens.

    :return: the picture; where the face is, [S, S]; where it is covered, [S, S].
    """
    size = len(picture)
    picture, covered = cover(picture, points, bank, rng)
    turned: NDArray = np.eye(3)
    if rng.random() < LEANING:
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * (size - 1)
        turned = cv2.getPerspectiveTransform(corners, corners + rng.normal(0, 0.06 * size, (4, 2)).astype(np.float32))
        points = cv2.perspectiveTransform(points[None], turned)[0]
    affine, points = placement(points, size, options.augmentation, rng)
    whole = np.vstack([affine, [0, 0, 1]]) @ turned
    moved, hidden = (
        cv2.warpPerspective(p, whole, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        for p in (picture, covered)
    )
    degraded = degrade(np.asarray(moved, np.uint8), options.augmentation, rng)
    return degraded, face_region(points, size), np.asarray(hidden, np.float32)


def listed(labels: dict[str, NDArray], table: Path) -> NDArray[np.bool_]:
    """Which rows of the labels a CSV file with the columns set and file names.

    :raises ValueError: the labels do not say which files the faces came from.
    """
    if "file" not in labels:
        raise ValueError(f"the faces' labels have no column 'file', by which {table} names them: prepare them anew")
    named = read_names(table)
    return np.array([key in named for key in zip(labels["set"].tolist(), labels["file"].tolist(), strict=True)])


def shrunk(
    pictures: NDArray[np.uint8], labels: dict[str, NDArray], size: int
) -> tuple[NDArray[np.uint8], dict[str, NDArray]]:
    """Faces at ``size`` pixels, and the table with the points there: what is drawn small is drawn in a quarter."""
    points = (labels["points68"] + 0.5) * size / pictures.shape[1] - 0.5
    less = np.stack([cv2.resize(p, (size, size), interpolation=cv2.INTER_AREA) for p in pictures])
    return less, {**labels, "points68": points}


def examples(
    pictures: NDArray[np.uint8], labels: dict[str, NDArray], bank: Bank, side: int, options: DistilOptions
) -> tuple[NDArray[np.uint8], dict[str, NDArray]]:
    """Every picture once, for validation: as in training but for what degrades; and the maps "face" and "occluder"."""
    still = replace(options.augmentation, turn=5.0, scale=0.03, shift=0.02, light=0.2, colour=0.05, soft=0.2, noise=0.1)
    how = replace(options, augmentation=still)
    rngs = [np.random.default_rng((options.seed, 3, n)) for n in range(len(pictures))]
    drawn = [example(p, q, bank, how, r) for p, q, r in zip(pictures, labels["points68"], rngs, strict=True)]
    x, *maps = (np.stack(part) for part in zip(*drawn, strict=True))
    return x, {k: small(m, side) for k, m in zip(("face", "occluder"), maps, strict=True)}


def small(maps: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """[B, S, S] averaged down to [B, side, side]."""
    return np.stack([cv2.resize(m, (side, side), interpolation=cv2.INTER_AREA) for m in maps])


def batches(
    pictures: NDArray[np.uint8],
    labels: dict[str, NDArray],
    bank: Bank,
    side: int,
    options: DistilOptions,
    seen: int = 0,
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """As :func:`vidinv.training.distil.batches`; the targets are "face" and "occluder", [B, side, side] 0..1."""
    weights = balanced_weights(labels)
    while True:
        rows = np.random.default_rng((options.seed, seen, 1)).choice(len(pictures), options.batch, p=weights)
        drawn = [
            example(pictures[r], labels["points68"][r], bank, options, np.random.default_rng((options.seed, n)))
            for n, r in enumerate(rows, seen)
        ]
        x, *maps = (np.stack(part) for part in zip(*drawn, strict=True))
        seen += options.batch
        target = {k: torch.from_numpy(small(m, side)) for k, m in zip(("face", "occluder"), maps, strict=True)}
        yield to_tensor(x).contiguous(memory_format=torch.channels_last), target
