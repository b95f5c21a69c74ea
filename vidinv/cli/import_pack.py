"""vidinv packs import: published checkpoints to a model pack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidinv.cli import options as o
from vidinv.cli.guard import guarded
from vidinv.errors import UsageError


@guarded
def import_pack(
    generator: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="StyleGAN2: of rosinality, pSp or e4e (.pt), or NVIDIA's, StyleGAN3 too (.pkl)."
        ),
    ],
    name: Annotated[str, typer.Option(help="What the pack will be called.")],
    encoder: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The official Feature-Style encoder (.pth).")
    ] = None,
    identity: Annotated[Path | None, typer.Option(metavar="FILE", help="ArcFace on an iresnet (.pth).")] = None,
    parsing: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Face parsing with BiSeNet (.pth), for masks of your own.")
    ] = None,
    directions: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]FILE...",
            help="Edits: InterFaceGAN (.npy), e4e (.pt), GANSpace (.pt, .npz); each is called after its file. "
            "FILE#12@4-8 is component 12 of GANSpace, in styles 4 to 8 alone.",
        ),
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(metavar="[NAME=]FILE...", help="Further directions.")] = None,
    components: Annotated[int, typer.Option(min=1, help="How many components of a GANSpace file to keep.")] = 10,
    sefa: Annotated[int, typer.Option(min=0, help="How many directions to find in the generator's weights.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where packs are kept.", show_default="the user's own packs")
    ] = None,
    verbose: o.Verbose = False,
) -> None:
    """Make a model pack of published checkpoints. Their code is never run; each says what it holds."""
    if more and not directions:
        raise UsageError(f"{more[0]} has no option; write --directions {more[0]}")

    from vidinv.models.pack import user_packs
    from vidinv.models.published.directions import direction_file
    from vidinv.models.published.importing import Sources
    from vidinv.models.published.importing import import_pack as run

    files = tuple(direction_file(text) for text in [*(directions or []), *(more or [])])
    done = run(Sources(generator, encoder, identity, parsing, files, components, sefa), name, out or user_packs())
    for line in done.found:
        print(line)
    for line in done.missing:
        print(f"without {line}")
    print(done.folder)
