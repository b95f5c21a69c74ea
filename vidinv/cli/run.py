"""vidinv run: edit a whole video."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vidinv.cli import options as o
from vidinv.cli.guard import guarded, say
from vidinv.errors import DAMAGED_INPUT_EXIT_CODE


@guarded
def run(
    source: o.Input,
    edit: o.Edit = [],  # noqa: B006, typer copies it
    drive: o.Drive = None,
    neutral: o.Neutral = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The edited video.", show_default="INPUT's name + -edited")
    ] = None,
    person: o.Person = ["all"],  # noqa: B006, typer copies it
    composite: o.Compositing = "detail",
    pack: o.Pack = None,
    boxes: o.Boxes = None,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    batch: o.AutoBatch = None,
    codec: Annotated[str, typer.Option(help="Encoder: libx264, libx265, libsvtav1, libvpx-vp9 or mpeg4.")] = "libx264",
    crf: Annotated[float, typer.Option(help="Quality on the encoder's own scale; lower is better.")] = 18,
    preset: Annotated[str, typer.Option(help="Speed of the encoder, ultrafast to veryslow.")] = "veryfast",
    backend: o.Backends = "pyav",
    report: o.Reports = [],  # noqa: B006, typer copies it
    codes: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", show_default=False, help="Codes of this video (vidinv invert): do not invert again."
        ),
    ] = None,
    keep_codes: Annotated[
        Path | None, typer.Option(metavar="FOLDER", show_default=False, help="Keep the codes here, for further edits.")
    ] = None,
    method: o.Method = None,
    space: o.Space = None,
    start: o.Start = None,
    steps: o.Steps = None,
    warm_steps: o.WarmSteps = None,
    feature: o.Feature = False,
    noise: o.Noise = False,
    seed: o.Seed = None,
    lpips: o.RunLpips = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Edit a video. What it carries beside the pictures is copied; the output appears when it is complete."""
    requests = o.read_edits(edit, person)
    rest = o.read_neutral(neutral, drive, edit)

    # Late: a mistyped edit need not wait for torch.
    from vidinv import drivers
    from vidinv.api import VideoEditor
    from vidinv.cli import files, progress, summary
    from vidinv.report.quality import QualityOptions
    from vidinv.stages.encode import EncodeOptions

    o.check_lpips(lpips, method, reported=bool(report))
    target = output or files.default_output(source)
    for path in report:
        files.check_report(path, source, overwrite, target)
    search = o.read_search(
        space=space, start=start, steps=steps, warm_steps=warm_steps, feature=feature, noise=noise, seed=seed
    )
    quality = QualityOptions(lpips=lpips) if report else None
    encoding = EncodeOptions(codec=codec, crf=crf, preset=preset, overwrite=overwrite, backend=backend)
    with progress.shown(Console(stderr=True), quiet) as tell:
        editor = VideoEditor(
            pack, device=device, precision=precision, batch=batch, method=method, search=search, lpips=lpips
        )
        if verbose:
            say(f"pack {editor.pack.name} ({editor.pack.hash[:12]}) on {editor.compute.device}, {editor.compute.dtype}")
        driven = () if drive is None else (drivers.drive(drive, editor, neutral=rest, persons=o.read_persons(person)),)
        done = editor.edit_video(
            source,
            target,
            (*requests, *driven),
            composite=composite,
            boxes=boxes,
            output=encoding,
            quality=quality,
            codes=codes,
            keep_codes=keep_codes,
            progress=tell,
        )
    try:
        for warning in done.warnings:
            say(f"warning: {warning}")
        files.write_reports(done, report)
        if not quiet:
            summary.show(done, Console(), verbose)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{target} is complete") from None
    if done.damaged:
        say(f"{target} holds the {done.frames} frames that could be decoded; {done.frames_lost} are lost")
        raise typer.Exit(DAMAGED_INPUT_EXIT_CODE)
