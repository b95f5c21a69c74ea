"""Pairs of pictures in which serious faces smile as others do in their photographs.

    python -m pipelines.borrow_smiles --data data/faces-128 --pairs data/mates-128 --labellers LABELLERS \\
        --out data/smiling-128

--data is a folder of pipelines.prepare_faces after pipelines.label_accessories, --pairs one of pipelines.draw_pairs,
which --out begins with. The column "drawn" says how much more of a smile each picture has than the photograph, in
standard deviations, as the labelling networks read them. Between the two lies one that smiles with lips closed, drawn.
Pictures in which too little of a smile is read, another person or a seam are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.draw_pairs import fit, jpeg, told
from pipelines.undo_edits import seen
from vidinv.errors import InputError
from vidinv.models.pictures import to_tensor
from vidinv.training import borrowed, codes, losses, shards, teachers
from vidinv.training.mouths import smile
from vidinv.training.sheets import write_sheet

BATCH = 32
SHOWN = 16  # columns of the sheet
GENTLE = 0.5  # of a broad smile: with lips closed
TRIED = 4  # donors, of whom the best are taken
LEAST, MOST = 1.2, 4.5  # standard deviations of a smile that must be read more, and may
SAME = 0.4  # cosine, at least, of the identity with the photograph's
UNLIKE = 10.0  # at most, of borrowed.unlike
OFF = 0.07  # eye distances that the mouth may be read away from where it is meant to be, on average

Set = list[tuple[NDArray[np.uint8], NDArray]]  # pictures of faces with their landmarks


@torch.inference_mode()
def judged(nets: teachers.Teachers, scale: float, sets: tuple[Set, Set, Set]) -> tuple[NDArray, NDArray]:
    """Of N faces, how much more they smile in each of the pictures, [N, 3], and how bad the last is, [N]: inf where it
    is of no use.

    :param scale: a standard deviation. :param sets: photographs, gentle smiles, borrowed ones.
    """
    pictures, places = (
        [np.stack(part) for part in parts] for parts in zip(*(zip(*s, strict=True) for s in sets), strict=True)
    )
    read = [seen(nets, x, places[0]) for x in pictures]
    more = np.stack([(found["smile"] - read[0][1]["smile"]) / scale for _, found in read], 1)
    grids = losses.identity_grids(nets, places[0], pictures[0].shape[1])
    same = 1 - losses.identity_distance(nets, to_tensor(pictures[2]), to_tensor(pictures[0]), grids).numpy()
    eyes = np.linalg.norm(places[0][:, 42:48].mean(1) - places[0][:, 36:42].mean(1), axis=1)
    off = np.linalg.norm((read[2][0] - places[2])[:, borrowed.MOUTH], axis=2).mean(1) / eyes
    unlike = np.array([borrowed.unlike(*x) for x in zip(pictures[0], pictures[2], places[0], places[2], strict=True)])
    fine = (more[:, 2] > LEAST) & (more[:, 2] < MOST) & (more[:, 1] > 0) & (more[:, 1] < more[:, 2])
    fine &= (same > SAME) & (unlike < UNLIKE) & (off < OFF)
    return more, np.where(fine, unlike + 100 * off, np.inf)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1500, help="faces that get a smile, at most")
    parser.add_argument("--donors", type=int, default=2, help="whose smiles each gets")
    options = parser.parse_args()
    labels, pairs = shards.read_labels(options.data), shards.read_labels(options.pairs)
    nets, scale = teachers.load_teachers(options.labellers), codes.measured_scales(options.data)["smile"]
    lenders, rows = borrowed.donors(labels), fit("smile", labels)
    rows = np.sort(np.random.default_rng(2).choice(rows, min(options.count, len(rows)), replace=False))
    if not (len(lenders) and len(rows)):
        raise InputError(f"{options.data}: no training face that smiles broadly, or none that does not")

    theirs, places = shards.read_crops(options.data, lenders), labels["points68"][lenders]
    shape = borrowed.mean_smile(places)
    known = borrowed.looks(theirs, {k: v[lenders] for k, v in labels.items()})
    kept: list[tuple[str, int, list[tuple[NDArray, NDArray]], NDArray]] = []
    for part in np.array_split(rows, -(-len(rows) // BATCH)):
        faces = list(zip(shards.read_crops(options.data, part), labels["points68"][part], strict=True))
        own = borrowed.looks(np.stack([x for x, _ in faces]), {k: v[part] for k, v in labels.items()})
        near = np.argsort(np.square(known - own[:, None]).sum(2), 1)[:, :TRIED]
        gentle = [smile(x, p, GENTLE) for x, p in faces]
        lent = [
            [borrowed.borrow(x, p, theirs[n], places[n], shape) for n in of]
            for (x, p), of in zip(faces, near, strict=True)
        ]
        tried = list(zip(*lent, strict=True))
        more, bad = (
            np.stack(a, 1) for a in zip(*(judged(nets, scale, (faces, gentle, list(s))) for s in tried), strict=True)
        )
        for at, row in enumerate(part):
            for number in np.argsort(bad[at])[: options.donors]:
                if np.isfinite(bad[at, number]):
                    shown = [faces[at], gentle[at], lent[at][number]]
                    kept.append((f"smile/lent-{row:07d}-{number}", row, shown, more[at, number]))
    print(f"{len(kept)} smiles on {len(rows)} faces, of {len(lenders)} donors", flush=True)
    if not kept:
        raise InputError(f"{options.data}: no face could be given another's smile")

    crops = [jpeg(x) for x in shards.read_crops(options.pairs)]
    columns = [name for name in pairs if name in labels]
    tables = [{name: pairs[name] for name in columns} | {"drawn": pairs.get("drawn", np.zeros(len(crops)))}]
    names, rows, sets, found = zip(*kept, strict=True)
    # They have one shape, so that what is read more or less of them is how well the networks see it.
    amounts = np.median(np.stack(found), 0)
    told_of, sheet = {name: labels[name][list(rows)] for name in columns}, []
    for number in range(3):
        crops += [jpeg(s[number][0]) for s in sets]
        points = np.stack([s[number][1] for s in sets])
        files = [f"{name}/{number}" for name in names]
        tables.append(told(told_of, files, points, np.full(len(kept), amounts[number])))
        sheet.append(
            to_tensor(np.stack([sets[i][number][0] for i in np.linspace(0, len(kept) - 1, SHOWN).astype(int)]))
        )
    shards.write_shards(options.out, crops, {name: np.concatenate([t[name] for t in tables]) for name in tables[0]})
    write_sheet(options.out / "sheet.png", sheet)


if __name__ == "__main__":
    main()
