"""Pairs of pictures in which serious faces smile, with the teeth of somebody who did in a photograph.

    python -m pipelines.borrow_smiles --data data/faces-128 --pairs data/mates-128 --labellers LABELLERS \\
        --out data/smiling-128

--data is a folder of pipelines.prepare_faces after pipelines.label_accessories, --pairs one of pipelines.draw_pairs,
which --out begins with. The column "drawn" says how much more of a smile each picture has than the photograph, in
standard deviations, as the labelling networks read most of them. Between the two lie one that smiles with lips closed
and one with lips half open: of what T is not shown it makes both at once.
Pictures in which too little of a smile is read, another person or the mouth in another place are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.draw_pairs import CLOSED, FRONTAL, begun, jpeg, told
from pipelines.undo_edits import seen
from vidinv.errors import InputError
from vidinv.models.pictures import to_tensor
from vidinv.training import borrowed, codes, losses, shards, teachers
from vidinv.training.scores import shapes
from vidinv.training.sheets import write_sheet

BATCH = 32
SHOWN = 16  # columns of the sheet
HALF = 0.5  # of how far the lips open
LEAST, MOST = 1.2, 4.5  # standard deviations of a smile that must be read more, and may
SAME = 0.4  # cosine, at least, of the identity with the photograph's
OFF = 0.08  # eye distances that the mouth may be read away from where it is meant to be, on average

Drawn = list[tuple[NDArray[np.uint8], NDArray]]  # pictures of faces with their landmarks


@torch.inference_mode()
def judged(nets: teachers.Teachers, scale: float, sets: tuple[Drawn, ...]) -> tuple[NDArray, NDArray[np.bool_]]:
    """Of N faces, how much more they smile in each of the pictures, [N, P], and whether the last is of use, [N].

    :param scale: a standard deviation. :param sets: P of them, from photographs to broad smiles.
    """
    pictures, places = (np.stack([[one[part] for one in s] for s in sets]) for part in (0, 1))
    read = [seen(nets, x, places[0]) for x in pictures]
    more = np.stack([(found["smile"] - read[0][1]["smile"]) / scale for _, found in read], 1)
    grids = losses.identity_grids(nets, places[0], pictures.shape[2])
    same = 1 - losses.identity_distance(nets, to_tensor(pictures[-1]), to_tensor(pictures[0]), grids).numpy()
    eyes = np.linalg.norm(places[0][:, 42:48].mean(1) - places[0][:, 36:42].mean(1), axis=1)
    off = np.linalg.norm((read[-1][0] - places[-1])[:, borrowed.MOUTH], axis=2).mean(1) / eyes
    fine = (more[:, -1] > LEAST) & (more[:, -1] < MOST) & (more[:, 1] > 0) & (more[:, 1] < more[:, -1])
    return more, fine & (same > SAME) & (off < OFF)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1500, help="faces that get a smile, at most")
    options = parser.parse_args()
    labels, pairs = shards.read_labels(options.data), shards.read_labels(options.pairs)
    nets, scale = teachers.load_teachers(options.labellers), codes.measured_scales(options.data)["smile"]
    shape = shapes(labels["points68"])
    serious = ~labels["val"] & (labels["expression"][:, 1] < 0.5)
    rows = np.flatnonzero(serious & (shape["mouth"] < CLOSED) & (np.abs(shape["yaw"]) < FRONTAL))
    rows = np.sort(np.random.default_rng(2).choice(rows, min(options.count, len(rows)), replace=False))
    lenders = borrowed.donors(labels)
    if not (len(lenders) and len(rows)):
        raise InputError(f"{options.data}: no training face shows its teeth in a smile, or none is serious")

    places, theirs = labels["points68"][lenders], shards.read_crops(options.data, lenders)
    smiling = borrowed.mean_smile(places)
    who = borrowed.lender(theirs, places, smiling)
    kept: list[tuple[int, list[tuple[NDArray, NDArray]], NDArray]] = []
    for part in np.array_split(rows, -(-len(rows) // BATCH)):
        faces = list(zip(shards.read_crops(options.data, part), labels["points68"][part], strict=True))
        lent = [borrowed.borrow(x, p, theirs[who], places[who], smiling, (HALF, 1.0)) for x, p in faces]
        sets = (faces, *(list(one) for one in zip(*lent, strict=True)))
        more, fine = judged(nets, scale, sets)
        kept += [(part[i], [s[i] for s in sets], more[i]) for i in np.flatnonzero(fine)]
    print(f"{len(kept)} of {len(rows)} faces smile with the teeth of row {lenders[who]}", flush=True)
    if not kept:
        raise InputError(f"{options.data}: no face could be given a smile")

    crops = [jpeg(x) for x in shards.read_crops(options.pairs)]
    columns, first = begun(pairs, labels)
    tables = [first]
    of, shown, read = zip(*kept, strict=True)
    told_of, sheet = {name: labels[name][list(of)] for name in columns}, []
    # They have one shape, so that what is read more or less of them is how well the networks see it.
    for number, amount in enumerate(np.median(np.stack(read), 0)):
        pictures, points = (np.stack([s[number][part] for s in shown]) for part in (0, 1))
        crops += [jpeg(x) for x in pictures]
        files = [f"smile/lent-{row:07d}/{number}" for row in of]
        tables.append(told(told_of, files, points, np.full(len(of), amount)))
        sheet.append(to_tensor(pictures[np.linspace(0, len(of) - 1, SHOWN).astype(int)]))
    shards.write_shards(options.out, crops, {name: np.concatenate([t[name] for t in tables]) for name in tables[0]})
    write_sheet(options.out / "sheet.png", sheet)


if __name__ == "__main__":
    main()
