"""Blind grading: finished pictures of packs in random order, to be graded by somebody who does not know what they are.

    python -m benchmarks.look.grading make --packs face-128,face-128-detail --faces FACES --data data/faces-128 \\
        --out SHEETS --key ELSEWHERE [--clips CLIPS] [--edits age,smile] [--per 8] [--seed 0]
    python -m benchmarks.look.grading read GRADES.csv --key ELSEWHERE/key.csv --out RESULT.json

``make`` writes numbered sheets of twelve tiles to SHEETS and what the numbers are to ELSEWHERE/key.csv. Among them are
photographs that nothing was done to: a check on the reader. Each edit is shown on people whom it suits, the 24 of
benchmarks.look first; others fill up; with --clips also on a frame of each of its clips. A face that a pack refused to
edit is left out, and a frame in which an edit has nothing to do. Who reads writes a CSV file with
the columns number, grade and words; a grade is 1 (painted), 2, 3, 4 or 5 (a photograph), words are what gives it away.
Several files are taken together.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import product
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from benchmarks.look import clips, figures, sheets
from benchmarks.look.finish import asked, find, finish, quad_of
from benchmarks.look.measure import suited
from benchmarks.look.people import FACES, OTHERS, read_people
from benchmarks.output import conclude, write_atomically
from vidinv import VideoEditor
from vidinv.errors import InputError, UsageError
from vidinv.training import photometry, shards
from vidinv.training.scores import require
from vidinv.types import Frame

STRENGTHS = (-2.0, 2.0)  # steps
TILE = 300  # pixels
ACROSS, DOWN = 4, 3  # tiles of a sheet
GRADES = (1, 2, 3, 4, 5)
UNTOUCHED, CLIPS = "untouched", "clips"
MIDDLE = len(clips.SHOWN) // 2  # of the frames of a clip that benchmarks.look shows


@dataclass(frozen=True)
class Entry:
    """What a number stands for."""

    number: int
    pack: str  # UNTOUCHED: nothing was done to it
    edit: str
    strength: str  # "+2"; empty where nothing was done
    set: str
    file: str


def chosen(some: Sequence[int], edit: str, count: int, judged: int) -> list[int]:
    """``count`` of ``some``, or all of fewer: the same for all packs, others for other edits.

    :param judged: people below this index come first, from a place on that the edit's name says; the rest fill up.
    """
    own, rest = [i for i in some if i < judged], [i for i in some if i >= judged]
    first = crc32(edit.encode()) % max(len(own), 1)
    return [*own[first:], *own[:first], *rest][:count]


def cohorts(
    labels: dict[str, NDArray], edits: Sequence[str], count: int, judged: int
) -> dict[tuple[str, float], list[int]]:
    """Whom each edit at each strength is shown on, as indices.

    :param labels: of the people, with the columns of photometry.
    """
    pairs = [(edit, strength) for edit in edits for strength in STRENGTHS]
    return {(e, s): chosen(suited(e, s, labels).tolist(), e, count, judged) for e, s in pairs}


def make(options: argparse.Namespace) -> None:
    if options.out.resolve() == options.key.resolve():
        raise UsageError("--out and --key are one folder; keep the key from who reads")
    labels = shards.read_labels(options.data)
    judged = read_people(FACES, options.faces, labels)
    people = [*judged, *read_people(OTHERS, options.faces, labels)]
    rows = np.array([p.row for p in people])
    mine = {k: v[rows] for k, v in labels.items()}
    mine |= photometry.measured(shards.read_crops(options.data, rows), mine["points68"])
    tiles: list[tuple[tuple[str, ...], sheets.Picture]] = []
    refused = 0
    for name in options.packs.split(","):
        editor = VideoEditor(name)
        found = find(editor, [p.picture for p in people], [p.name for p in people])
        edits = options.edits.split(",") if options.edits else sorted(editor.edits)
        require(tuple(edits), labels)
        for (edit, strength), who in cohorts(mine, edits, options.per, len(judged)).items():
            for i, made in zip(who, finish(editor, [found[i] for i in who], asked(edit, strength)), strict=True):
                if made.edited is None:  # nothing was done to it, and its grade would be of the photograph
                    refused += 1
                    continue
                shown = sheets.surroundings(made.picture, quad_of(found[i]))
                tiles.append(((editor.pack.name, edit, f"{strength:+g}", people[i].set, people[i].file), shown))
        footage = clips.read_clips(editor, options.clips) if options.clips else {}
        for edit, strength, file, shown in edited_frames(editor, footage, edits):
            tiles.append(((editor.pack.name, edit, f"{strength:+g}", CLIPS, file), shown))
        print(f"{editor.pack.name}: {len(tiles)} tiles so far, {refused} faces refused", flush=True)
    tiles += [((UNTOUCHED, "", "", CLIPS, file), middle(clip)) for file, clip in footage.items()]
    for person, one in zip(judged, found, strict=False):
        shown = sheets.surroundings(person.picture, quad_of(one))
        tiles.append(((UNTOUCHED, "", "", person.set, person.file), shown))
    order = np.random.default_rng(options.seed).permutation(len(tiles))
    entries = [Entry(number, *tiles[i][0]) for number, i in enumerate(order, 1)]
    write_numbered(options.out, [tiles[i][1] for i in order])
    write_key(options.key / "key.csv", entries)
    print(f"written: {len(entries)} tiles in {options.out}, what they are in {options.key / 'key.csv'}")


def edited_frames(
    editor: VideoEditor, footage: dict[str, clips.Clip], edits: Sequence[str]
) -> Iterator[tuple[str, float, str, sheets.Picture]]:
    """Of each clip one frame for each edit and strength, where it does anything."""
    before = {file: middle(clip) for file, clip in footage.items()}
    for edit, strength, (file, clip) in product(edits, STRENGTHS, footage.items()):
        after = middle(clip, clips.finished(editor, clip, asked(edit, strength))[MIDDLE])
        if figures.changes_anything(figures.luma(after.astype(np.float64) - before[file])):
            yield edit, strength, file, after


def middle(clip: clips.Clip, finished: Frame | None = None) -> sheets.Picture:
    """What is shown of the clip's middle frame; None: as it was."""
    index, quad = clip.places[MIDDLE]
    return sheets.surroundings((finished or clip.codes[index].frame).picture(), quad, clips.WIDER)


def write_numbered(folder: Path, pictures: Sequence[sheets.Picture]) -> None:
    """Sheets of ACROSS x DOWN tiles, each with its number above it, counted from 1."""
    folder.mkdir(parents=True, exist_ok=True)
    per = ACROSS * DOWN
    for sheet, first in enumerate(range(0, len(pictures), per), 1):
        some = list(enumerate(pictures[first : first + per], first + 1))
        lines = []
        for at in range(0, len(some), ACROSS):
            row = some[at : at + ACROSS]
            tiles = [sheets.tile(picture, TILE) for _, picture in row]
            tiles += [np.full_like(tiles[0], sheets.GROUND)] * (ACROSS - len(row))
            numbers = [str(number) for number, _ in row] + [""] * (ACROSS - len(row))
            lines += [sheets.line(numbers, TILE), np.concatenate(tiles, 1)]
        sheets.write_png(folder / f"sheet-{sheet:02d}.png", np.concatenate(lines))


def write_key(path: Path, entries: Sequence[Entry]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([f.name for f in fields(Entry)])
        table.writerows(astuple(entry) for entry in entries)


def read_key(path: Path) -> dict[int, Entry]:
    """By number."""
    with open(path, newline="") as lines:
        entries = [Entry(int(line.pop("number")), **line) for line in csv.DictReader(lines)]
    return {entry.number: entry for entry in entries}


@dataclass(frozen=True)
class Grade:
    number: int
    grade: int  # of GRADES
    words: str


def read_grades(path: Path, key: dict[int, Entry]) -> list[Grade]:
    """:raises InputError: a number that is not in the key, or a grade that is none."""
    grades = []
    with open(path, newline="") as lines:
        for line in csv.DictReader(lines, skipinitialspace=True):
            try:
                one = Grade(int(line["number"]), int(line["grade"]), (line.get("words") or "").strip())
            except (KeyError, TypeError, ValueError):
                raise InputError(f"{path}: {line} is no number with a grade; write number,grade,words") from None
            if one.number not in key or one.grade not in GRADES:
                raise InputError(f"{path}: number {one.number} with grade {one.grade}; see the key, grades are 1 to 5")
            grades.append(one)
    return grades


def results(key: dict[int, Entry], grades: Sequence[Grade]) -> dict[str, object]:
    """Mean and least grade and the words, per pack, edit and strength; of the untouched photographs likewise."""
    packs: dict[str, dict[str, object]] = {}
    groups: dict[tuple[str, str, str], list[Grade]] = {}
    for one in grades:
        entry = key[one.number]
        groups.setdefault((entry.pack, entry.edit, entry.strength), []).append(one)
    for (pack, edit, strength), some in sorted(groups.items()):
        if pack != UNTOUCHED:
            packs.setdefault(pack, {})[f"{edit}={strength}"] = _told(some)
    untouched = groups.get((UNTOUCHED, "", ""), [])
    graded = {one.number for one in grades}
    return {
        UNTOUCHED: _told(untouched) if untouched else None,
        "packs": {
            pack: {
                "mean": _told([g for k, some in groups.items() if k[0] == pack for g in some])["mean"],
                "edits": rows,
            }
            for pack, rows in packs.items()
        },
        "not_graded": len(key) - len(graded),
    }


def _told(grades: Sequence[Grade]) -> dict[str, object]:
    given = [one.grade for one in grades]
    words = [f"{one.number}: {one.words}" for one in grades if one.words]
    return {"grades": len(given), "mean": round(sum(given) / len(given), 2), "least": min(given), "words": words}


def read(options: argparse.Namespace) -> None:
    key = read_key(options.key)
    found = results(key, [grade for path in options.grades for grade in read_grades(path, key)])
    write_atomically(options.out, found)
    print(f"written: {options.out}")


def arguments(args: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    making = commands.add_parser("make", help="write the sheets and their key")
    making.set_defaults(command=make)
    making.add_argument("--packs", required=True, help="names or folders of model packs of faces, by commas")
    making.add_argument("--faces", type=Path, required=True, help="the zips of pictures, one a set")
    making.add_argument("--data", type=Path, required=True, help="what pipelines.prepare_faces made of them")
    making.add_argument("--clips", type=Path, help="the folder of the clips that clips.csv names")
    making.add_argument("--out", type=Path, required=True, help="folder of the sheets")
    making.add_argument("--key", type=Path, required=True, help="another folder, of key.csv")
    making.add_argument("--edits", help="by commas; default: all of each pack")
    making.add_argument("--per", type=int, default=8, help="faces per edit and strength, at most")
    making.add_argument("--seed", type=int, default=0, help="of the order")
    reading = commands.add_parser("read", help="join grades with the key")
    reading.set_defaults(command=read)
    reading.add_argument("grades", type=Path, nargs="+", help="CSV files with the columns number, grade, words")
    reading.add_argument("--key", type=Path, required=True, help="key.csv")
    reading.add_argument("--out", type=Path, required=True, help="where to write the result")
    return parser.parse_args(args)


def main(args: list[str] | None = None) -> None:
    options = arguments(args)
    conclude(lambda: options.command(options))


if __name__ == "__main__":
    main()
