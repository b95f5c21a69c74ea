"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vidinv.edits.parse import EXAMPLES, EditRequest, parse_edits
from vidinv.errors import UsageError


class Composite(StrEnum):
    detail = "detail"
    pasted = "replace"  # replace is a method of every text


class Backend(StrEnum):
    pyav = "pyav"
    ffmpeg = "ffmpeg"


Input = Annotated[Path, typer.Argument(metavar="INPUT", help="The video.", show_default=False)]
Edit = Annotated[
    list[str],
    typer.Option(
        "--edit", "-e", metavar="NAME=STRENGTH", show_default=False, help=f"What to change; repeatable: {EXAMPLES}."
    ),
]
Person = Annotated[
    list[str], typer.Option(metavar="ID|all", help="Whom to edit: ids as the report counts them; repeatable.")
]
Compositing = Annotated[
    Composite, typer.Option(help="Add the change to the frame's own pixels, or paste the generated face.")
]
Pack = Annotated[
    str | None,
    typer.Option(
        help="Name of a model pack (vidinv packs lists them), or path of its folder: ./NAME.", show_default="face-128"
    ),
]
Boxes = Annotated[
    Path | None,
    typer.Option(
        "--boxes",
        metavar="FILE.csv",
        show_default=False,
        help="Where to edit, for packs that are not of faces: columns frame, x0, y0, x1, y1, in pixels.",
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
Precision = Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")]
Batch = Annotated[int, typer.Option(help="Faces per pass of a network.")]
Reports = Annotated[
    list[Path],
    typer.Option(
        metavar="FILE.html|FILE.json", show_default=False, help="Measure everything and write it here; repeatable."
    ),
]
LpipsWeights = Annotated[
    Path | None,
    typer.Option(
        "--lpips",
        metavar="FILE",
        show_default=False,
        help="Weights of LPIPS' trunk for the report: torchvision's squeezenet1_1, alexnet or vgg16.",
    ),
]
AutoBatch = Annotated[
    int | None,
    typer.Option("--batch", help="Faces per pass of a network.", show_default="8; fewer on a CPU from 512 pixels on"),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print warnings and errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print more, and the traceback of unexpected errors.")]


def read_edits(texts: list[str]) -> tuple[EditRequest, ...]:
    """:raises MalformedEdit: a text that is no edit."""
    return tuple(request for text in texts for request in parse_edits(text))


def read_persons(texts: list[str]) -> tuple[int, ...] | None:
    """None is everybody. :raises UsageError: neither an id nor "all"."""
    if "all" in texts:
        return None
    wrong = [t for t in texts if not t.isdecimal()]
    if wrong:
        raise UsageError(f"cannot read the person {wrong[0]!r}; write an id such as --person 0, or --person all")
    return tuple(int(t) for t in texts)


def read_time(text: str) -> float:
    """Seconds of "2s", "2.5" or "1:02.5". :raises UsageError: anything else."""
    total = 0.0
    for part in text.removesuffix("s").split(":"):
        if not part.replace(".", "", 1).isdecimal():
            raise UsageError(f"cannot read the time {text!r}; write seconds or minutes and seconds: 2s, 2.5, 1:02.5")
        total = 60 * total + float(part)
    return total
