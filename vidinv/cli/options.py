"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from vidinv.edits.parse import EXAMPLES, EditRequest, read_requests, read_time
from vidinv.errors import UsageError
from vidinv.types import Backend, Composite

Input = Annotated[Path, typer.Argument(metavar="INPUT", help="The video.", show_default=False)]
Edit = Annotated[
    list[str],
    typer.Option(
        "--edit", "-e", metavar="NAME=STRENGTH", show_default=False, help=f"What to change; repeatable: {EXAMPLES}."
    ),
]
Drive = Annotated[
    Path | None,
    typer.Option(
        "--drive",
        metavar="DRIVER.mp4|FILE.csv",
        show_default=False,
        help="Move the face as the one in this video moves, or as a table of landmarks or expressions says.",
    ),
]
Neutral = Annotated[
    str | None,
    typer.Option(
        "--neutral",
        metavar="TIME",
        show_default="the frame that looks most so",
        help="When the driver's face is at rest: 2s, 1:02.5.",
    ),
]
Person = Annotated[
    list[str], typer.Option(metavar="ID|all", help="Whom to edit: ids as the report counts them; repeatable.")
]
Compositing = Annotated[
    Composite, typer.Option(help="Add the change to the frame's own pixels, or paste the generated face.")
]
Backends = Annotated[
    Backend, typer.Option(help="Encode with the bundled libraries, or the system's ffmpeg (an extra).")
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
SearchLpips = Annotated[
    Path | None,
    typer.Option(
        "--lpips",
        metavar="FILE",
        show_default=False,
        help="Weights of LPIPS' trunk, for a method that searches: torchvision's squeezenet1_1, alexnet or vgg16.",
    ),
]
RunLpips = Annotated[
    Path | None,
    typer.Option(
        "--lpips",
        metavar="FILE",
        show_default=False,
        help="Weights of LPIPS' trunk for the report, and for a method that searches: torchvision's squeezenet1_1, "
        "alexnet or vgg16.",
    ),
]
Method = Annotated[
    str | None,
    typer.Option(
        help="How faces are inverted: feature-style, in-domain, in-domain-encoder or image2stylegan.",
        show_default="feature-style",
    ),
]
_OWN = "the method's own"
Space = Annotated[str | None, typer.Option(help="Where a search looks: w+, w or z.", show_default=_OWN)]
Start = Annotated[str | None, typer.Option(help="Where a search begins: mean, random or encoder.", show_default=_OWN)]
Steps = Annotated[int | None, typer.Option(help="Steps of a search.", show_default=_OWN)]
WarmSteps = Annotated[
    int | None, typer.Option(help="The same where it goes on from the frame before.", show_default=_OWN)
]
Feature = Annotated[bool, typer.Option("--feature", help="Search for the feature code too.")]
Noise = Annotated[bool, typer.Option("--noise", help="Search for noise maps too.")]
Seed = Annotated[int | None, typer.Option(help="Of a random start.", show_default=_OWN)]
AutoBatch = Annotated[
    int | None,
    typer.Option("--batch", help="Faces per pass of a network.", show_default="8; fewer on a CPU from 512 pixels on"),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print warnings and errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print more, and the traceback of unexpected errors.")]


def read_search(**given: Any) -> dict[str, Any]:
    """What a search is asked to do otherwise than its method does: only what was given at all."""
    return {name: value for name, value in given.items() if value is not None and value is not False}


def read_neutral(text: str | None, drive: Path | None, edits: list[str]) -> float | None:
    """Seconds. :raises UsageError: no time, or nothing whose time it would be; neither a driver nor an edit."""
    if drive is None and not edits:
        raise UsageError(f"nothing to do: give --edit NAME=STRENGTH, for example {EXAMPLES}, or --drive DRIVER.mp4")
    if drive is None and text is not None:
        raise UsageError("--neutral is a time of the driver; give --drive DRIVER.mp4 with it")
    return None if text is None else read_time(text)


def check_lpips(lpips: Path | None, method: str | None, reported: bool = False) -> None:
    """:raises UsageError: weights of LPIPS that nothing would read."""
    from vidinv.inversion import METHODS  # late: it takes torch

    if lpips is not None and not reported and (method not in METHODS or METHODS[method].search is None):
        searching = ", ".join(name for name, one in METHODS.items() if one.search)
        raise UsageError(
            f"--lpips is measured for a report (--report FILE.html or FILE.json), or is what a --method that searches "
            f"compares by ({searching}); add one of them"
        )


def read_edits(texts: list[str], persons: list[str]) -> tuple[EditRequest, ...]:
    """Edits as typed; those that name no person themselves are for ``persons``, ids or "all".

    :raises MalformedEdit: a text that is no edit. :raises UsageError: a person that is neither an id nor "all".
    """
    requests = tuple(request for text in texts for request in read_requests(text))
    chosen = read_persons(persons)
    return tuple(r if chosen is None or r.persons is not None else replace(r, persons=chosen) for r in requests)


def read_persons(persons: list[str]) -> frozenset[int] | None:
    """Ids, or None for all. :raises UsageError: a person that is neither an id nor "all"."""
    if "all" in persons:
        return None
    wrong = [t for t in persons if not t.isdecimal()]
    if wrong:
        raise UsageError(f"cannot read the person {wrong[0]!r}; write an id such as --person 0, or --person all")
    return frozenset(int(t) for t in persons)
