"""vidinv packs import: published checkpoints to a model pack."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidinv.cli import options as o
from vidinv.cli.guard import guarded
from vidinv.cli.terminal import plain
from vidinv.errors import UsageError

if TYPE_CHECKING:
    from vidinv.faces.boxes import CropRule


class Crops(StrEnum):
    face = "face"
    boxes = "boxes"
    frame = "frame"


def read_crops(kind: Crops, content: str | None) -> CropRule:
    """How the pack's crops are found. :raises UsageError: a content that is no size, or of faces."""
    from vidinv.faces.boxes import CropRule

    size = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", content or "1x1")
    if size is None or (content and kind is Crops.face):
        raise UsageError(f"--content {content} is for --crops boxes or frame; write width x height, such as 512x384")
    width, height = int(size[1]), int(size[2])
    return CropRule(kind.value, (width / max(width, height), height / max(width, height)))


@guarded
def import_pack(
    name: Annotated[str, typer.Option(help="What the pack will be called.")],
    generator: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="StyleGAN2: of rosinality, pSp or e4e (.pt), or NVIDIA's, StyleGAN3 too (.pkl)."
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(metavar="PACK", help="In place of --generator: copy this pack, with another --identity."),
    ] = None,
    encoder: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The official Feature-Style encoder (.pth).")
    ] = None,
    identity: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="ArcFace on an iresnet (.pth), or facenet-pytorch's InceptionResnetV1 (.pt)."
        ),
    ] = None,
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
    components: Annotated[int, typer.Option(help="How many components of a GANSpace file to keep.")] = 10,
    sefa: Annotated[int, typer.Option(help="How many directions to find in the generator's weights.")] = 0,
    crops: Annotated[
        Crops, typer.Option(help="Where the pictures lie: on faces, in boxes that a run is told, or in every frame.")
    ] = Crops.face,
    content: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Boxes and frames: what the pictures show of their square, 512x384 of cars."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where packs are kept.", show_default="the user's own packs")
    ] = None,
    verbose: o.Verbose = False,
) -> None:
    """Make a model pack of published checkpoints. Their code is never run; each says what it holds."""
    if more and not directions:
        raise UsageError(f"{more[0]} has no option; write --directions {more[0]}")

    rule = read_crops(crops, content)
    if (generator is None) == (base is None):
        raise UsageError("give --generator FILE for a new pack, or --base PACK to copy one; not both")

    from vidinv.packs.locate import user_packs
    from vidinv.packs.published.directions import direction_file
    from vidinv.packs.published.extending import with_identity
    from vidinv.packs.published.importing import Sources
    from vidinv.packs.published.importing import import_pack as run

    folder = out or user_packs()
    if generator is None:
        if base is None or identity is None or encoder or parsing or directions or sefa or crops is not Crops.face:
            raise UsageError("--base PACK takes --identity FILE, and nothing else beside --name and --out")
        done = with_identity(base, identity, name, folder)
    else:
        files = tuple(direction_file(text) for text in [*(directions or []), *(more or [])])
        done = run(Sources(generator, encoder, identity, parsing, files, components, sefa, rule), name, folder)
    for line in done.found:
        print(plain(line))
    for line in done.missing:
        print(plain(f"without {line}"))
    print(plain(done.folder))
