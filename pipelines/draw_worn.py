"""Pairs of pictures for edits that nobody was photographed with and without: faces, and the same in glasses or a beard.

    python -m pipelines.draw_worn --data data/faces-128 --pairs data/pairs-128 --out data/mates-128

--data is a folder of pipelines.prepare_faces after pipelines.label_accessories, --pairs one of several pictures of each
person, which --out begins with: a folder of the same kind, for pipelines.encode_faces. Faces that are kept for
validation are left alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.errors import InputError
from vidinv.models.pictures import to_tensor
from vidinv.training import shards, worn
from vidinv.training.scores import ADULT, shapes
from vidinv.training.sheets import write_sheet
from vidinv.training.sources import PAIRS_SET

WITHOUT = 0.15  # probability, at most, of what is to be drawn
FRONTAL = 0.35  # yaw score of either side: beyond it the far lens lies behind the nose
DRAWN: dict[str, Callable] = {"glasses": worn.glasses, "beard": worn.beard}
SHOWN = 16  # columns of the sheet


def fit(what: str, labels: dict[str, NDArray]) -> NDArray[np.int64]:
    """Rows of faces that can be drawn so."""
    may = ~labels["val"] & (labels[what] < WITHOUT)
    may &= np.abs(shapes(labels["points68"])["yaw"]) < FRONTAL
    if what == "beard":
        may &= (labels["male"] > 0.5) & (labels["age"] >= ADULT)
    return np.flatnonzero(may)


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1500, help="faces that each is drawn on, at most")
    options = parser.parse_args()
    labels, pairs = shards.read_labels(options.data), shards.read_labels(options.pairs)
    if missing := [what for what in DRAWN if what not in labels]:
        raise InputError(
            f"{options.data}/labels.npz has no column {', '.join(missing)}: run python -m pipelines.label_accessories"
        )
    columns = [name for name in pairs if name in labels]
    crops, rng = [jpeg(x) for x in shards.read_crops(options.pairs)], np.random.default_rng(0)
    tables = [{name: pairs[name] for name in columns}]
    sheet = []
    for what, draw in DRAWN.items():
        rows = fit(what, labels)
        rows = np.sort(rng.choice(rows, min(options.count, len(rows)), replace=False))
        bare = shards.read_crops(options.data, rows)
        drawn = np.stack([draw(x, p) for x, p in zip(bare, labels["points68"][rows], strict=True)])
        for number, pictures in enumerate((bare, drawn)):
            crops += [jpeg(x) for x in pictures]
            table = {name: labels[name][rows] for name in columns}
            files = [f"{what}/{row:07d}/{number}" for row in rows]
            tables.append(table | {"set": np.full(len(rows), PAIRS_SET), "file": np.array(files)})
        sheet += [to_tensor(x[:: max(len(x) // SHOWN, 1)][:SHOWN]) for x in (bare, drawn)]
        print(f"{what}: {len(rows)} faces", flush=True)
    whole = {name: np.concatenate([t[name] for t in tables]) for name in columns}
    shards.write_shards(options.out, crops, whole)
    write_sheet(options.out / "sheet.png", sheet)


if __name__ == "__main__":
    main()
