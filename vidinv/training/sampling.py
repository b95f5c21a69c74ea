"""Which faces a training batch holds, and in what order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.models.pictures import to_tensor

AGES = (5, 15, 25, 35, 45, 55, 65)  # years between the cells that are balanced
SKINS = (0.1, 0.3, 0.7)  # shares of the faces that are darker, likewise
# A mirrored picture's grid is the picture's times this: x of the crop and x of the face both change their sign.
MIRRORED_GRID = torch.tensor([[1.0, -1.0, -1.0], [-1.0, 1.0, 1.0]])


def balanced_weights(labels: dict[str, NDArray], infants: float = 0.3) -> NDArray[np.float64]:
    """Probability of each face: even (by the root of the density) over age, sex and skin tone; few infants.

    The root is a compromise: full inverse density would show a handful of rare faces hundreds of times.

    :param labels: columns ``age`` (years), ``male`` (0..1) and ``skin`` (median brightness of the face, 0..255).
    """
    age = np.digitize(labels["age"], AGES)
    skin = np.digitize(labels["skin"], np.quantile(labels["skin"], SKINS))
    cell = (age * 4 + skin) * 2 + (labels["male"] > 0.5)
    weights = 1 / np.sqrt(np.bincount(cell)[cell])
    weights[labels["age"] < 4] *= infants
    return weights / weights.sum()


def balance(labels: dict[str, NDArray]) -> dict[str, dict[str, list[float]]]:
    """How even the faces are: shares by age, skin tone (dark to light) and sex, as they are and as they are drawn."""
    cells = {
        "age": np.digitize(labels["age"], AGES),
        "skin": np.digitize(labels["skin"], np.quantile(labels["skin"], SKINS)),
        "male": (labels["male"] > 0.5).astype(int),
    }
    sizes = {"age": len(AGES) + 1, "skin": len(SKINS) + 1, "male": 2}
    drawn = {"as_they_are": np.full(len(labels["age"]), 1 / len(labels["age"])), "drawn": balanced_weights(labels)}
    return {
        name: {k: [round(float(v), 3) for v in np.bincount(cell, w, sizes[name])] for k, w in drawn.items()}
        for name, cell in cells.items()
    }


def batches(
    pictures: NDArray[np.uint8], grids: Tensor, weights: NDArray, batch: int, seed: int, seen: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches (pictures [B, 3, S, S], identity grids [B, 2, 3]), half of them mirrored.

    They go on from image number ``seen`` of the run, however often it was cut: each batch has its own random numbers.
    """
    while True:
        rng = np.random.default_rng((seed, seen))
        rows = rng.choice(len(pictures), batch, p=weights)
        x, where = to_tensor(pictures[rows]), grids[rows].clone()
        flipped = torch.from_numpy(rng.random(batch) < 0.5)
        x[flipped] = x[flipped].flip(-1)
        where[flipped] = where[flipped] * MIRRORED_GRID
        seen += batch
        yield x.contiguous(memory_format=torch.channels_last), where
