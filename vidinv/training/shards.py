"""Aligned faces on disk: JPEG shards of at most 50 MiB, and one table of labels.

shard-000.zip ...   0000000.jpg, stored: the file's number is the row of the table
labels.npz          a column per label, a row per face
"""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def write_shards(folder: Path, crops: list[bytes], labels: dict[str, NDArray], shard_mib: float = 48) -> None:
    """:param crops: JPEG files' bytes, one per row of every label.
    :param shard_mib: most MiB of them in a shard.
    """
    folder.mkdir(parents=True, exist_ok=True)
    most = shard_mib * 2**20
    at: zipfile.ZipFile | None = None
    shard, size = -1, most
    for row, data in enumerate(crops):
        if at is None or size + len(data) > most:
            if at is not None:
                at.close()
            shard, size = shard + 1, 0
            at = zipfile.ZipFile(folder / f"shard-{shard:03d}.zip", "w", zipfile.ZIP_STORED)
        at.writestr(f"{row:07d}.jpg", data)
        size += len(data)
    if at is not None:
        at.close()
    write_labels(folder, labels)


def write_labels(folder: Path, labels: dict[str, NDArray]) -> None:
    """The table alone; one that is there is replaced as a whole or not at all."""
    passing = folder / "labels.npz.part"
    # What numpy.savez_compressed would write, which takes no column called "file".
    with zipfile.ZipFile(passing, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, column in labels.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(column), allow_pickle=False)
    passing.replace(folder / "labels.npz")


def read_labels(folder: Path) -> dict[str, NDArray]:
    with np.load(folder / "labels.npz", allow_pickle=False) as table:
        return dict(table)


def read_names(table: Path) -> set[tuple[str, str]]:
    """Sets and files of the pictures that a CSV file with these two columns names."""
    with open(table, newline="") as lines:
        return {(line["set"], line["file"]) for line in csv.DictReader(lines)}


def rows_present(folder: Path) -> NDArray[np.int64]:
    """Rows of the table whose pictures are there, ascending: all of them, unless some shards are elsewhere."""
    rows = []
    for shard in _shards(folder):
        with zipfile.ZipFile(shard) as archive:
            rows += [int(name.split(".")[0]) for name in archive.namelist()]
    return np.sort(np.array(rows, np.int64))


def _shards(folder: Path) -> list[Path]:
    shards = sorted(Path(folder).glob("shard-*.zip"))
    if not shards:
        raise FileNotFoundError(f"{folder} holds no shard-*.zip; make them with python -m pipelines.prepare_faces")
    return shards


def read_crops(folder: Path, rows: NDArray | None = None) -> NDArray[np.uint8]:
    """All crops, or the given rows in their order: [N, S, S, 3] RGB, 0..255."""
    wanted = None if rows is None else set(int(r) for r in rows)
    found: dict[int, NDArray] = {}
    for shard in _shards(folder):
        with zipfile.ZipFile(shard) as archive:
            for name in archive.namelist():
                row = int(name.split(".")[0])
                if wanted is None or row in wanted:
                    picture = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR)
                    if picture is None:
                        raise ValueError(f"{shard} holds no picture under {name}; prepare the faces anew")
                    found[row] = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    order = sorted(found) if rows is None else [int(r) for r in rows]
    return np.stack([found[r] for r in order])
