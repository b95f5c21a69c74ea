"""vidinv mix: still pictures made into one another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vidinv.cli import options as o
from vidinv.cli.guard import guarded
from vidinv.cli.terminal import plain
from vidinv.errors import OutputUnwritable, UsageError
from vidinv.regular import resolved

MOST = 12  # faces of a grid: the picture grows with their square


@guarded
def mix(
    pictures: Annotated[
        list[Path],
        typer.Argument(metavar="FIRST SECOND [MORE ...]", help="Pictures with a face each.", show_default=False),
    ],
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
    """Mix faces: every one's feature code with every one's styles, as a grid.

    With --layers or --diffuse one face is made of two: styles of one in the other, or a region of one in the other.
    """
    if layers is not None and diffuse is not None:
        raise UsageError("--layers and --diffuse are two ways to mix; give one of them, or none for a grid of all")
    single = layers is not None or diffuse is not None
    if single and len(pictures) != 2:
        raise UsageError(
            f"--layers and --diffuse make one face of two, and there are {len(pictures)}; name two pictures"
        )
    if sheet and not single:
        raise UsageError("--sheet is of --layers and --diffuse; a grid shows the pictures anyway")
    if diffuse is None and (steps is not None or lpips is not None):
        raise UsageError("--steps and --lpips are of --diffuse; all else is mixed without a search")
    if output.suffix.lower() != ".png":
        raise OutputUnwritable(f"{output}: a mixture is a PNG; choose a name that ends in .png")

    import cv2

    from vidinv import mixtures
    from vidinv.cli import files
    from vidinv.video.stills import pictures_in

    found = {resolved(path) for path in pictures_in(pictures)}
    for source in found:
        files.check_file(output, source, overwrite)
    if not single and len(found) > MOST:
        raise UsageError(f"there are {len(found)} pictures, and a grid has at most {MOST}; name fewer")
    how: dict[str, Any] = {"pack": pack, "device": device, "precision": precision}
    made: mixtures.Mixture | mixtures.Grid
    if diffuse is not None:
        search = {} if steps is None else {"steps": steps}
        made = mixtures.diffuse(pictures[0], pictures[1], region=diffuse, search=search, lpips=lpips, **how)
    elif layers is not None:
        made = mixtures.mix(pictures[0], pictures[1], layers=layers, **how)
    else:
        made = mixtures.mix_grid(pictures, **how)
    picture = made.picture if isinstance(made, mixtures.Mixture) and not sheet else made.sheet()
    _, png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    files.write_file(output, png.tobytes(), overwrite)
    if not quiet:
        print(plain(output))
