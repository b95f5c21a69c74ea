"""The codes of all faces of a data folder, made once: what trains on codes need not encode a face each time it sees it.

A folder of codes holds, row for row like the data folder's table:

w.npy               [N, L, D] float16
feature.npy         [N, C, h, h] float16, F; mapped into memory, since that of a few thousand faces would not fit
below.npy           [N, 3, h, h] float16, the RGB picture of the generator's layers below K
inversions.npy      [N, S, S, 3] uint8, G(w, F)
labels.npz          the data folder's columns, those of photometry.measured and of the probe, and ``read`` [N, K]: the
                    scores of the inversions in standard deviations, as the labelling networks read them
scales.json         the standard deviations, by the scores' names in the order of ``read``
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.generator import Generator
from vidinv.models.pictures import to_levels, to_tensor
from vidinv.packs.load import Pack
from vidinv.training import accessories, card, losses, photometry
from vidinv.training.labelling import Labelling, attribute_grids
from vidinv.training.shards import read_crops, read_labels, write_labels
from vidinv.training.teachers import Teachers


@dataclass(frozen=True)
class Codes:
    """Faces by their codes; see the module."""

    w: NDArray[np.float16]
    feature: NDArray[np.float16]
    below: NDArray[np.float16]
    inversions: NDArray[np.uint8]
    labels: dict[str, NDArray]
    scales: dict[str, float]


def read_codes(folder: Path) -> Codes:
    """:raises FileNotFoundError: no codes are there."""
    if not (folder / "labels.npz").is_file():  # written last
        raise FileNotFoundError(f"{folder} holds no codes; make them with python -m pipelines.encode_faces")
    arrays = {n: np.load(folder / f"{n}.npy", mmap_mode="r") for n in ("w", "feature", "below", "inversions")}
    scales = json.loads((folder / "scales.json").read_text())
    return Codes(**arrays, labels=read_labels(folder), scales=scales)


@torch.inference_mode()
def write_codes(
    folder: Path, data: Path, pack: Pack, nets: Teachers, scale: dict[str, float], probe: accessories.Probe | None
) -> None:
    """Encode, render and read every face of ``data``.

    :param scale: standard deviations of the scores that are read. :param probe: of accessories, where they are scores.
    """
    folder.mkdir(parents=True, exist_ok=True)
    labels, labelling = read_labels(data), Labelling(nets, scale, probe)
    assert isinstance(pack.generator, Generator)
    assert isinstance(pack.encoder, FeatureStyleEncoder)
    count, generator = len(labels["val"]), pack.generator.config
    shape = (count, generator.layers, generator.d_style)
    w = open_memmap(folder / "w.npy", "w+", np.float16, shape)
    feature = open_memmap(folder / "feature.npy", "w+", np.float16, (count, *generator.feature_shape))
    side = generator.resolution_of(generator.feature_layer - 1)
    below = open_memmap(folder / "below.npy", "w+", np.float16, (count, 3, side, side))
    inversions = open_memmap(folder / "inversions.npy", "w+", np.uint8, (count, *[pack.resolution] * 2, 3))
    read, measured = np.full((count, len(scale)), np.nan, np.float32), []
    for rows in np.array_split(np.arange(count), -(-count // 512)):
        pictures, points = read_crops(data, rows), labels["points68"][rows]
        grids = losses.identity_grids(nets, points, pack.resolution), attribute_grids(points, pack.resolution)
        with torch.autocast("cpu", torch.bfloat16):
            faces = card.encode_faces(pack.encoder, to_tensor(pictures), points, *grids)
            for part in np.array_split(np.arange(len(rows)), -(-len(rows) // 32)):
                some = card.subset(faces, part)
                _, picture = pack.generator.below(some.w)
                made = pack.generator.render_from(some.w, some.feature, picture).float().clamp(-1, 1)
                below[rows[part]] = picture.float().numpy()
                inversions[rows[part]] = to_levels(made).round()
                with torch.autocast("cpu", enabled=False):
                    found = labelling(made, some)
                read[rows[part]] = np.stack([found[name].numpy() for name in scale], 1)
        w[rows], feature[rows] = faces.w.numpy(), faces.feature.numpy()
        columns = photometry.measured(pictures, points)
        if probe is not None:
            worn = accessories.probabilities(probe, nets, to_tensor(pictures), points)
            columns |= {k: v.numpy() for k, v in worn.items()}
        measured.append(columns)
        print(f"{rows[-1] + 1}/{count} faces", flush=True)
    told = {k: np.concatenate([m[k] for m in measured]) for k in measured[0]}
    for array in (w, feature, below, inversions):
        array.flush()
    (folder / "scales.json").write_text(json.dumps(scale, indent=1) + "\n")
    write_labels(folder, labels | told | {"read": read})
