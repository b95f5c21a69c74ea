"""How far a batch is: a bar for all jobs and one for each that is worked on; elsewhere lines. And what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich import progress as bars
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vidinv.cli.guard import say
from vidinv.cli.progress import EVERY
from vidinv.cli.terminal import plain

if TYPE_CHECKING:
    from vidinv.batch import JobProgress, Summary
    from vidinv.job import Job
    from vidinv.worker import JobResult

SHOWN = 50  # jobs in the table without --verbose: those that went wrong come first


class Watch:
    """Is told of everything; keeps quiet."""

    def progress(self, told: JobProgress) -> None: ...

    def finished(self, number: int, result: JobResult) -> None: ...

    def say(self, message: str) -> None:
        say(message)


class Lines(Watch):
    """A line per job that ended, and one for all every ``EVERY`` seconds."""

    def __init__(
        self, jobs: Sequence[Job], clock: Callable[[], float] = time.monotonic, write: Callable[[str], None] = say
    ) -> None:
        self._jobs, self._clock, self._write = jobs, clock, write
        self._begun = self._last = clock()
        self._at = dict[int, int]()
        self._ended = self._failed = self._frames = 0

    def progress(self, told: JobProgress) -> None:
        # A job that goes on in another worker begins behind what is complete of it.
        self._frames += max(0, told.progress.frames - self._at.get(told.number, told.progress.frames - 1))
        self._at[told.number] = told.progress.frames
        now = self._clock()
        if now - self._last >= EVERY:
            self._last = now
            failed = f", {self._failed} failed" if self._failed else ""
            rate = self._frames / (now - self._begun)
            self._write(
                f"{self._ended} of {len(self._jobs)} videos{failed}, {self._frames} frames, {rate:.1f} frames/s"
            )

    def finished(self, number: int, result: JobResult) -> None:
        self._at.pop(number, None)
        self._ended += 1
        self._failed += result.status == "failed"
        self._write(f"{self._ended} of {len(self._jobs)}: {result.source}: {_told(result)}")


class Bars(Watch):
    """Live, on a terminal."""

    def __init__(self, jobs: Sequence[Job], bar: bars.Progress) -> None:
        self._jobs, self._bar = jobs, bar
        self._all = bar.add_task("all videos", total=len(jobs), note="")
        self._tasks = dict[int, bars.TaskID]()
        self._failed = 0

    def progress(self, told: JobProgress) -> None:
        if told.number not in self._tasks:
            self._tasks[told.number] = self._bar.add_task(
                plain(self._jobs[told.number].source.name), total=None, note=""
            )
        at = told.progress
        # The number of frames is declared or estimated, and may be too small.
        total = None if at.total is None else max(at.total, at.frames)
        self._bar.update(self._tasks[told.number], completed=at.frames, total=total, note=f"{at.faces} faces")

    def finished(self, number: int, result: JobResult) -> None:
        if number in self._tasks:
            self._bar.remove_task(self._tasks.pop(number))
        self._failed += result.status == "failed"
        self._bar.update(self._all, advance=1, note=f"{self._failed} failed" if self._failed else "")

    def say(self, message: str) -> None:
        self._bar.console.print(plain(message), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def shown(console: Console, quiet: bool, jobs: Sequence[Job]) -> Iterator[Watch]:
    """What to tell of everything that happens to jobs."""
    if quiet:
        yield Watch()
    elif console.is_terminal and not console.is_dumb_terminal:
        columns = (
            bars.TextColumn("{task.description}", markup=False),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TimeRemainingColumn(),
            bars.TextColumn("{task.fields[note]}", markup=False),
        )
        with bars.Progress(*columns, console=console, transient=True) as bar:
            yield Bars(jobs, bar)
    else:
        yield Lines(jobs)


def table(summary: Summary, verbose: bool = False) -> Table:
    """A row per video, those that went wrong first, and their sum."""
    found = Table(box=box.SIMPLE_HEAD)
    for name in ("video", "outcome"):
        found.add_column(name, overflow="fold")
    for name in ("frames", "seconds", "frames/s"):
        found.add_column(name, justify="right", no_wrap=True)
    ranked = sorted(summary.results, key=lambda result: result.exit_code == 0)
    shown = ranked if verbose else ranked[:SHOWN]
    for result in shown:
        found.add_row(Text(plain(result.output.name)), _told(result), *_figures(result.frames, result.seconds))
    if len(ranked) > len(shown):
        found.add_row(f"and {len(ranked) - len(shown)} more (--verbose)")
    found.add_section()
    counts = ((status, summary.count(status)) for status in ("done", "damaged", "skipped", "failed"))
    sums = ", ".join(f"{count} {status}" for status, count in counts if count)
    found.add_row(f"{len(ranked)} videos", sums, *_figures(summary.frames, summary.seconds))
    return found


def _told(result: JobResult) -> str:
    again = f" by worker {result.tries} that took it" if result.tries > 1 else ""
    words = {
        "done": "done",
        "damaged": "input damaged, done as far as it could be read",
        "skipped": "was complete" + (", as far as its damaged input could be read" if result.exit_code else ""),
        "failed": f"failed, {result.exit_code}",
    }
    return words[result.status] + again


def _figures(frames: int, seconds: float) -> tuple[str, str, str]:
    if not frames:
        return "", "", ""
    return str(frames), f"{seconds:.1f}", f"{frames / seconds:.1f}" if seconds else ""
