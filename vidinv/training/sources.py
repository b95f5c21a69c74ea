"""Tables of the pictures that faces are taken from: a folder of zip files and a CSV file that lists what is in them."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

FACES, PAIRS = "labels.csv", "pairs.csv"
PAIRS_SET = "pairs"  # what the column "set" says of them
VAL_ONE_IN = 20  # persons of a table of pairs that are kept for validation


def read_rows(folder: Path) -> list[dict[str, str]]:
    """A row per picture: set (its zip file, without ending), file (in it), split ("train" or "val"), age, sex.

    From labels.csv, which has these columns; or from pairs.csv (set, person, file), whose pictures lie in pairs.zip as
    SET/PERSON/FILE, several of each person. There a person is kept for validation where md5(name) is a multiple of 20.

    :raises FileNotFoundError: neither is there.
    """
    for name in (FACES, PAIRS):
        if (folder / name).is_file():
            with open(folder / name, newline="") as table:
                rows = list(csv.DictReader(table))
            return rows if name == FACES else [_of_pairs(row) for row in rows]
    raise FileNotFoundError(f"{folder} holds neither {FACES} nor {PAIRS}; name the folder of the pictures' zip files")


def _of_pairs(row: dict[str, str]) -> dict[str, str]:
    number = int(hashlib.md5(row["person"].encode(), usedforsecurity=False).hexdigest(), 16)
    split = "val" if number % VAL_ONE_IN == 0 else "train"
    return {
        "set": PAIRS_SET,
        "file": f"{row['set']}/{row['person']}/{row['file']}",
        "split": split,
        "age": "",
        "sex": "",
    }


def person_of(file: str) -> str:
    """Whose picture a file of pairs.zip is: SET/PERSON."""
    return file.rpartition("/")[0]
