"""vidinv mix: two still pictures made into one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vidinv.cli import options as o
from vidinv.cli.guard import guarded
from vidinv.errors import OutputUnwritable, UsageError


@guarded
def mix(
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="A picture with a face.", show_default=False)],
    second: Annotated[Path, typer.Argument(metavar="SECOND", help="Another.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The PNG.")] = Path("mix.png"),
    layers: Annotated[
        str | None,
        typer.Option(
            metavar="coarse|middle|fine",
            show_default=False,
            help="FIRST with SECOND's styles in these layers: pose and shape, features and hair, or colours.",
        ),
    ] = None,
    diffuse: Annotated[
        str | None,
        typer.Option(
            metavar="face|lower|eyes|skin",
            show_default=False,
            help="Put this region of FIRST into SECOND, and let the generator make one face of it.",
        ),
    ] = None,
    sheet: Annotated[bool, typer.Option("--sheet", help="Show both pictures beside what came of them.")] = False,
    steps: Annotated[int | None, typer.Option(help="Of the optimiser that --diffuse asks.", show_default="100")] = None,
    lpips: o.SearchLpips = None,
    pack: o.Pack = None,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Make one face of two: styles of one in the other, or a region of one in the other."""
    if (layers is None) == (diffuse is None):
        raise UsageError("say how: --layers coarse, middle or fine, or --diffuse face, lower, eyes or skin")
    if layers is not None and (steps is not None or lpips is not None):
        raise UsageError("--steps and --lpips are of --diffuse; styles are crossed without a search")
    if output.suffix.lower() != ".png":
        raise OutputUnwritable(f"{output}: a mixture is a PNG; choose a name that ends in .png")

    import cv2

    from vidinv import mixtures
    from vidinv.cli import files

    for source in (first, second):
        files.check_file(output, source, overwrite)
    how: dict[str, Any] = {"pack": pack, "device": device, "precision": precision}
    if diffuse is not None:
        search = {} if steps is None else {"steps": steps}
        made = mixtures.diffuse(first, second, region=diffuse, search=search, lpips=lpips, **how)
    else:
        made = mixtures.mix(first, second, layers=layers or "", **how)
    picture = made.sheet() if sheet else made.picture
    _, png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    files.write_file(output, png.tobytes(), overwrite)
    if not quiet:
        print(output)
