"""vidinv invert: find and invert the faces of a video once, and keep their codes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from vidinv.cli import options as o
from vidinv.cli.guard import guarded, say
from vidinv.errors import DAMAGED_INPUT_EXIT_CODE

if TYPE_CHECKING:
    from vidinv.api import VideoEditor


@guarded
def invert(
    source: o.Input,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Where to keep the codes.", show_default="INPUT's name + .vidinv"
        ),
    ] = None,
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
    """Invert the faces of a video and keep their codes, for any number of edits: vidinv run INPUT --codes FOLDER."""
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
    _invert_video(editor, source, output or source.with_suffix(".vidinv"), boxes, not no_features, overwrite, quiet)


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
        print(f"{kept.frames} frames, {kept.faces} faces, {size}, {kept.seconds:.1f} s\n{target}")
    if kept.frames_lost is not None:
        say(f"{target} holds the {kept.frames} frames that could be decoded; {kept.frames_lost} are lost")
        raise typer.Exit(DAMAGED_INPUT_EXIT_CODE)
