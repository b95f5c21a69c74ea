"""A second of a few clips through the product's stream, three frames of each side by side."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import dropwhile, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.look import sheets
from benchmarks.look.finish import asked
from vidinv import VideoEditor
from vidinv.errors import InputMissing, NoFaceFound
from vidinv.faces.quads import quad_side
from vidinv.stages.decode import decode
from vidinv.types import Faces, Frame, known
from vidinv.video import probe

TABLE = Path(__file__).parent / "clips.csv"
STRENGTHS = (-2.0, 2.0)  # steps
SECONDS = 1.0  # of each clip
SHOWN = (0.3, 0.6, 0.9)  # of them, the frames on the sheet
WIDER = 1.5  # side of what is shown of a frame, in sides of the face's quad


@dataclass(frozen=True)
class Clip:
    rate: float  # frames per second
    codes: list[Faces]  # of each frame
    places: list[
        tuple[int, NDArray[np.float64]]
    ]  # of the frames that are shown: index, and the quad of the face in the middle


def read_clips(editor: VideoEditor, folder: Path) -> dict[str, Clip]:
    """What the table names, found, aligned and inverted, by file.

    :raises InputMissing: a clip is not there. :raises NoFaceFound: nobody is in a frame that would be shown.
    """
    with open(TABLE, newline="") as lines:
        named = [(line["file"], float(line["start"])) for line in csv.DictReader(lines)]
    return {file: read_clip(editor, folder / file, start) for file, start in named}


def read_clip(editor: VideoEditor, path: Path, start: float) -> Clip:
    """SECONDS of a clip from ``start`` on (seconds). Raises as :func:`read_clips`."""
    if not path.exists():
        raise InputMissing(f"{path} is missing; give the folder of the clips that {TABLE.name} names")
    rate = float(probe(path).rate)
    wanted = dropwhile(lambda frame: frame.seconds(rate) < start, decode(path))
    part = [replace(frame, index=i) for i, frame in enumerate(islice(wanted, round(SECONDS * rate)))]
    with closing(editor.analyse(part, rate=rate)) as stream:
        codes = list(stream)
    sides: dict[int, float] = {}
    for face in (face for one in codes for face in one.faces):
        sides[face.person] = sides.get(face.person, 0.0) + quad_side(known(face.quad))
    places = []
    for share in SHOWN:
        index = round(share * (len(codes) - 1))
        if not codes[index].faces:
            raise NoFaceFound(f"{path}: nobody at {start + share * SECONDS:.1f} s; name another time in {TABLE.name}")
        # Who is large and long in sight; where they are not, somebody else.
        shown = max(codes[index].faces, key=lambda face: sides[face.person])
        places.append((index, known(shown.quad)))
    return Clip(rate, codes, places)


def finished(editor: VideoEditor, clip: Clip, edit: str) -> list[Frame]:
    """The frames that are shown, edited."""
    wanted = [index for index, _ in clip.places]
    with closing(editor.render(None, clip.codes, edit, rate=clip.rate)) as stream:
        until = islice(stream, max(wanted) + 1)  # nobody looks at what comes after
        return [known(one.output) for index, one in enumerate(until) if index in wanted]


def write_sheets(editor: VideoEditor, folder: Path, names: Sequence[str], where: Path) -> None:
    """A sheet an edit: a row a clip; of each of three frames the source and what the edit made of it."""
    clips = read_clips(editor, folder)
    columns = [text for _ in SHOWN for text in ("source", *(f"finished {s:+g}" for s in STRENGTHS))]
    for name in names:
        rows = []
        for clip in clips.values():
            made = [finished(editor, clip, asked(name, s)) for s in STRENGTHS]
            row = []
            for k, (index, quad) in enumerate(clip.places):
                pictures = [clip.codes[index].frame, *(each[k] for each in made)]
                row += [sheets.tile(sheets.surroundings(p.image, quad, WIDER)) for p in pictures]
            rows.append(row)
        sheets.write_pages(where / name, columns, rows)
        print(f"clips, {name}: {where}", flush=True)
