"""vidinv preview: one frame as source, inversion, edit and composited picture, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidinv.cli import options as o
from vidinv.cli.guard import guarded
from vidinv.cli.terminal import plain
from vidinv.edits.times import read_time
from vidinv.errors import OutputUnwritable


@guarded
def preview(
    source: o.Input,
    edit: o.Edit,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="Which frame: 2s, 2.5, 1:02.5.")] = "0s",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The PNG.", show_default="INPUT's name + -preview.png")
    ] = None,
    hold: o.Hold = [],  # noqa: B006, typer copies it
    person: o.Person = ["all"],  # noqa: B006, typer copies it
    face: o.PeoplesFaces = [],  # noqa: B006, typer copies it
    composite: o.Compositing = "detail",
    pack: o.Pack = None,
    boxes: o.Boxes = None,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    method: o.Method = None,
    space: o.Space = None,
    start: o.Start = None,
    steps: o.Steps = None,
    feature: o.Feature = False,
    noise: o.Noise = False,
    seed: o.Seed = None,
    lpips: o.SearchLpips = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Edit one frame. A PNG shows source, inversion, edit and the finished frame side by side.

    Persons are counted by size in that frame, 0 the largest.
    """
    faces = o.read_faces(face)
    requests, seconds = o.read_edits(edit, person, faces), read_time(at)
    target = output or source.with_name(f"{source.stem}-preview.png")
    if target.suffix.lower() != ".png":
        raise OutputUnwritable(f"{target}: a preview is a PNG; choose a name that ends in .png")

    # Late: a mistyped edit need not wait for torch.
    import cv2

    from vidinv.api import VideoEditor
    from vidinv.cli import files

    files.check_file(target, source, overwrite)
    o.check_lpips(lpips, method)
    search = o.read_search(space=space, start=start, steps=steps, feature=feature, noise=noise, seed=seed)
    editor = VideoEditor(pack, device=device, precision=precision, method=method, search=search, lpips=lpips)
    shown = editor.preview(
        source, seconds, requests, hold=o.read_hold(hold), composite=composite, boxes=boxes, faces=faces
    )
    sheet = shown.sheet()
    _, png = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    files.write_file(target, png.tobytes(), overwrite)
    if not quiet:
        print(plain(target))
