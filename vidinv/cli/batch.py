"""vidinv batch: edit many videos."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from vidinv.cli import options as o
from vidinv.cli.guard import guarded, say
from vidinv.edits.transfer_parse import TransferRequest
from vidinv.errors import OutputUnwritable, UsageError

KINDS = ("html", "json")


@guarded
def batch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="JOBS.toml|FOLDER|GLOB",
            show_default=False,
            help="A file of jobs, a folder of videos, or a pattern in quotes: 'clips/**/*.mp4'.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", show_default=False, help="Where outputs go, under the names of their sources."
        ),
    ] = None,
    edit: o.Edit = [],  # noqa: B006, typer copies it
    drive: o.Drive = None,
    neutral: o.Neutral = None,
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
    report: Annotated[
        list[str],
        typer.Option(
            metavar="html|json",
            show_default=False,
            help="Measure everything and write it beside each output; repeatable.",
        ),
    ] = [],  # noqa: B006, typer copies it
    method: o.Method = None,
    space: o.Space = None,
    start: o.Start = None,
    steps: o.Steps = None,
    warm_steps: o.WarmSteps = None,
    feature: o.Feature = False,
    noise: o.Noise = False,
    seed: o.Seed = None,
    lpips: o.RunLpips = None,
    segment: o.Segment = 8,
    mark: o.Mark = True,
    workers: Annotated[int, typer.Option(metavar="N", help="Videos that are edited at a time.")] = 1,
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", help="Threads of each worker's networks.", show_default="the cores over the workers"),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS|local", show_default=False, help="Let a Ray cluster do the work (an extra): its address."
        ),
    ] = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Edit many videos, several at a time. The same command again does only what is missing.

    Each is edited as vidinv run would. One that fails stops no other, and a worker that dies loses none: another goes
    on with its video. In JOBS.toml a table [[job]] is a video, with source, output, edits and the other options as
    keys, and [defaults] holds what they share; options given here are for jobs that do not say otherwise.
    """
    faces = o.read_faces(face)
    requests = o.read_edits(edit, person, faces)
    transfers = o.read_transfers(transfer, person, faces)
    whom, rest = o.read_persons(person, faces), o.read_neutral(neutral, drive)
    if wrong := [kind for kind in report if kind not in KINDS]:
        raise UsageError(f"--report is html or json, not {wrong[0]!r}; each video's lies beside its output")
    o.check_lpips(lpips, method, reported=bool(report))
    search = o.read_search(
        space=space, start=start, steps=steps, warm_steps=warm_steps, feature=feature, noise=noise, seed=seed
    )

    # Late: a mistyped edit need not wait for torch.
    from vidinv.batch import edit_many
    from vidinv.cli import batch_progress
    from vidinv.job import Job, jobs_of, read_jobs

    given: dict[str, Any] = {
        "edits": tuple(str(one) for one in requests),
        "transfers": tuple(_text(one) for one in transfers),
        "drive": drive,
        "neutral": rest,
        "drive_persons": tuple(str(who) for who in sorted(whom or (), key=str)) if drive is not None else (),
        "hold": o.read_hold(hold),
        "faces": {name: tuple(paths) for name, paths in faces.items()},
        "composite": composite,
        "boxes": boxes,
        "codec": codec,
        "crf": crf,
        "preset": preset,
        "backend": backend,
        "segment": segment,
        "mark": mark,
        "pack": pack,
        "device": device,
        "precision": precision,
        "batch": batch,
        "method": method,
        "search": search,
        "lpips": lpips,
    }
    usual = {f.name: f.default if f.default is not MISSING else {} for f in fields(Job)}
    given = {name: value for name, value in given.items() if value != usual[name]}
    if Path(source).suffix.lower() == ".toml":
        jobs = read_jobs(source, out, given)
    elif out is None:
        raise UsageError("name the folder that the outputs go to: --out DIR")
    else:
        jobs = jobs_of(source, out, given)
    if report:
        jobs = tuple(
            job if job.reports else replace(job, reports=tuple(_beside(job.output, kind) for kind in report))
            for job in jobs
        )
    if out is not None:
        _make(out)
    with batch_progress.shown(Console(stderr=True), quiet, jobs) as watch:
        done = edit_many(
            jobs,
            workers=workers,
            threads=threads,
            ray=ray,
            overwrite=overwrite,
            progress=watch.progress,
            finished=watch.finished,
            notify=watch.say,
        )
    for result in done.results:
        for warning in result.warnings:
            say(f"warning: {result.source}: {warning}")
        if result.error is not None:
            say(f"error: {result.source}: {result.error}")
    if not quiet:
        Console().print(batch_progress.table(done, verbose))
    if done.exit_code:
        raise typer.Exit(done.exit_code)


def _text(one: TransferRequest) -> str:
    """As it is typed, with the persons of --person."""
    whom, _, amount = str(one.how).partition("transfer=")
    return f"{whom}{one.neutral},{one.expressive}={amount}"


def _beside(output: Path, kind: str) -> Path:
    return output.with_name(f"{output.name}.{kind}")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputUnwritable(f"{folder} cannot be made ({error.strerror}); choose another folder (--out)") from None
