"""Whether a pack's edits look like photographs: figures that a stencil fails, and sheets to look at.

    python -m benchmarks.look --pack face-128 --faces FACES --data data/faces-128 --labellers LABELLERS \\
        [--clips CLIPS] [--edits age,smile] [--publish | --out FILE.json]

FACES holds the zips that the data was prepared of. The 24 people of benchmarks/look/faces.csv, whom nothing was trained
on, go through the product at their native size, at -2, -1, +1 and +2 steps of every edit; the 29 of others.csv give the
mean change that is laid over them as a control. Sheets go to runs/benchmarks/look/PACK, with --clips also of clips.
What the figures mean: docs/results.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.look import clips, measure, sheets
from benchmarks.look.finish import STRENGTHS, Finished, asked, finish, quad_of
from benchmarks.look.people import FACES, OTHERS, read_people
from benchmarks.look.probes import kept_probes
from benchmarks.output import RUNS, add_output, conclude, destination, write_atomically
from vidinv import VideoEditor
from vidinv.errors import UsageError
from vidinv.training import accessories, shards
from vidinv.training.labelling import Labelling
from vidinv.training.scores import require
from vidinv.training.teachers import load_teachers


def arguments(args: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", help="name or folder of a model pack of faces")
    parser.add_argument("--faces", type=Path, required=True, help="the zips of pictures, one a set")
    parser.add_argument("--data", type=Path, required=True, help="what pipelines.prepare_faces made of them")
    parser.add_argument("--labellers", type=Path, required=True, help="the labelling networks")
    parser.add_argument("--clips", type=Path, help="the folder of the clips that clips.csv names")
    parser.add_argument("--edits", help="by commas; default: all of the pack")
    add_output(parser)
    return parser.parse_args(args)


def edits_of(editor: VideoEditor, only: str | None) -> tuple[str, ...]:
    """:raises UsageError: one that the pack does not have."""
    names = tuple(only.split(",")) if only else tuple(editor.edits)
    unknown = [n for n in names if n not in editor.edits]
    if unknown:
        raise UsageError(f"--edits: the pack has no edit {', '.join(unknown)}; it has {', '.join(editor.edits)}")
    return names


def run(options: argparse.Namespace) -> None:
    editor = VideoEditor(options.pack)
    names, where = edits_of(editor, options.edits), RUNS / "look" / editor.pack.name
    nets, labels = load_teachers(options.labellers), shards.read_labels(options.data)
    require(names, labels)
    probes, scale = kept_probes(nets, options.data, options.labellers, RUNS / "look")
    rulers = measure.Rulers(Labelling(nets, scale, accessories.load_probe(options.data, labels)), probes)
    crowds = [measure.gather(editor, read_people(table, options.faces, labels)) for table in (FACES, OTHERS)]
    judged, others = measure.judge_of(crowds[0], labels, rulers), measure.others_of(crowds[1], labels, rulers)
    told: dict[str, object] = {}
    for name in names:
        rows: dict[str, object] = {"unit": editor.edits[name].unit}
        made = []
        for strength in STRENGTHS:
            finished = finish(editor, [one for crowd in crowds for one in crowd.found], asked(name, strength))
            row = measure.measured(name, strength, judged, others, finished, rulers)
            rows[f"{strength:+g}"] = row
            made.append(finished[: len(judged.points)])
            print(asked(name, strength), row["mean"], flush=True)
        told[name] = rows
        _write_sheet(where / name, judged, made)
    result = {
        "pack": {"name": editor.pack.name, "hash": editor.pack.hash},
        "faces": [p.name for p in judged.crowd.people],
        "others": len(crowds[1].people),
        "probes": {name: probe.told() for name, probe in probes.items() if name in names},
        "edits": told,
    }
    path = destination(options, f"look/{editor.pack.name}.json")
    write_atomically(path, result)
    print(f"written: {path}, sheets: {where}", flush=True)
    if options.clips is not None:
        clips.write_sheets(editor, options.clips, names, where / "clips")


def _write_sheet(path: Path, judged: measure.Judged, made: list[list[Finished]]) -> None:
    """A row a person: source, inversion, and the edit as it is drawn and as it ends up in the frame, per strength."""
    columns = ["source", "inversion"] + [f"{kind} {s:+g}" for s in STRENGTHS for kind in ("edit", "finished")]
    rows = []
    for i, (person, one) in enumerate(zip(judged.crowd.people, judged.crowd.found, strict=True)):

        def shown(picture: np.ndarray, quad: np.ndarray = quad_of(one)) -> np.ndarray:
            return sheets.tile(sheets.surroundings(picture, quad))

        finished = [each[i] for each in made]
        drawn = lambda picture: sheets.tile(picture, enlarge=True)  # noqa: E731
        row = [shown(person.picture), drawn(finished[0].inversion)]
        for each in finished:
            row += [drawn(each.inversion if each.edited is None else each.edited), shown(each.picture)]
        rows.append(row)
    sheets.write_pages(path, columns, rows)


def main(args: list[str] | None = None) -> None:
    conclude(lambda: run(arguments(args)))


if __name__ == "__main__":
    main()
