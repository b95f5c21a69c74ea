"""vidinv invert: find and invert the faces of a video, or of pictures, once, and keep their codes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from vidinv.cli import options as o
from vidinv.cli.guard import guarded, say
from vidinv.cli.terminal import plain
from vidinv.errors import DAMAGED_INPUT_EXIT_CODE, InputMissing, UsageError
from vidinv.regular import resolved

if TYPE_CHECKING:
    from vidinv.api import VideoEditor


@guarded
def invert(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help="A video; or pictures, and folders of them.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Where to keep the codes.",
            show_default="the first INPUT's name + .vidinv",
        ),
    ] = None,
    person: Annotated[
        int | None,
        typer.Option(metavar="N", help="Which face of each picture, counted by size.", show_default="0, the largest"),
    ] = None,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The pictures are crops already; look for no face.")
    ] = False,
    method: o.Method = None,
    space: o.Space = None,
    start: o.Start = None,
    steps: o.Steps = None,
    warm_steps: o.WarmSteps = None,
    feature: o.Feature = False,
    noise: o.Noise = False,
    seed: o.Seed = None,
    lpips: o.SearchLpips = None,
    no_features: Annotated[
        bool,
        typer.Option("--no-features", help="Leave out the feature codes, the bulk; rendering computes them again."),
    ] = False,
    pack: o.Pack = None,
    boxes: o.Boxes = None,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    batch: o.AutoBatch = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Invert faces and keep their codes; those of a video serve any number of edits: vidinv run --codes FOLDER."""
    pictures = _are_pictures(sources)
    if pictures and (boxes is not None or no_features):
        raise UsageError("--boxes and --no-features are for videos; leave them out for pictures")
    if not pictures and (person is not None or aligned):
        raise UsageError("--person and --aligned are for pictures; of a video everybody is inverted")
    if pictures and warm_steps is not None:
        raise UsageError("--warm-steps is for videos, whose frames have one before them; leave it out for pictures")
    target = output or _beside(sources[0])

    # Late: --help need not wait for torch.
    from vidinv.api import VideoEditor

    o.check_lpips(lpips, method)
    search = o.read_search(
        space=space, start=start, steps=steps, warm_steps=warm_steps, feature=feature, noise=noise, seed=seed
    )
    editor = VideoEditor(
        pack, device=device, precision=precision, batch=batch, method=method, search=search, lpips=lpips
    )
    if verbose:
        say(f"pack {editor.pack.name} ({editor.pack.hash[:12]}) on {editor.compute.device}, {editor.compute.dtype}")
    if pictures:
        _invert_pictures(editor, sources, target, person or 0, aligned, overwrite, quiet)
    else:
        _invert_video(editor, sources[0], target, boxes, not no_features, overwrite, quiet)


def _invert_video(
    editor: VideoEditor, source: Path, target: Path, boxes: Path | None, features: bool, overwrite: bool, quiet: bool
) -> None:
    from vidinv.cli import progress

    with progress.shown(Console(stderr=True), quiet, "inverting") as tell:
        kept = editor.keep_codes(source, target, boxes=boxes, features=features, overwrite=overwrite, progress=tell)
    for warning in kept.warnings:
        say(f"warning: {warning}")
    if not quiet:
        size = f"{kept.size / 2**20:.1f} MiB"
        print(plain(f"{kept.frames} frames, {kept.faces} faces, {size}, {kept.seconds:.1f} s\n{target}"))
    if kept.frames_lost is not None:
        say(f"{target} holds the {kept.frames} frames that could be decoded; {kept.frames_lost} are lost")
        raise typer.Exit(DAMAGED_INPUT_EXIT_CODE)


def _invert_pictures(
    editor: VideoEditor, sources: list[Path], target: Path, person: int, aligned: bool, overwrite: bool, quiet: bool
) -> None:
    from vidinv.cli import progress
    from vidinv.still_files import keep_codes_of
    from vidinv.types import Progress

    with progress.shown(Console(stderr=True), quiet, "inverting", "pictures") as tell:
        kept = keep_codes_of(
            editor,
            list(sources),
            target,
            person=person,
            aligned=aligned,
            overwrite=overwrite,
            progress=lambda done, total, faces: tell(Progress(done, total, faces)),
        )
    for reason in kept.failures.values():
        say(f"left out: {reason}")
    if not quiet:
        for name, psnr in kept.psnr.items():
            print(plain(f"{psnr:5.1f} dB  {name}"))
        print(plain(f"{len(kept.psnr)} faces, {kept.file.seconds:.1f} s\n{target}"))
    if kept.failures:
        say(f"{target} holds the codes of {len(kept.psnr)} pictures; {len(kept.failures)} gave none")
        raise typer.Exit(DAMAGED_INPUT_EXIT_CODE)


def _beside(source: Path) -> Path:
    """:raises UsageError: the root of everything has nothing beside it."""
    named = source if source.name else resolved(source)
    if not named.name:
        raise UsageError(f"{source}: say where to keep the codes (-o FOLDER)")
    return named.with_suffix(".vidinv")


def _are_pictures(sources: list[Path]) -> bool:
    """:raises InputMissing: one is not there. :raises UsageError: several videos, or a video among pictures."""
    from vidinv.video.stills import is_picture

    for path in sources:
        if not path.exists():
            raise InputMissing(f"{path} does not exist; give a video, pictures or folders of pictures")
    videos = [path for path in sources if not path.is_dir() and not is_picture(path)]
    if videos and len(sources) > 1:
        raise UsageError(f"{videos[0]} is no picture; give pictures and folders of them, or one video alone")
    return not videos
