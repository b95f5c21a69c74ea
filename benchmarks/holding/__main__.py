"""Edit validation faces with and without holding an attribute, and measure what leaks into it.

    python -m benchmarks.holding DATA --labellers LABELLERS [--pack PACK] [--faces 24] [--publish | --out FILE]

DATA is a folder of aligned faces (pipelines.prepare_faces). Looked at is what a viewer sees: the change on the face's
own pixels. Leaks are told by the pack's network, which the guard looks through, and by the labelling networks, which it
does not know; in standard deviations, mean size over faces.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.output import add_output, destination, tell
from vidinv import VideoEditor
from vidinv.edits.base import Edit
from vidinv.edits.held import Guard, Stride, guarded, hold_back, holdable
from vidinv.edits.parse import parse_edits
from vidinv.faces.masks import oval
from vidinv.faces.quads import quad_to_affine, transform_points
from vidinv.faces.regions import together, union
from vidinv.models.generator import render_pair
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import Pack
from vidinv.stills import invert_pictures
from vidinv.training import accessories, photometry, shards, teachers
from vidinv.training.directions import Faces
from vidinv.training.labelling import Labelling, attribute_grids
from vidinv.training.losses import identity_distance, identity_grids
from vidinv.training.scores import ADULT
from vidinv.types import Code, Displacement, Face, known

EDITS = ("age=+2", "gender=+2", "gender=-2", "beard=+2", "smile=+2", "smile=+1,age=+2")


@dataclass(frozen=True)
class Subjects:
    """Faces, with what tells of them."""

    faces: tuple[Face, ...]
    x: Tensor  # [N, 3, S, S] the crops, -1..1
    places: Faces  # where things are in them
    labelling: Labelling


def chosen(data: Path, count: int, pack: Pack, editor: VideoEditor, labellers: Path) -> Subjects:
    """Some adults of those kept for validation."""
    labels = shards.read_labels(data)
    rows = np.flatnonzero(labels["val"] & (labels["age"] >= ADULT))
    rows = np.sort(np.random.default_rng(0).choice(rows, min(count, len(rows)), replace=False))
    crops, points = shards.read_crops(data, rows), labels["points68"][rows]
    nets = teachers.load_teachers(labellers)
    scales = {name: edit.scale for name, edit in pack.spec.edits.items() if edit.scale}
    size = crops.shape[1]
    nothing = torch.zeros(len(rows))  # codes are not looked at
    places = Faces(
        nothing, nothing, points, identity_grids(nets, points, size), attribute_grids(points, size),
        photometry.hair(crops.astype(np.float32), points),
    )  # fmt: skip
    labelling = Labelling(nets, scales, accessories.load_probe(data, labels))
    square = np.array([[0, 0], [0, size], [size, size], [size, 0]], np.float64)
    faces = tuple(
        replace(face, quad=square, points=nets.alignment.points68_to_5(p).astype(np.float32))
        for face, p in zip(invert_pictures(editor, list(crops), aligned=True).faces, points, strict=True)
    )
    return Subjects(faces, to_tensor(crops), places, labelling)


def shown(pack: Pack, subjects: Subjects, edits: Sequence[Edit], codes: list[Code]) -> Tensor:
    """[N, 3, S, S]: each face with its change on its own pixels, in the regions of the edits."""
    side, made = subjects.x.shape[-1], []
    for face, code, x in zip(subjects.faces, codes, subjects.x, strict=True):
        own = known(face.code)
        with torch.inference_mode():
            before, after = render_pair(
                pack.generator, own.w[None], code.w[None], own.feature[None], code.feature[None]
            )
        points = transform_points(quad_to_affine(known(face.quad), side), known(face.points))
        named = together(each for one in edits for each in one.touches(face, 0.0))
        where = torch.from_numpy(known(union(named, oval(side), points, side)))
        made.append((x + where * (after - before)[0]).clamp(-1, 1))
    return torch.stack(made)


def edited(edits: Sequence[Edit], guard: Guard | None, face: Face) -> Code:
    """A face's code after the edits, as the stage would have it."""
    code, strides = known(face.code), list[Stride]()
    for one in edits:
        before = code
        code, amount = one.apply(code, face, 0.0)
        strides.append(Stride(one, Displacement(code.w - before.w, code.feature - before.feature), amount))
    back = None if guard is None else hold_back(guard, None, known(face.code), strides, face, 0.0)[1]
    return code if back is None else back.of(code)


def read(pack: Pack, subjects: Subjects, pictures: Tensor) -> dict[str, dict[str, NDArray]]:
    """Scores by the pack's network and by the labelling ones, standard deviations; and the likeness to the crops."""
    with torch.inference_mode():
        own = {name: v.numpy() / pack.spec.edits[name].scale for name, v in pack.attributes.scores(pictures).items()}
        parts = [slice(i, i + 8) for i in range(0, len(pictures), 8)]
        said = [subjects.labelling(pictures[p], _part(subjects.places, p)) for p in parts]
        alike = 1 - identity_distance(subjects.labelling.teachers, pictures, subjects.x, subjects.places.identity_grids)
    told = {name: torch.cat([s[name] for s in said]).numpy() for name in said[0]}
    return {"pack": own, "labellers": told, "identity": {"edited": alike.numpy()}}


def _part(faces: Faces, part: slice) -> Faces:
    return Faces(*(value[part] for value in vars(faces).values()))


def leak(before: NDArray, after: NDArray) -> dict[str, float]:
    """Of a held score, [N] each, standard deviations: mean size, and mean."""
    moved = after - before
    return {"size": round(float(np.nanmean(np.abs(moved))), 4), "mean": round(float(np.nanmean(moved)), 4)}


def names_of(edits: str) -> list[str]:
    return [one.partition("=")[0] for one in edits.split(",")]


def measured(editor: VideoEditor, subjects: Subjects, edit: str) -> list[dict[str, Any]]:
    """A row for each attribute that can be held beside the edits; what is kept of the effect is the first one's."""
    pack, rows = editor.pack, []
    names = names_of(edit)
    name = names[0]
    acting = guarded(parse_edits(edit), (), pack)[0]
    source = read(pack, subjects, subjects.x)
    plain = read(pack, subjects, shown(pack, subjects, acting, [edited(acting, None, f) for f in subjects.faces]))
    for held in (h for h in holdable(pack) if h not in names):
        guard = guarded(parse_edits(edit), (held,), pack)[1]
        begun = time.process_time()
        codes = [edited(acting, guard, face) for face in subjects.faces]
        seconds = (time.process_time() - begun) / len(codes)
        kept = read(pack, subjects, shown(pack, subjects, acting, codes))
        row: dict[str, Any] = {"edit": edit, "held": held, "seconds_per_face": round(seconds, 3)}
        for ruler in ("pack", "labellers"):
            row[ruler] = {
                "without": leak(source[ruler][held], plain[ruler][held]),
                "with": leak(source[ruler][held], kept[ruler][held]),
            }
        row["effect"] = {
            "without": leak(source["labellers"][name], plain["labellers"][name])["mean"],
            "with": leak(source["labellers"][name], kept["labellers"][name])["mean"],
        }
        row["identity"] = {
            "without": round(float(plain["identity"]["edited"].mean()), 4),
            "with": round(float(kept["identity"]["edited"].mean()), 4),
        }
        rows.append(row)
        print(row, flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack")
    parser.add_argument("--faces", type=int, default=24)
    add_output(parser)
    options = parser.parse_args()
    editor = VideoEditor(options.pack, precision="fp32")
    pack = editor.pack
    subjects = chosen(options.data, options.faces, pack, editor, options.labellers)
    rows = [
        row
        for edit in EDITS
        if all(name in pack.spec.edits for name in names_of(edit))
        for row in measured(editor, subjects, edit)
    ]
    told = {
        "pack": {"name": pack.name, "hash": pack.hash},
        "faces": len(subjects.faces),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}",
        "rows": rows,
    }
    tell(told, destination(options, "holding.json"))


if __name__ == "__main__":
    main()
