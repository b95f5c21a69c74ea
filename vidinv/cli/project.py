"""vidinv run PROJECT.toml: what was chosen on the page, or written by hand, rendered."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidinv.cli.guard import say
from vidinv.errors import UsageError

if TYPE_CHECKING:
    from vidinv.cli.progress import Told
    from vidinv.job import Job
    from vidinv.report import Report


def is_project(source: Path) -> bool:
    return source.suffix.lower() == ".toml"


def check_options(**given: Any) -> None:
    """:raises UsageError: an option that the project says itself."""
    from vidinv.job import Job  # late: it takes the video libraries

    usual = {f.name: f.default for f in fields(Job)}
    for name, value in given.items():
        if value not in (None, [], ["all"]) and value != usual.get(name, False):
            raise UsageError(f"--{name.replace('_', '-')} is said by the project itself; change it there")


def read(path: Path, output: Path | None, reports: list[Path], overwrite: bool) -> Job:
    """The job, with what stands beside it on the command line.

    :raises VidinvError: no such project, by line; or an output or report that cannot be written there.
    """
    from vidinv.cli import files  # late: they take the networks' libraries
    from vidinv.job import read_project

    job = read_project(path)
    job = replace(job, output=output or job.output, reports=tuple(reports) or job.reports)
    files.check_reports(list(job.reports), job.source, overwrite, job.output)
    return job


def render(job: Job, overwrite: bool, resume: bool, told: list[str], tell: Told) -> Report:
    """:param told: is told warnings. :raises VidinvError: see :meth:`vidinv.VideoEditor.edit_video`."""
    from vidinv.cli import files
    from vidinv.journal import published
    from vidinv.report.quality import QualityOptions
    from vidinv.video import check_output
    from vidinv.worker import asked, editor_of, encode_options

    check_output(job.source, job.output, overwrite or published(job.output))
    editor = editor_of(job)
    return editor.edit_video(
        job.source,
        job.output,
        tuple(asked(editor, job, told.append)),
        hold=job.hold,
        composite=job.composite,  # type: ignore[arg-type]
        boxes=job.boxes,
        faces={name: list(paths) for name, paths in job.faces.items()},
        output=encode_options(job, overwrite),
        quality=QualityOptions(lpips=job.lpips) if job.reports else None,
        codes=job.codes,
        keep_codes=job.keep_codes,
        series=files.series_of(list(job.reports)),
        resume=resume,
        progress=tell,
        notify=say,
        reported=partial(files.write_reports, paths=job.reports, run=job.output),
    )
