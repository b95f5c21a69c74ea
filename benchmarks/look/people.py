"""The people whom edits are judged on: named in small tables, read out of the zips of faces at their native size."""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.errors import InputError

HERE = Path(__file__).parent
FACES = HERE / "faces.csv"  # those that are judged
OTHERS = HERE / "others.csv"  # those whose mean change is the overlay that the judged are compared with


@dataclass(frozen=True)
class Person:
    set: str
    file: str
    row: int  # of the table of labels
    picture: NDArray[np.uint8]  # [H, W, 3] RGB, as it was taken

    @property
    def name(self) -> str:
        return f"{self.set}/{self.file}"


def read_people(table: Path, faces: Path, labels: dict[str, NDArray]) -> list[Person]:
    """Everybody in a table (columns set, file), in its order.

    :param faces: the folder with a zip per set. :param labels: with columns set, file and val.
    :raises InputError: somebody has no row of labels, was trained on, or has no picture.
    """
    row_of = {key: row for row, key in enumerate(zip(labels["set"].tolist(), labels["file"].tolist(), strict=True))}
    with open(table, newline="") as lines:
        names = [(line["set"], line["file"]) for line in csv.DictReader(lines)]
    unknown = [name for name in names if name not in row_of or not labels["val"][row_of[name]]]
    if unknown:
        raise InputError(
            f"{table}: {'/'.join(unknown[0])} is no validation face of the data; prepare all sets of faces"
        )
    return [Person(*name, row_of[name], _picture(faces, *name)) for name in names]


def _picture(faces: Path, group: str, file: str) -> NDArray[np.uint8]:
    try:
        with zipfile.ZipFile(faces / f"{group}.zip") as archive:
            data = np.frombuffer(archive.read(file), np.uint8)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{faces / group}.zip: no {file} ({error}); give the folder that the faces were prepared of"
        ) from None
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if picture is None:
        raise InputError(f"{faces / group}.zip: {file} is no picture")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
