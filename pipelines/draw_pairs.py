"""Pairs of pictures for what hardly anybody was photographed with and without in one light: drawn.

    python -m pipelines.draw_pairs --data data/faces-128 --pairs data/pairs-128 --out data/mates-128

A face, and the same in glasses or a beard, with its mouth open, smiling, turned, nodding, or of another skin. --data is
a folder of pipelines.prepare_faces after pipelines.label_accessories, --pairs one of several pictures of each person,
which --out begins with: a folder of the same kind, for pipelines.encode_faces, whose column "drawn" says in standard
deviations how much of what the file's name begins with was drawn. Faces that are kept for validation are left alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.errors import InputError
from vidinv.models.pictures import to_tensor
from vidinv.training import codes, photometry, recoloured, shards, worn
from vidinv.training.mouths import open_mouth, smile
from vidinv.training.scores import ACCESSORIES, ADULT, shapes
from vidinv.training.sheets import write_sheet
from vidinv.training.sources import PAIRS_SET
from vidinv.training.turned import turn

WITHOUT = 0.15  # probability, at most, of what is to be drawn
FRONTAL = 0.35  # yaw score of either side: beyond it the far side lies behind the nose
CLOSED = 0.03  # inner lips apart, in eye distances, at most
# Standard deviations of the scores that a frame or a beard, and a broad smile, are said to be. Networks read a third of
# a beard off such drawings, all of a frame, and 3.1 of a broad smile; of half of one they read less than half.
WORN, SMILING, GENTLY = 2.5, 3.1, 1.3
OPENED = (0.04, 0.2)  # by how much, in eye distances
READ = {"mouth": 0.7, "yaw": 0.5, "pitch": 0.5}  # share of a motion that is read in inversions, by landmarks
SMILES = (0.4, 0.97)  # of a broad smile
BEARDS = (0.35, 1.0)  # of a full one: stubble and up
SKINS = (-0.9, 0.8)  # logarithms of what is left of green light
TURNS = {"yaw": (4.0, 17.0), "pitch": (3.0, 11.0)}  # degrees, to either side
LEAST = 0.1  # standard deviations; less is no pair
SHOWN = 16  # columns of the sheet

Drawn = tuple[NDArray[np.uint8], NDArray, float]  # picture, landmarks, standard deviations


def fit(what: str, labels: dict[str, NDArray]) -> NDArray[np.int64]:
    """Rows of faces that can be drawn so."""
    shape = shapes(labels["points68"])
    may = ~labels["val"] & (np.abs(shape["yaw"]) < FRONTAL)
    if what in ACCESSORIES:
        may &= labels[what] < WITHOUT
    elif what in ("mouth", "smile"):
        may &= (shape["mouth"] < CLOSED) & (labels["expression"][:, 1] < 0.5) & (labels["beard"] < 0.5)
    if what == "beard":
        may &= (labels["male"] > 0.5) & (labels["age"] >= ADULT)
    return np.flatnonzero(may)


def draw(
    what: str, picture: NDArray[np.uint8], points: NDArray, scale: dict[str, float], rng: np.random.Generator
) -> Drawn:
    """:param scale: standard deviations of the scores."""
    if what == "glasses":
        return worn.glasses(picture, points), points, WORN
    if what == "beard":
        share = rng.uniform(*BEARDS)
        return worn.beard(picture, points, share), points, WORN * share
    if what == "smile":
        amount = rng.uniform(*SMILES)
        return *smile(picture, points, amount), SMILING * amount**GENTLY
    if what == "skin":
        where = photometry.cheeks(points[None], len(picture))
        made = recoloured.recolour(picture, recoloured.skin_at(picture, points), np.exp(rng.uniform(*SKINS)))
        before, after = (float(photometry.tone(x[None], where)[0]) for x in (picture, made))
        return made, points, (after - before) / scale[what]
    if what == "mouth":
        made, moved = open_mouth(picture, points, rng.uniform(*OPENED))
    else:
        made, moved = turn(picture, points, **{what: rng.choice([-1, 1]) * rng.uniform(*TURNS[what])})
    before, after = (float(shapes(p[None])[what][0]) for p in (points, moved))
    return made, moved, READ[what] * (after - before) / scale[what]


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def begun(pairs: dict[str, NDArray], labels: dict[str, NDArray]) -> tuple[list[str], dict[str, NDArray]]:
    """What a table of drawn pairs begins with: the columns that both tables have, and the first one's of them.

    :param pairs: which says what was drawn, unless nothing was. :param labels: of the faces that will be drawn on.
    """
    columns = [name for name in pairs if name in labels]
    nothing = np.zeros(len(pairs["points68"]))
    return columns, {name: pairs[name] for name in columns} | {"drawn": pairs.get("drawn", nothing)}


def told(labels: dict[str, NDArray], files: list[str], points: NDArray, drawn: NDArray) -> dict[str, NDArray]:
    """The table of pictures that were made of faces. :param labels: of those. :param drawn: standard deviations."""
    own = {"set": np.full(len(files), PAIRS_SET), "file": np.array(files), "points68": points, "drawn": drawn}
    return labels | own


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--draw", default="glasses,beard,mouth,yaw,pitch,skin", help="what, by commas; smile too")
    parser.add_argument("--count", type=int, default=1500, help="faces that each is drawn on, at most")
    options = parser.parse_args()
    labels, pairs = shards.read_labels(options.data), shards.read_labels(options.pairs)
    if missing := [name for name in ACCESSORIES if name not in labels]:
        raise InputError(
            f"{options.data}/labels.npz has no column {', '.join(missing)}: run python -m pipelines.label_accessories"
        )
    columns, first = begun(pairs, labels)
    crops, rng = [jpeg(x) for x in shards.read_crops(options.pairs)], np.random.default_rng(0)
    tables, sheet, scale = [first], [], codes.measured_scales(options.data)
    for what in options.draw.split(","):
        rows = fit(what, labels)
        rows = np.sort(rng.choice(rows, min(options.count, len(rows)), replace=False))
        print(f"{what}: {len(rows)} faces", flush=True)
        if not len(rows):
            continue
        bare, points = shards.read_crops(options.data, rows), labels["points68"][rows]
        each = [draw(what, x, p, scale, rng) for x, p in zip(bare, points, strict=True)]
        much = np.array([abs(amount) > LEAST for _, _, amount in each])  # NaN of skin without colours
        each = [part for part, t in zip(each, much, strict=True) if t]
        rows, bare, points = rows[much], bare[much], points[much]
        made, moved, amounts = (np.stack(part) for part in zip(*each, strict=True))
        for number, shown in enumerate(((bare, points, 0 * amounts), (made, moved, amounts))):
            pictures, places, drawn = shown
            crops += [jpeg(x) for x in pictures]
            files = [f"{what}/{row:07d}/{number}" for row in rows]
            tables.append(told({name: labels[name][rows] for name in columns}, files, places, drawn))
        sheet += [to_tensor(x[np.linspace(0, len(rows) - 1, SHOWN).astype(int)]) for x in (bare, made)]
    whole = {name: np.concatenate([t[name] for t in tables]) for name in tables[0]}
    shards.write_shards(options.out, crops, whole)
    write_sheet(options.out / "sheet.png", sheet)


if __name__ == "__main__":
    main()
