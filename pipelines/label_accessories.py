"""Label glasses, beards and makeup of all faces by a probe that learns them from a few labelled by hand.

    python -m pipelines.label_accessories --data data/faces-128 --labellers LABELLERS

Reads pipelines/labels/accessories.csv (set, file, glasses, beard, makeup: 1, 0 or empty where nobody could tell).
Writes the columns glasses, beard and makeup (probabilities) into DATA/labels.npz and the probe into
DATA/accessories.safetensors; how well it agrees with hand labels of validation faces, which it has not learned from,
goes into DATA/manifest.json.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.errors import InputError
from vidinv.models.pictures import to_tensor
from vidinv.training import accessories, shards, teachers


def read_table(path: Path, labels: dict[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """What is known by hand of each of the N faces: 1, 0 or NaN, [N] per label.

    :raises InputError: the faces' table does not say which file each face came from, or none of them is in ``path``.
    """
    if "file" not in labels:
        raise InputError("labels.npz has no column file: prepare the faces anew with python -m pipelines.prepare_faces")
    row_of = {key: row for row, key in enumerate(zip(labels["set"].tolist(), labels["file"].tolist(), strict=True))}
    given = {name: np.full(len(labels["set"]), np.nan) for name in accessories.PARTS}
    found = 0
    with open(path, newline="") as table:
        for line in csv.DictReader(table):
            row = row_of.get((line["set"], line["file"]))
            if row is None:  # prepared faces may be fewer than the pictures: larger ones alone, say
                continue
            found += 1
            for name, column in given.items():
                column[row] = float(line[name] or "nan")
    if not found:
        raise InputError(f"{path}: none of its faces is among the prepared ones; were these made of other sets?")
    return given


def read_features(data: Path, labels: dict[str, NDArray], nets: teachers.Teachers) -> dict[str, NDArray[np.float32]]:
    """Features of every face, [N, D] per label."""
    parts = []
    for rows in np.array_split(np.arange(len(labels["val"])), len(labels["val"]) // 2048 + 1):
        x = to_tensor(shards.read_crops(data, rows))
        parts.append(accessories.features(nets, x, labels["points68"][rows]))
        print(f"{rows[-1] + 1}/{len(labels['val'])} faces", flush=True)
    return {name: torch.cat([p[name] for p in parts]).numpy() for name in parts[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--table", type=Path, default=Path(__file__).parent / "labels" / "accessories.csv")
    options = parser.parse_args()
    labels = shards.read_labels(options.data)
    given = read_table(options.table, labels)
    x = read_features(options.data, labels, teachers.load_teachers(options.labellers))
    weights, biases, figures = {}, {}, {}
    for name, truth in given.items():
        train, val = (np.flatnonzero(np.isfinite(truth) & which) for which in (~labels["val"], labels["val"]))
        weights[name], biases[name], chosen = accessories.learn(x[name][train], truth[train])
        predicted = torch.sigmoid(torch.from_numpy(x[name]) @ weights[name] + biases[name]).numpy()
        labels[name] = predicted.astype(np.float32)
        figures[name] = {
            "learned_from": len(train),
            "of_them_with": int(truth[train].sum()),
            **chosen,
            "validation": accessories.agreement(predicted[val], truth[val]),
            "share_of_all": float((predicted > 0.5).mean()),
        }
        print(name, json.dumps(figures[name]), flush=True)
    accessories.Probe(weights, biases).save(options.data)
    shards.write_labels(options.data, labels)
    manifest = json.loads((options.data / "manifest.json").read_text()) | {"accessories": figures}
    (options.data / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
