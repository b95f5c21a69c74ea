"""The codes of all faces of a data folder, made once: what trains on codes need not encode a face each time it sees it.

A folder of codes holds, row for row like the data folder's table:

w.npy               [N, L, D] float16
feature.npy         [N, C, h, h] float16, F; mapped into memory, since that of a few thousand faces would not fit
below.npy           [N, 3, h, h] float16, the RGB picture of the generator's layers below K
inversions.npy      [N, S, S, 3] uint8, G(w, F)
labels.npz          the data folder's columns, those of photometry.measured and of the probe, and ``read`` [N, K]: the
                    scores of the inversions in standard deviations, as the labelling networks read them
scales.json         the standard deviations, by the scores' names in the order of ``read``

The arrays are large and quickly made where there is a GPU; the table is small and made on a CPU. So the table can
travel to a GPU beside the faces, and only the arrays are made there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor

from vidinv.models.pictures import to_levels, to_tensor
from vidinv.runtime.compute import Compute
from vidinv.training import accessories, photometry
from vidinv.training.directions import Faces
from vidinv.training.labelling import Labelling, attribute_grids
from vidinv.training.losses import identity_grids
from vidinv.training.networks import Networks
from vidinv.training.scores import scales
from vidinv.training.shards import read_crops, read_labels, write_labels
from vidinv.training.teachers import Teachers

Array = NDArray | Tensor
READ = 512  # faces of which the pictures are held together
MEASURED = 1200  # faces over which the spread of colours is measured


@dataclass(frozen=True)
class Codes:
    """Faces by their codes; see the module. The arrays are tensors where they were sent to a device."""

    w: Array
    feature: Array
    below: Array
    inversions: Array
    labels: dict[str, NDArray]
    scales: dict[str, float]


def read_codes(folder: Path) -> Codes:
    """:raises FileNotFoundError: no codes are there."""
    if not (folder / "labels.npz").is_file():  # written last
        raise FileNotFoundError(f"{folder} holds no codes; make them with python -m pipelines.encode_faces")
    arrays = {n: np.load(folder / f"{n}.npy", mmap_mode="r") for n in ("w", "feature", "below", "inversions")}
    scales = json.loads((folder / "scales.json").read_text())
    return Codes(**arrays, labels=read_labels(folder), scales=scales)


def faces_of(codes: Codes, rows: NDArray, nets: Teachers) -> Faces:
    """Some of the faces, as edits are tried on."""
    points, size = codes.labels["points68"][rows], codes.inversions.shape[1]
    w, feature = (torch.from_numpy(np.asarray(some[rows], np.float32)) for some in (codes.w, codes.feature))
    return Faces(
        w,
        feature,
        points,
        identity_grids(nets, points, size),
        attribute_grids(points, size),
        photometry.hair(np.asarray(codes.inversions[rows], np.float32), points),
    )


def measured_scales(data: Path) -> dict[str, float]:
    """Standard deviation of every score over the faces of a data folder; of colours over some of them."""
    labels = read_labels(data)
    some = np.flatnonzero(~labels["val"])[:MEASURED]
    seen = photometry.measured(read_crops(data, some), labels["points68"][some])
    return scales({k: v[some] for k, v in labels.items()} | seen) | scales(labels)


def encode(folder: Path, data: Path, networks: Networks, compute: Compute) -> Iterator[tuple[NDArray, NDArray, Tensor]]:
    """Encode and render every face of ``data`` and write the four arrays.

    :param networks: on ``compute``'s device.
    :return: of batch after batch the rows, the crops [n, S, S, 3], 0..255, and G(w, F) [n, 3, S, S] in -1..1, float32.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sizes, count = networks.generator.config, len(read_labels(data)["val"])
    shape = (count, sizes.layers, sizes.d_style)
    w = open_memmap(folder / "w.npy", "w+", np.float16, shape)
    feature = open_memmap(folder / "feature.npy", "w+", np.float16, (count, *sizes.feature_shape))
    side, full = sizes.resolution_of(sizes.feature_layer - 1), networks.resolution
    below = open_memmap(folder / "below.npy", "w+", np.float16, (count, 3, side, side))
    inversions = open_memmap(folder / "inversions.npy", "w+", np.uint8, (count, full, full, 3))
    batch = 32 if compute.device == "cpu" else 256
    for chunk in np.array_split(np.arange(count), -(-count // READ)):
        pictures = read_crops(data, chunk)
        for part in np.array_split(np.arange(len(chunk)), -(-len(chunk) // batch)):
            rows = chunk[part]
            with torch.inference_mode(), compute.autocast():
                code, found = (c.float() for c in networks.encoder(to_tensor(pictures[part], compute.device)))
                _, picture = networks.generator.below(code)
                made = networks.generator.render_from(code, found, picture).float().clamp(-1, 1)
            # In the types of the arrays they are a fraction to bring from a GPU.
            w[rows], feature[rows] = code.half().cpu().numpy(), found.half().cpu().numpy()
            below[rows] = picture.half().cpu().numpy()
            inversions[rows] = ((made + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
            yield rows, pictures[part], made
        print(f"{chunk[-1] + 1}/{count} faces", flush=True)
    if compute.device == "cpu":  # where there is a GPU time is short, and the arrays are read from memory again
        for array in (w, feature, below, inversions):
            array.flush()


@torch.inference_mode()
def write_codes(
    folder: Path,
    data: Path,
    networks: Networks,
    nets: Teachers,
    scale: dict[str, float],
    probe: accessories.Probe | None,
) -> None:
    """Encode, render and read every face of ``data``, on the CPU.

    :param scale: standard deviations of the scores that are read. :param probe: of accessories, where they are scores.
    """
    labels, labelling = read_labels(data), Labelling(nets, scale, probe)
    read, measured = np.full((len(labels["val"]), len(scale)), np.nan, np.float32), []
    for rows, pictures, made in encode(folder, data, networks, Compute("cpu", torch.bfloat16)):
        points, x = labels["points68"][rows], to_tensor(pictures)
        grids, hair = attribute_grids(points, networks.resolution), photometry.hair(to_levels(x), points)
        nothing = torch.zeros(len(rows))  # codes and identity are not looked at
        found = labelling(made, Faces(nothing, nothing, points, nothing, grids, hair))
        read[rows] = np.stack([found[name].numpy() for name in scale], 1)
        columns = photometry.measured(pictures, points)
        if probe is not None:
            worn = accessories.probabilities(probe, nets, x, points)
            columns |= {k: v.numpy() for k, v in worn.items()}
        measured.append(columns)
    told = {k: np.concatenate([m[k] for m in measured]) for k in measured[0]}
    write_table(folder, labels | told | {"read": read}, scale)


def write_table(folder: Path, labels: dict[str, NDArray], scale: dict[str, float]) -> None:
    """What belongs to the arrays; written last, it says that all is there."""
    (folder / "scales.json").write_text(json.dumps(scale, indent=1) + "\n")
    write_labels(folder, labels)


def complete(folder: Path, data: Path, networks: Networks, compute: Compute) -> None:
    """Make the arrays beside a table that was made elsewhere: ``data`` holds faces, their table with ``read``, and
    scales.json."""
    for _ in encode(folder, data, networks, compute):
        pass
    labels = read_labels(data)  # what travelled as fp16 is counted with again
    labels = {k: v.astype(np.float32) if v.dtype == np.float16 else v for k, v in labels.items()}
    write_table(folder, labels, json.loads((data / "scales.json").read_text()))
