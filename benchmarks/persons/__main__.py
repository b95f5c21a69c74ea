"""How surely persons are found again after cuts, by a pack's identity network.

    python -m benchmarks.persons [--pictures FOLDER] [--clips CLIP ...] [--films 150] [--pack NAME]
        [--publish | --out FILE.json]

Pictures are faces of ``pipelines.prepare_faces`` whose files lie in a folder per person: of everybody with pictures
enough so many are held against the mean of as many others, among so many more people; and so again darker, with less
contrast and out of focus. Clips show one person each, every one another: films are shots of two seconds out of them,
drawn at random, and go through the stage itself. Crops that cannot be read are not looked at in either.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.faces import aligned
from benchmarks.output import add_output, destination, tell
from vidinv.faces.readable import Readable
from vidinv.models.identity import embedded
from vidinv.packs.load import Pack, load_pack
from vidinv.runtime.compute import Compute
from vidinv.runtime.steps import run
from vidinv.stages.reidentify import ReidentifyOptions, ReidentifyState, reidentify
from vidinv.training.shards import read_crops, read_labels
from vidinv.types import Face, Faces, Frame, known
from vidinv.video import probe

CPU = Compute("cpu", torch.float32)
LOOKS, GALLERIES, ROUNDS = (1, 2, 3), (1, 4, 16, 63), 6000
LEAST = ReidentifyOptions.least
PEOPLE, SHOTS, SECONDS = (2, 4, 8), 12, 2.0
RATE = 1 / ReidentifyOptions.every  # a frame per look
ANY = Readable(0, 0, 0)  # reads whatever there is: in films it was decided before
WORSE: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "as they are": lambda crop: crop,
    "40 % of the light": lambda crop: np.rint(crop * 0.4).astype(np.uint8),
    "12 % of the light": lambda crop: np.rint(crop * 0.12).astype(np.uint8),
    "20 % of the contrast": lambda crop: np.rint(crop.mean() + 0.2 * (crop - crop.mean())).astype(np.uint8),
    "blur of 2 pixels": lambda crop: np.asarray(cv2.GaussianBlur(crop, (0, 0), 2 * len(crop) / 128), np.uint8),
    "blur of 4 pixels": lambda crop: np.asarray(cv2.GaussianBlur(crop, (0, 0), 4 * len(crop) / 128), np.uint8),
}  # of crops [S, S, 3] RGB; pixels of 128


def unit(vectors: NDArray) -> NDArray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def pictures(folder: Path, pack: Pack) -> list[dict[str, object]]:
    """Shares of who is known (right, wrong, new) and of strangers who are taken for somebody, by state of pictures."""
    crops, files = read_crops(folder), [str(file) for file in read_labels(folder)["file"]]
    table: list[dict[str, object]] = []
    for state, worse in WORSE.items():
        made = [worse(crop) for crop in crops]
        rows = [row for row, crop in enumerate(made) if ReidentifyOptions.readable.reads(crop)]
        read = {"state": state, "read": round(len(rows) / len(crops), 4)}
        parts = [rows[i : i + 32] for i in range(0, len(rows), 32)]
        looks = [embedded([made[row] for row in part], pack.identity, CPU) for part in parts]
        of: dict[str, list[int]] = {}
        for at, row in enumerate(rows):
            of.setdefault("/".join(files[row].split("/")[:2]), []).append(at)
        galleries = [others for others in GALLERIES if others < len(of)]
        told = [known_among(np.concatenate(looks), of, count, others) for count in LOOKS for others in galleries]
        table += [read | one for one in told if one["people"]] or [read]
    return table


def known_among(looks: NDArray, of: dict[str, list[int]], count: int, others: int) -> dict[str, float]:
    """How often ``count`` looks tell who somebody is. :param looks: [N, D]. :param of: their rows, by person."""

    def mean(rows: NDArray) -> NDArray:
        return unit(looks[rows].sum(0))

    everybody, rng = list(of), np.random.default_rng(0)
    enough = [who for who in everybody if len(of[who]) >= 2 * count]
    told = Counter[str]()
    for _ in range(ROUNDS if enough else 0):
        who = enough[rng.integers(len(enough))]
        rows = rng.permutation(of[who])
        own = float(mean(rows[:count]) @ mean(rows[count : 2 * count]))
        strangers = [other for i in rng.choice(len(everybody), others + 1, False) if (other := everybody[i]) != who]
        gallery = np.stack([mean(rng.permutation(of[other])[:count]) for other in strangers[:others]])
        nearest = float((gallery @ mean(rows[:count])).max())
        told["right"] += own >= max(nearest, LEAST)
        told["wrong"] += nearest >= LEAST and nearest > own
        told["taken"] += nearest >= LEAST
    shares = {name: round(told[name] / ROUNDS, 4) for name in ("right", "wrong", "taken")}
    return {"pictures": count, "people": len(enough), "others": others, **shares}


class Kept(nn.Module):
    """Embeddings that are known, by the number that stands in a crop's pixel."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        super().__init__()
        self.rows = torch.from_numpy(rows)

    def forward(self, x: Tensor) -> Tensor:
        levels = ((x[:, :2, 0, 0] + 1) * 127.5).round().long()
        return self.rows[levels[:, 0] + 256 * levels[:, 1]]


def looks_at(clip: Path, pack: Pack) -> list[NDArray[np.float32]]:
    """Of the person who is longest in sight, one look per frame of a film; NaN where the crop cannot be read."""
    reads = ReidentifyOptions.readable.reads
    every, seen = max(1, round(float(probe(clip).rate) / RATE)), dict[int, list[NDArray]]()
    for faces in aligned(clip, pack):
        if faces.frame.index % every == 0:
            for face in (face for face in faces.faces if face.seen):
                look = embedded([known(face.crop)], pack.identity, CPU)[0]
                seen.setdefault(face.person, []).append(look if reads(known(face.crop)) else np.full_like(look, np.nan))
    return max(seen.values(), key=len)


def films(clips: list[list[NDArray]], count: int) -> list[dict[str, float]]:
    """Shares of shots by what number is given: right, another person's, a new one; and of first shots, taken."""
    rows = np.concatenate([np.stack(looks) for looks in clips]).astype(np.float32)
    starts = np.cumsum([0, *map(len, clips)])
    step = partial(reidentify, identity=Kept(rows), compute=CPU, options=ReidentifyOptions(rate=RATE, readable=ANY))
    rng, length, box = np.random.default_rng(0), round(SECONDS * RATE), np.zeros(4, np.float32)
    table = []
    for people in (some for some in PEOPLE if some <= len(clips)):
        told, came = Counter[str](), Counter[str]()
        for _ in range(count):
            cast, stream, who = rng.choice(len(clips), people, False), list[Faces](), list[int]()
            for shot in range(SHOTS):
                who.append(int(rng.choice([one for one in cast if not who or one != who[-1]])))
                first = int(starts[who[-1]] + rng.integers(max(1, len(clips[who[-1]]) - length)))
                for at in range(first, min(first + length, int(starts[who[-1] + 1]))):
                    crop = np.array([[[at % 256, at // 256, 0]]], np.uint8)
                    frame = Frame(crop, len(stream), cut=shot > 0 and at == first)
                    stream.append(Faces(frame, (Face(box, person=shot, crop=crop),)))
            numbers = {
                before.faces[0].person: after.faces[0].person
                for before, after in zip(stream, run("reidentify", step, ReidentifyState(), stream), strict=True)
            }
            owner = {number: who[track] for track, number in reversed(numbers.items())}
            for track, number in numbers.items():
                mine = who.index(who[track])
                own = "right" if number == numbers[mine] else "new"
                kind = own if owner[number] == who[track] else "wrong"
                kind = kind if mine < track else "first" if number == track else "taken"
                told[kind] += 1
                came["again" if mine < track else "first"] += 1
        shares = {name: round(told[name] / came["again"], 4) for name in ("right", "wrong", "new")}
        table.append(
            {"people": people, "again": came["again"], **shares, "taken": round(told["taken"] / came["first"], 4)}
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--clips", type=Path, nargs="+", default=[])
    parser.add_argument("--films", type=int, default=150)
    parser.add_argument("--pack", default=None)
    add_output(parser)
    options = parser.parse_args()
    pack, result = load_pack(options.pack), dict[str, object](least=LEAST)
    if options.pictures is not None:
        result["pictures"] = pictures(options.pictures, pack)
    if options.clips:
        result["films"] = films([looks_at(clip, pack) for clip in options.clips], options.films)
    tell(result, destination(options, "persons.json"))


if __name__ == "__main__":
    main()
