"""Image2StyleGAN's experiments (Abdal et al. 2019, sections 3 and 5): what is embedded, mixed and moved, on every row.

Sheets of all of it go to the bench's folder; they show other people's faces and are not published.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.inversion.bench import Bench
from benchmarks.inversion.editing import read
from benchmarks.inversion.pictures import faces_in_ways, no_faces
from benchmarks.inversion.rows import EDITED
from benchmarks.inversion.semantics import between, pairs_of
from benchmarks.inversion.subjects import Subjects
from vidinv.errors import InputError
from vidinv.inversion import Inverted
from vidinv.models.pictures import to_tensor
from vidinv.training.shards import read_crops, read_labels, rows_present
from vidinv.training.sheets import write_sheet

PEOPLE = 2  # of whom there are pictures in every way
SHOWN = 6  # faces of a sheet
SMILING = 3  # people whose smiles are put on others
LAMBDAS = (0.5, 1.0, 1.5)
NEUTRAL, HAPPY = 0.1, 0.9  # P(happy) below and above which a picture is taken


def measure_embedding(bench: Bench) -> dict[str, Any]:
    """Distortion of faces in every way and of what is no face."""
    ways = faces_in_ways(bench.faces.pictures[:PEOPLE])
    named, things = no_faces(bench.pack.resolution)
    everything = Subjects(torch.cat([*ways.values(), things]), None)
    told: dict[str, Any] = {}
    shown = [everything.pictures]
    for name in bench.possible(EDITED):
        made = bench.drawn(bench.of(name, everything))
        shown.append(made)
        pairs = bench.rulers.pairs(made, everything)
        figures = {k: pairs[k].double() for k in ("psnr", "ssim", "lpips") if k in pairs}
        told[name] = {
            way: {k: float(v[i * PEOPLE : (i + 1) * PEOPLE].mean()) for k, v in figures.items()}
            for i, way in enumerate(ways)
        }
        told[name] |= {
            thing: {k: float(v[i - len(named)]) for k, v in figures.items()} for i, thing in enumerate(named)
        }
    _sheet(bench, "embedding-faces", _columns(shown, len(ways)))
    _sheet(bench, "embedding-things", [row[-len(named) :] for row in shown])
    return {"people": PEOPLE, "ways": list(ways), "things": named, "rows": told}


def _columns(rows: Sequence[Tensor], ways: int, people: int = 2) -> list[Tensor]:
    """Of every way the first people, side by side."""
    columns = [way * PEOPLE + i for way in range(ways) for i in range(people)]
    return [row[columns] for row in rows]


def measure_mixing(bench: Bench) -> dict[str, Any]:
    """Two faces' layers crossed: those below K of the one (pose, shape), the others of the other (colours, texture).

    Identity of the mixture to whom each half is from, and the distance of its mean colour to theirs (-1..1).
    """
    cut = bench.pack.generator.config.feature_layer
    told, faces = {}, bench.shared
    for name in bench.possible(EDITED):
        a, b = pairs_of(bench.code(name))
        mixed = Inverted(torch.cat([a.w[:, :cut], b.w[:, cut:]], 1), a.feature)
        back = Inverted(torch.cat([b.w[:, :cut], a.w[:, cut:]], 1), b.feature)
        ends, made = (bench.drawn(a), bench.drawn(b)), bench.drawn(mixed)
        ids = [bench.rulers.identities(p, faces)["identity"] for p in (made, *ends)]
        colours = [p.mean((2, 3)) for p in (made, *ends)]
        told[name] = {
            f"{what}_{whose}": float(value)
            for whose, other in (("coarse", 1), ("fine", 2))
            for what, value in (
                ("identity", (ids[0] * ids[other]).sum(1).mean()),
                ("colour", (colours[0] - colours[other]).norm(dim=1).mean()),
            )
        }
        morph = [bench.drawn(between(a, b, share)) for share in (0.25, 0.5, 0.75)]
        _sheet(bench, f"morphing-{name}", [p[:SHOWN] for p in (faces.pictures, ends[0], *morph, ends[1])])
        _sheet(bench, f"style-{name}", [p[:SHOWN] for p in (ends[0], made, bench.drawn(back), ends[1])])
    return {"cut": cut, "pairs": bench.count, "rows": told}


def smiles(folder: Path, side: int, count: int = SMILING) -> tuple[Subjects, Subjects]:
    """The same people neutral and happy, of those kept for validation.

    :raises InputError: not one person there is both, or the crops have another size.
    """
    labels, rows = read_labels(folder), rows_present(folder)
    rows = rows[labels["val"][rows]]
    person = np.array([str(f).rsplit("/", 1)[0] for f in labels["file"]])
    happy = labels["expression"][:, 1]
    neutral_rows, happy_rows = [], []
    for who in dict.fromkeys(person[rows]):
        mine = rows[person[rows] == who]
        low, high = mine[happy[mine].argmin()], mine[happy[mine].argmax()]
        if happy[low] < NEUTRAL and happy[high] > HAPPY:
            neutral_rows.append(low)
            happy_rows.append(high)
    if not neutral_rows:
        raise InputError(f"{folder} holds nobody both neutral and happy; prepare pairs with pipelines.prepare_faces")
    found = []
    for some in (np.array(neutral_rows[:count]), np.array(happy_rows[:count])):
        crops = read_crops(folder, some)
        if crops.shape[1] != side:
            raise InputError(f"{folder} holds {crops.shape[1]} px crops, not {side}; prepare_faces has --size")
        found.append(Subjects(to_tensor(crops), labels["points68"][some]))
    return found[0], found[1]


def measure_expression(bench: Bench, folder: Path) -> dict[str, Any]:
    """w1 + lambda (w3 - w2): the smile of somebody (w3) over the same person's neutral face (w2), on other faces.

    Change of P(happy) of the least happy of the faces, and identity kept, by lambda. F moves by Eq. 1 alone.
    """
    nets, faces = bench.rulers.nets, bench.shared
    assert nets is not None
    neutral, happy = smiles(folder, bench.pack.resolution)
    both = Subjects(torch.cat([neutral.pictures, happy.pictures]), None)
    serious = read(nets, faces.pictures, faces)["smile"].argsort()[:SHOWN].tolist()
    told: dict[str, Any] = {}
    for name in bench.possible(EDITED):
        moves, code, some = bench.of(name, both), bench.code(name), faces.only(serious)
        own = Inverted(code.w[serious], code.feature[serious])
        inverted = bench.drawn(own)
        people = len(neutral.pictures)
        step = moves.w[people:] - moves.w[:people]  # of each person who smiles
        before, ids = read(nets, inverted, some)["smile"].sigmoid(), bench.rulers.identities(inverted, some)["identity"]
        told[name], shown = {}, [some.pictures, inverted]
        for share in LAMBDAS:
            change, kept = [], []
            for one in step:
                made = moved_styles(bench, own, share * one)
                change.append(read(nets, made, some)["smile"].sigmoid() - before)
                kept.append((bench.rulers.identities(made, some)["identity"] * ids).sum(1))
            shown.append(made)
            told[name][f"{share:g}"] = {
                "change": float(torch.stack(change).mean()),
                "identity": float(torch.stack(kept).mean()),
            }
        _sheet(bench, f"expression-{name}", shown)
        _sheet(bench, f"expression-of-{name}", [both.pictures[:people], both.pictures[people:]])
    return {"people": len(neutral.pictures), "faces": len(serious), "rows": told}


@torch.inference_mode()
def moved_styles(bench: Bench, code: Inverted, step: Tensor) -> Tensor:
    """The picture of styles moved by ``step`` [L, D], F after Eq. 1."""
    generator = bench.pack.generator
    w = code.w + step
    feature = code.feature + generator.features(w).float() - generator.features(code.w).float()
    return bench.drawn(Inverted(w, feature))


def _sheet(bench: Bench, name: str, rows: Sequence[Tensor]) -> None:
    write_sheet(bench.sheets / f"{name}.png", list(rows))
