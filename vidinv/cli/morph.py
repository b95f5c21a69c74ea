"""vidinv morph: a video from face to face."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidinv.cli import options as o
from vidinv.cli.guard import guarded
from vidinv.cli.terminal import plain


@guarded
def morph(
    pictures: Annotated[
        list[Path],
        typer.Argument(
            metavar="FIRST SECOND [MORE ...]", help="Pictures with a face each, in order.", show_default=False
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The video.")] = Path("morph.mp4"),
    seconds: Annotated[float, typer.Option(help="From one face to the next.")] = 2.0,
    rate: Annotated[float, typer.Option(help="Frames per second.")] = 30.0,
    loop: Annotated[bool, typer.Option("--loop", help="And from the last face back to the first.")] = False,
    size: Annotated[int | None, typer.Option(help="Side of the frames, pixels.", show_default="the pack's own")] = None,
    pack: o.Pack = None,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Make a video that leads from face to face, through codes between theirs."""
    from vidinv import morphs
    from vidinv.cli import files
    from vidinv.video.stills import pictures_in

    for source in pictures_in(pictures):
        files.check_file(output, source, overwrite)
    frames = morphs.morph_video(
        pictures,
        output,
        overwrite=overwrite,
        seconds=seconds,
        rate=rate,
        loop=loop,
        size=size,
        pack=pack,
        device=device,
        precision=precision,
    )
    if not quiet:
        print(plain(f"{output}: {frames} frames"))
