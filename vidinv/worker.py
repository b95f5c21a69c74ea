"""One worker of a batch: it holds an editor, and does one job after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from vidinv import made
from vidinv.api import VideoEditor
from vidinv.drivers import drive
from vidinv.edits.parse import Asked
from vidinv.errors import DAMAGED_INPUT_EXIT_CODE, OutputError, OutputUnwritable, UsageError, VidinvError
from vidinv.job import Job
from vidinv.report import Report
from vidinv.report.files import check_reports, series_of
from vidinv.report.quality import QualityOptions
from vidinv.report.write import write_reports
from vidinv.shortage import shortage
from vidinv.stages.encode import EncodeOptions
from vidinv.transfers import transfer_asked
from vidinv.types import Progress
from vidinv.video import check_output
from vidinv.video.output import although

Status = Literal["done", "damaged", "skipped", "failed"]
Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class JobResult:
    """What became of one job."""

    source: Path
    output: Path
    status: Status
    """done; damaged: of a damaged input, as far as it could be read; skipped: an earlier call had done it, of a
    damaged one if the exit code says so; failed."""

    exit_code: int = 0
    """What ``vidinv run`` would have ended with."""

    error: str | None = None
    """Why it failed."""

    frames: int = 0
    faces: int = 0
    seconds: float = 0.0
    """Of this job alone, in all runs that it took."""

    warnings: tuple[str, ...] = ()
    tries: int = 1
    """Workers that took it."""


def failed(job: Job, error: str, exit_code: int = VidinvError.exit_code, tries: int = 1) -> JobResult:
    """A job that nothing came of."""
    return JobResult(job.source, job.output, "failed", exit_code, error, tries=tries)


def skipped(job: Job, damaged: bool) -> JobResult:
    """A job that an earlier call has done."""
    if not damaged:
        return JobResult(job.source, job.output, "skipped")
    said = f"{job.output.name} was made by an earlier call, of a damaged input as far as it could be read"
    return JobResult(job.source, job.output, "skipped", DAMAGED_INPUT_EXIT_CODE, warnings=(said,))


class Worker:
    """Does jobs one by one, in this process. Its editor stays from job to job as long as they need the same.

    :param threads: that PyTorch computes with; None: as it is. :param overwrite: replace outputs that exist.
    """

    def __init__(self, threads: int | None = None, overwrite: bool = False) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self._overwrite = overwrite
        self._editor: tuple[Any, VideoEditor] | None = None

    def run(self, job: Job, tell: Tell) -> JobResult:
        """Whatever a VidinvError says of the job is its result. Others are raised: no later job should trust what is
        left after them."""
        begun, said = time.perf_counter(), list[str]()
        try:
            mine = made.about(job)
            stands = made.standing(job, mine, self._overwrite)
            if stands.complete:
                return skipped(job, stands.damaged)
            report = self._edit(job, mine, stands, tell, said.append)
        except Exception as error:
            if (short := shortage(error)) is not None:
                self._editor = None  # what it holds is given back
                return failed(job, str(short), short.exit_code)
            if isinstance(error, VidinvError):
                return failed(job, str(error), error.exit_code)
            raise
        return JobResult(
            job.source,
            job.output,
            "damaged" if report.damaged else "done",
            DAMAGED_INPUT_EXIT_CODE if report.damaged else 0,
            frames=report.frames,
            faces=report.faces,
            seconds=max(report.seconds, time.perf_counter() - begun),
            warnings=(*said, *report.warnings),
        )

    def _edit(
        self, job: Job, mine: dict[str, str], stands: made.Standing, tell: Tell, say: Callable[[str], None]
    ) -> Report:
        encoding = encode_options(job, stands.overwrite)
        check_output(job.source, job.output, stands.overwrite or stands.published)
        check_reports(job.reports, job.source, stands.reports, job.output)
        editor = self._editor_of(job)
        report = editor.edit_video(
            job.source,
            job.output,
            tuple(asked(editor, job, say)),
            hold=job.hold,
            composite=job.composite,  # type: ignore[arg-type]
            boxes=job.boxes,
            faces={name: list(paths) for name, paths in job.faces.items()},
            output=encoding,
            quality=QualityOptions(lpips=job.lpips) if job.reports else None,
            codes=job.codes,
            keep_codes=job.keep_codes,
            series=series_of(job.reports),
            progress=tell,
            notify=say,
        )
        try:
            made.note(job, mine, bool(report.damaged))
            write_reports(report, job.reports, job.output)
            made.note(job, mine, bool(report.damaged), job.reports)
        except OutputError as error:
            raise although(
                error, f"{job.output} is complete, and its report is not; the same call makes that"
            ) from error
        except OSError as error:
            raise OutputUnwritable(
                f"{job.output} is complete, and that it is could not be noted beside it ({error.strerror or error}); "
                "free some space, and overwrite it (--overwrite)"
            ) from error
        return report

    def _editor_of(self, job: Job) -> VideoEditor:
        if self._editor is None or self._editor[0] != job.settings:
            self._editor = None  # before the next one: both may be too much for the memory
            self._editor = job.settings, editor_of(job)
        return self._editor[1]


def editor_of(job: Job) -> VideoEditor:
    """:raises VidinvError: see there."""
    return VideoEditor(
        job.pack,
        device=job.device,
        precision=job.precision,
        batch=job.batch,
        method=job.method,
        search=job.search,
        lpips=job.lpips,
    )


def encode_options(job: Job, overwrite: bool = False) -> EncodeOptions:
    """:raises UsageError: a segment of no length."""
    return EncodeOptions(
        codec=job.codec,
        crf=job.crf,
        preset=job.preset,
        threads=job.encoder_threads,
        overwrite=overwrite,
        backend=job.backend,  # type: ignore[arg-type]
        segment=job.segment,
        mark=job.mark,
    )


def asked(editor: VideoEditor, job: Job, warn: Callable[[str], None]) -> Iterator[Asked]:
    """All that is to be done, read. :raises VidinvError: a text, a picture or a driver that cannot be used."""
    yield from job.requests()
    yield from (transfer_asked(editor, one, warn) for one in job.transfer_requests())
    if job.drive is not None:
        whom = frozenset[int | str](int(who) if who.isdecimal() else who for who in job.drive_persons)
        yield drive(job.drive, editor, neutral=job.neutral, persons=whom or None)
    elif job.neutral is not None:
        raise UsageError("a neutral time is one of the driver; give a driver with it")
