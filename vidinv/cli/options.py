"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from vidinv.edits.parse import EXAMPLES, LONGEST_ID, NAME, EditRequest, check_count, check_names, read_requests
from vidinv.edits.times import read_time
from vidinv.edits.transfer_parse import TransferRequest, parse_transfer
from vidinv.errors import InputMissing, UsageError
from vidinv.packs.locate import DEFAULT_PACK
from vidinv.types import Backend, Composite

Input = Annotated[Path, typer.Argument(metavar="INPUT", help="The video.", show_default=False)]
Edit = Annotated[
    list[str],
    typer.Option(
        "--edit", "-e", metavar="NAME=STRENGTH", show_default=False, help=f"What to change; repeatable: {EXAMPLES}."
    ),
]
Transfers = Annotated[
    list[str],
    typer.Option(
        "--transfer",
        metavar="NEUTRAL,EXPRESSIVE[=AMOUNT]",
        show_default=False,
        help="Put what two pictures of one person differ in on the faces; repeatable: neutral.jpg,smile.jpg=0.7@1s-3s.",
    ),
]
Hold = Annotated[
    list[str],
    typer.Option(
        metavar="NAME[,NAME]",
        show_default=False,
        help="Attributes that the edits are not to move, as far as the pack's network sees it: age, gender, smile, "
        "glasses, beard, makeup.",
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
    list[str],
    typer.Option(
        metavar="ID|NAME|all", help="Whom to edit: ids as the report counts them, or names of --face; repeatable."
    ),
]
PeoplesFaces = Annotated[
    list[str],
    typer.Option(
        "--face",
        metavar="NAME=PICTURE",
        show_default=False,
        help="Who is who: a picture of somebody, or a folder of them, for --edit NAME:age=+2; repeatable.",
    ),
]
Compositing = Annotated[
    Composite, typer.Option(help="Add the change to the frame's own pixels, or paste the generated face.")
]
Codec = Annotated[
    str | None,
    typer.Option(
        help="Encoder: libx264, libx265, libsvtav1, libvpx-vp9 or mpeg4.",
        show_default="libvpx-vp9 for .webm, else libx264",
    ),
]
Crf = Annotated[float, typer.Option(help="Quality on the encoder's own scale; lower is better.")]
Preset = Annotated[str, typer.Option(help="Speed of the encoder, ultrafast to veryslow.")]
Segment = Annotated[
    float,
    typer.Option(metavar="SECONDS", help="How often what is complete is kept, to go on from it when interrupted."),
]
Mark = Annotated[
    bool,
    typer.Option("--mark/--no-mark", help="Say in the output's own tags that faces were edited, and by which edits."),
]
Backends = Annotated[
    Backend, typer.Option(help="Encode with the bundled libraries, or the system's ffmpeg (an extra).")
]
Pack = Annotated[
    str | None,
    typer.Option(
        help="Name of a model pack (vidinv packs lists them), or path of its folder: ./NAME.", show_default=DEFAULT_PACK
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


def read_neutral(text: str | None, drive: Path | None) -> float | None:
    """Seconds. :raises UsageError: no time, or nothing whose time it would be."""
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


def read_hold(texts: list[str]) -> tuple[str, ...]:
    """Names as typed, each once."""
    return tuple(dict.fromkeys(name.strip() for text in texts for name in text.split(",")))


def read_transfers(texts: list[str], persons: list[str], names: Collection[str] = ()) -> list[TransferRequest]:
    """Transfers as typed; persons as of :func:`read_edits`. :raises MalformedEdit: a text that is none."""
    found = [parse_transfer(text) for text in texts]
    return [replace(one, how=read_edits([one.amount], persons, names)[0]) for one in found]


def read_edits(texts: list[str], persons: list[str], names: Collection[str] = ()) -> tuple[EditRequest, ...]:
    """Edits as typed; those that name no person themselves are for ``persons``: ids, ``names`` or "all".

    :raises MalformedEdit: a text that is no edit. :raises UsageError: a person that is none of them.
    """
    requests = tuple(request for text in texts for request in read_requests(text))
    check_count(len(requests))
    chosen = read_persons(persons, names)
    requests = tuple(r if chosen is None or r.persons is not None else replace(r, persons=chosen) for r in requests)
    check_names(requests, names)
    return requests


def read_persons(persons: list[str], names: Collection[str] = ()) -> frozenset[int | str] | None:
    """Ids and names, or None for all. :raises UsageError: a person that is none of them."""
    if "all" in persons:
        return None
    if wrong := [t for t in persons if not (t.isdecimal() and len(t) <= LONGEST_ID) and t not in names]:
        told = f"an id such as --person 0, --person all, or a name of a --face ({', '.join(names) or 'there is none'})"
        raise UsageError(f"cannot read the person {wrong[0]!r:.100}; write {told}")
    return frozenset[int | str](int(t) if t.isdecimal() else t for t in persons)


def read_faces(texts: list[str]) -> dict[str, list[Path]]:
    """By name the pictures of a person. :raises UsageError: what is not NAME=PICTURE. :raises InputMissing: a file."""
    found: dict[str, list[Path]] = {}
    for text in texts:
        name, _, path = text.partition("=")
        if not re.fullmatch(NAME, name) or name == "all" or not path:
            raise UsageError(
                f"cannot read the face {text!r}; write NAME=PICTURE, for example --face anna=anna.jpg, with a name of "
                "letters, digits, - and _"
            )
        if not Path(path).exists():
            raise InputMissing(
                f"{path}, the picture of {name}, does not exist; give a picture, or a folder of pictures"
            )
        found.setdefault(name, []).append(Path(path))
    return found
