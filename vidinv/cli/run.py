"""vidinv run: edit a whole video, or a picture."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vidinv.cli import options as o
from vidinv.cli import project
from vidinv.cli.guard import guarded, say
from vidinv.edits.parse import EXAMPLES, Asked, check_timeless
from vidinv.errors import MalformedEdit


@guarded
def run(
    source: Annotated[
        Path,
        typer.Argument(metavar="INPUT|PROJECT.toml", help="What to edit.", show_default=False),
    ],
    edit: o.Edit = [],  # noqa: B006, typer copies it
    drive: o.Drive = None,
    neutral: o.Neutral = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="What becomes of it.", show_default="INPUT's name + -edited")
    ] = None,
    transfer: o.Transfers = [],  # noqa: B006, typer copies it
    hold: o.Hold = [],  # noqa: B006, typer copies it
    person: o.Person = ["all"],  # noqa: B006, typer copies it
    face: o.PeoplesFaces = [],  # noqa: B006, typer copies it
    composite: o.Compositing = "detail",
    pack: o.Pack = None,
    boxes: o.Boxes = None,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    batch: o.AutoBatch = None,
    codec: o.Codec = None,
    crf: o.Crf = 18,
    preset: o.Preset = "veryfast",
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
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted run to this output; there has to be one.")
    ] = False,
    segment: o.Segment = 8,
    mark: o.Mark = True,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Edit a video, or a picture. What it carries beside the pixels is copied; the output appears when it is complete.

    Of a picture (.jpg, .png, .webp, .bmp, .tif) the rest stays as it is, at its full size; --drive, --codec, --crf,
    --preset, --backend, --report, --codes, --keep-codes, --warm-steps, --resume, --segment and --no-mark are for
    videos. A PROJECT.toml (of vidinv ui) says by itself what is edited, and how; --output, --report, --resume and
    --overwrite may stand beside it.
    """
    faces = o.read_faces(face)
    requests = o.read_edits(edit, person, faces)
    asked, told = o.read_transfers(transfer, person, faces), list[str]()
    rest, whom = o.read_neutral(neutral, drive), o.read_persons(person, faces)
    saved = project.is_project(source)
    if not requests and not asked and drive is None and not saved:
        raise MalformedEdit(f"nothing to do was given; write --edit NAME=STRENGTH ({EXAMPLES}), --transfer or --drive")

    # Late: a mistyped edit need not wait for torch.
    from vidinv import drivers, transfers
    from vidinv.api import VideoEditor
    from vidinv.cli import files, progress, still, summary
    from vidinv.journal import published
    from vidinv.report.quality import QualityOptions
    from vidinv.stages.encode import EncodeOptions
    from vidinv.video import check_output

    def everything(editor: VideoEditor) -> Iterator[Asked]:
        yield from requests
        yield from (transfers.transfer_asked(editor, one, told.append) for one in asked)
        if drive is not None:
            yield drivers.drive(drive, editor, neutral=rest, persons=whom)

    if saved:
        project.check_options(
            edit=edit, drive=drive, transfer=transfer, hold=hold, person=person, face=face, pack=pack, boxes=boxes,
            batch=batch, codec=codec, codes=codes, keep_codes=keep_codes, method=method, space=space, start=start,
            steps=steps, warm_steps=warm_steps, feature=feature, noise=noise, seed=seed, lpips=lpips,
            composite=composite, device=device, precision=precision, crf=crf, preset=preset, backend=backend,
            segment=segment, mark=mark,
        )  # fmt: skip
        job = project.read(source, output, report, overwrite)
        with progress.shown(Console(stderr=True), quiet) as tell:
            done = project.render(job, overwrite, resume, told, tell)
        summary.finish(done, job.output, told, quiet, verbose)
        return
    picture = still.is_picture(source) and not still.moves(source)
    if picture:
        still.check_options(
            codec=codec, crf=crf, preset=preset, backend=backend, report=report, codes=codes, keep_codes=keep_codes,
            warm_steps=warm_steps, drive=drive, resume=resume or None, segment=segment, mark=mark,
        )  # fmt: skip
    o.check_lpips(lpips, method, reported=bool(report))
    target = output or (still.default_output if picture else files.default_output)(source)
    files.check_reports(report, source, overwrite, target)
    search = o.read_search(
        space=space, start=start, steps=steps, warm_steps=warm_steps, feature=feature, noise=noise, seed=seed
    )
    make = partial(
        VideoEditor, pack, device=device, precision=precision, batch=batch, method=method, search=search, lpips=lpips
    )
    if picture:
        check_timeless([one.how for one in asked])
        still.check_places(source, target, overwrite)  # before the pictures of transfers are looked at
        editor, done_to = make(), {"hold": o.read_hold(hold), "composite": composite, "boxes": boxes, "faces": faces}
        still.run(editor, source, target, tuple(everything(editor)), quiet, told, overwrite=overwrite, **done_to)
        return
    quality = QualityOptions(lpips=lpips) if report else None
    encoding = EncodeOptions(
        codec=codec, crf=crf, preset=preset, overwrite=overwrite, backend=backend, segment=segment, mark=mark
    )
    check_output(source, target, overwrite or published(target))  # before pictures and drivers are looked at
    with progress.shown(Console(stderr=True), quiet) as tell:
        editor = make()
        if verbose:
            say(f"pack {editor.pack.name} ({editor.pack.hash[:12]}) on {editor.compute.device}, {editor.compute.dtype}")
        done = editor.edit_video(
            source,
            target,
            tuple(everything(editor)),
            hold=o.read_hold(hold),
            composite=composite,
            boxes=boxes,
            faces=faces,
            output=encoding,
            quality=quality,
            codes=codes,
            keep_codes=keep_codes,
            series=files.series_of(report),
            resume=resume,
            progress=tell,
            notify=say,
            reported=partial(files.write_reports, paths=report, run=target),
        )
    summary.finish(done, target, told, quiet, verbose)
