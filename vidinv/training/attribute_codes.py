"""Styles of faces beside the attributes that the faces have: what W+ is unfolded with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.models.pictures import to_tensor
from vidinv.runtime.compute import Compute
from vidinv.training import photometry
from vidinv.training.networks import Networks
from vidinv.training.scores import LOGITS, SCORES, scores
from vidinv.training.shards import read_crops, read_labels

FILE = "attribute-codes.npz"
BATCH = 128
FEWEST = 5  # training faces that have an attribute, and that have it not; where there are fewer, it is left out


@dataclass(frozen=True)
class AttributeCodes:
    """N faces."""

    names: tuple[str, ...]  # of the K attributes
    w: NDArray[np.float16]  # [N, L, D]
    truth: NDArray[np.int8]  # [N, K]: 1 has it, -1 has it not, 0 is not known
    cuts: NDArray[np.float64]  # [K]: scores above it count as having the attribute
    val: NDArray[np.bool_]  # [N]: kept for validation

    def save(self, folder: Path) -> None:
        """As FILE in a folder, whole or not at all."""
        part = folder / f"{FILE}.part"
        with open(part, "wb") as file:
            np.savez(file, names=np.array(self.names), w=self.w, truth=self.truth, cuts=self.cuts, val=self.val)
        part.replace(folder / FILE)


def read_attribute_codes(folder: Path) -> AttributeCodes | None:
    """None where there are none."""
    if not (folder / FILE).is_file():
        return None
    with np.load(folder / FILE, allow_pickle=False) as found:
        names = tuple(str(name) for name in found["names"])
        return AttributeCodes(names, found["w"], found["truth"], found["cuts"], found["val"])


def truth_of(
    labels: dict[str, NDArray], names: tuple[str, ...], train: NDArray[np.bool_]
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Who has what, [N, K], and the scores above which one has it, [K].

    Scores that are logits are cut at a probability of one half, all others at the median of the faces in ``train``.
    """
    found = scores(labels)
    cuts = np.array([0.0 if name in LOGITS else float(np.nanmedian(found[name][train])) for name in names])
    values = np.stack([found[name] for name in names], 1).astype(np.float64)
    truth = np.where(values > cuts, 1, -1).astype(np.int8)
    truth[~np.isfinite(values)] = 0
    return truth, cuts


def encode_attributes(data: Path, networks: Networks, compute: Compute) -> AttributeCodes:
    """Styles of all faces of a data folder, and every attribute that its labels, or its pictures, tell of.

    :param networks: on ``compute``'s device.
    """
    labels = read_labels(data)
    count, found = len(labels["val"]), []
    measured: list[dict[str, NDArray]] = []
    for rows in np.array_split(np.arange(count), -(-count // BATCH)):
        pictures = read_crops(data, rows)
        with torch.inference_mode(), compute.autocast():
            found.append(networks.encoder(to_tensor(pictures, compute.device))[0].float().half().cpu().numpy())
        measured.append(photometry.measured(pictures, labels["points68"][rows]))
    labels = labels | {k: np.concatenate([m[k] for m in measured]) for k in measured[0]}
    names, train = tuple(name for name in SCORES if name in scores(labels)), ~labels["val"]
    truth, cuts = truth_of(labels, names, train)
    kept = np.flatnonzero(np.minimum((truth[train] > 0).sum(0), (truth[train] < 0).sum(0)) >= FEWEST)
    names = tuple(names[number] for number in kept)
    return AttributeCodes(names, np.concatenate(found), truth[:, kept], cuts[kept], labels["val"])
