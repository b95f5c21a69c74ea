"""What a machine with a GPU needs for training on codes, in parts that fit the way there.

A part is a folder of files, with their sha256 in sums.json; together the parts are one folder:

faces, pairs        JPEG shards, the finished table of their codes (without what training does not read), scales.json
labellers           the labelling networks
networks.pt         generator, encoder and probe (vidinv.training.networks)
edits               the portable checkpoint of the edit network's run, where there is one
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.training import shards

MIB = 2**20
VALIDATED = 128  # validation faces that travel: those that sheets and figures show
SHARD_MIB = 6  # small, so that parts can be filled evenly
UNREAD = ("points5", "side", "stated_age", "stated_sex", "colour")  # columns that stay here
HALVED = ("points68", "identity")  # columns that travel as fp16: of landmarks that is a thirtieth of a pixel


def stage_faces(to: Path, data: Path, codes: Path, quality: int) -> int:
    """Write faces with their codes' table; all that are trained on, and VALIDATED of the others.

    :param data: folder of shards. :param codes: folder of their codes. :param quality: of the JPEG files, 0..100.
    :return: how many they are.
    """
    labels = shards.read_labels(codes)
    train, val = np.flatnonzero(~labels["val"]), np.flatnonzero(labels["val"])[:VALIDATED]
    rows = np.sort(np.concatenate([train, val]))
    crops = list(_jpegs(data, rows, quality))
    table = {k: _smaller(k, v[rows]) for k, v in labels.items() if k not in UNREAD}
    shards.write_shards(to, crops, table, SHARD_MIB)
    shutil.copy(codes / "scales.json", to)
    return len(rows)


def _jpegs(data: Path, rows: NDArray, quality: int) -> Iterator[bytes]:
    for chunk in np.array_split(rows, max(len(rows) // 512, 1)):
        for picture in shards.read_crops(data, chunk):
            yield cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _smaller(name: str, column: NDArray) -> NDArray:
    if name in HALVED:
        return column.astype(np.float16)
    return column.astype(np.float32) if column.dtype == np.float64 else column


def stage_labellers(to: Path, labellers: Path) -> None:
    """Copy the folder of labelling networks, but what Python left in it."""
    shutil.copytree(labellers, to, ignore=shutil.ignore_patterns("__pycache__", "*.md"))
    for path in [to, *to.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o600)  # copied from where nobody writes


def split(staged: Path, out: Path, count: int) -> list[int]:
    """Move the files of a folder into parts ``out``/part-1 ..., about equally large; returns their sizes, bytes."""
    files = sorted((p for p in staged.rglob("*") if p.is_file()), key=lambda p: -p.stat().st_size)
    sizes, sums = [0] * count, [dict[str, str]() for _ in range(count)]
    for file in files:
        part, name = int(np.argmin(sizes)), file.relative_to(staged).as_posix()
        sizes[part] += file.stat().st_size
        sums[part][name] = digest(file)
        to = out / f"part-{part + 1}" / name
        to.parent.mkdir(parents=True, exist_ok=True)
        file.replace(to)
    for part, told in enumerate(sums):
        listed = {"part": part + 1, "of": count, "files": told}
        (out / f"part-{part + 1}" / "sums.json").write_text(json.dumps(listed, indent=1))
    shutil.rmtree(staged)
    return sizes


def join(parts: Path, to: Path) -> list[int]:
    """Check what parts are there and lay their files together in ``to``; returns the numbers of those that are missing.

    :raises ValueError: a file is missing or damaged.
    """
    found: dict[int, int] = {}
    for index in sorted(parts.glob("part-*/sums.json")):
        listed = json.loads(index.read_text())
        for name, expected in listed["files"].items():
            file = index.parent / name
            if not file.is_file() or digest(file) != expected:
                raise ValueError(f"{file} is missing or damaged; bring the part again")
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            if not (to / name).exists():  # a run that went on here is not put back
                shutil.copy(file, to / name)
        found[listed["part"]] = listed["of"]
    if not found:
        raise ValueError(f"{parts} holds no part-1; bring it, or make it with pipelines/on_gpu.sh pack")
    return [number for number in range(1, max(found.values()) + 1) if number not in found]


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
