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
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.output import add_output, destination, tell
from vidinv import VideoEditor
from vidinv.edits.held import Guard, Stride, guarded, hold_back, holdable
from vidinv.edits.parse import parse_edits
from vidinv.faces.masks import oval
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

EDITS = ("age=+2", "gender=+2", "beard=+2", "smile=+2")


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
    return Subjects(invert_pictures(editor, list(crops), aligned=True).faces, to_tensor(crops), places, labelling)


def shown(pack: Pack, subjects: Subjects, codes: list[Code]) -> Tensor:
    """[N, 3, S, S]: each face with its change on its own pixels."""
    where, made = torch.from_numpy(oval(subjects.x.shape[-1]).copy()), []
    for face, code, x in zip(subjects.faces, codes, subjects.x, strict=True):
        own = known(face.code)
        with torch.inference_mode():
            before, after = render_pair(
                pack.generator, own.w[None], code.w[None], own.feature[None], code.feature[None]
            )
        made.append((x + where * (after - before)[0]).clamp(-1, 1))
    return torch.stack(made)


def edited(guard: Guard | None, edits: Any, face: Face) -> Code:
    """A face's code after the one edit, as the stage would have it."""
    own = known(face.code)
    code, amount = edits[0].apply(own, face, 0.0)
    if guard is None:
        return code
    stride = Stride(0, Displacement(code.w - own.w, code.feature - own.feature), amount)
    back = hold_back(guard, None, own, [stride], replace(face, regions={"face": 1.0}), 0.0)[1]
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


def measured(editor: VideoEditor, subjects: Subjects, edit: str) -> list[dict[str, Any]]:
    """A row for each attribute that can be held beside the edit."""
    pack, name, rows = editor.pack, edit.partition("=")[0], []
    codes_of = lambda hold: partial(edited, *guarded(parse_edits(edit), hold, pack)[::-1])  # noqa: E731
    source = read(pack, subjects, subjects.x)
    plain = read(pack, subjects, shown(pack, subjects, [codes_of(())(face) for face in subjects.faces]))
    for held in (h for h in holdable(pack) if h != name):
        begun = time.process_time()
        codes = [codes_of((held,))(face) for face in subjects.faces]
        seconds = (time.process_time() - begun) / len(codes)
        kept = read(pack, subjects, shown(pack, subjects, codes))
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
        row for edit in EDITS if edit.partition("=")[0] in pack.spec.edits for row in measured(editor, subjects, edit)
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
