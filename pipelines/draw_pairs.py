"""Pairs of pictures for what hardly anybody was photographed with and without in one light: drawn.

    python -m pipelines.draw_pairs --data data/faces-128 --pairs data/pairs-128 --out data/mates-128

A face, and the same in glasses or a beard, with its mouth open, or smiling. --data is a folder of
pipelines.prepare_faces after pipelines.label_accessories, --pairs one of several pictures of each person, which --out
begins with: a folder of the same kind, for pipelines.encode_faces, whose column "drawn" says in standard deviations how
much of what the file's name begins with was drawn. Faces that are kept for validation are left alone.
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
from vidinv.training.mouths import open_mouth, smile
from vidinv.training.scores import ACCESSORIES, ADULT, scales, shapes
from vidinv.training.sheets import write_sheet
from vidinv.training.sources import PAIRS_SET

WITHOUT = 0.15  # probability, at most, of what is to be drawn
FRONTAL = 0.35  # yaw score of either side: beyond it the far side lies behind the nose
CLOSED = 0.03  # inner lips apart, in eye distances, at most
WORN, SMILING = 2.5, 2.0  # standard deviations that a frame or a beard, and a broad smile, are said to be
OPENED = (0.6, 2.6)  # standard deviations by which mouths are opened
SMILES = (0.4, 1.1)  # of a broad smile
SHOWN = 16  # columns of the sheet

Drawn = tuple[NDArray[np.uint8], NDArray, float]  # picture, landmarks, standard deviations


def fit(what: str, labels: dict[str, NDArray]) -> NDArray[np.int64]:
    """Rows of faces that can be drawn so."""
    shape = shapes(labels["points68"])
    may = ~labels["val"] & (np.abs(shape["yaw"]) < FRONTAL)
    if what in ACCESSORIES:
        may &= labels[what] < WITHOUT
    else:
        may &= (shape["mouth"] < CLOSED) & (labels["expression"][:, 1] < 0.5) & (labels["beard"] < 0.5)
    if what == "beard":
        may &= (labels["male"] > 0.5) & (labels["age"] >= ADULT)
    return np.flatnonzero(may)


def draw(what: str, picture: NDArray[np.uint8], points: NDArray, mouth_scale: float, rng: np.random.Generator) -> Drawn:
    """:param mouth_scale: eye distances that a standard deviation of the mouth's opening is."""
    if what in ACCESSORIES:
        put_on: Callable = worn.glasses if what == "glasses" else worn.beard
        return put_on(picture, points), points, WORN
    if what == "mouth":
        amount = rng.uniform(*OPENED)
        return *open_mouth(picture, points, amount * mouth_scale), amount
    amount = rng.uniform(*SMILES)
    return *smile(picture, points, amount), SMILING * amount


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--draw", default="glasses,beard,mouth,smile", help="what to draw, by commas")
    parser.add_argument("--count", type=int, default=1500, help="faces that each is drawn on, at most")
    options = parser.parse_args()
    labels, pairs = shards.read_labels(options.data), shards.read_labels(options.pairs)
    if missing := [name for name in ACCESSORIES if name not in labels]:
        raise InputError(
            f"{options.data}/labels.npz has no column {', '.join(missing)}: run python -m pipelines.label_accessories"
        )
    columns = [name for name in pairs if name in labels]
    crops, rng = [jpeg(x) for x in shards.read_crops(options.pairs)], np.random.default_rng(0)
    tables = [{name: pairs[name] for name in columns} | {"drawn": np.zeros(len(crops))}]
    sheet, scale = [], scales(labels)["mouth"]
    for what in options.draw.split(","):
        rows = fit(what, labels)
        rows = np.sort(rng.choice(rows, min(options.count, len(rows)), replace=False))
        bare, points = shards.read_crops(options.data, rows), labels["points68"][rows]
        each = [draw(what, x, p, scale, rng) for x, p in zip(bare, points, strict=True)]
        made, moved, amounts = (np.stack(part) for part in zip(*each, strict=True))
        for number, shown in enumerate(((bare, points, 0 * amounts), (made, moved, amounts))):
            pictures, places, drawn = shown
            crops += [jpeg(x) for x in pictures]
            files = np.array([f"{what}/{row:07d}/{number}" for row in rows])
            told = {"set": np.full(len(rows), PAIRS_SET), "file": files, "points68": places, "drawn": drawn}
            tables.append({name: labels[name][rows] for name in columns} | told)
        sheet += [to_tensor(x[:: max(len(rows) // SHOWN, 1)][:SHOWN]) for x in (bare, made)]
        print(f"{what}: {len(rows)} faces", flush=True)
    whole = {name: np.concatenate([t[name] for t in tables]) for name in tables[0]}
    shards.write_shards(options.out, crops, whole)
    write_sheet(options.out / "sheet.png", sheet)


if __name__ == "__main__":
    main()
