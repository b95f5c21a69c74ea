"""How far the run is: a live bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import progress as bars
from rich.console import Console
from rich.text import Text

from vidinv.cli.guard import say

if TYPE_CHECKING:
    from vidinv.types import Progress

Told = Callable[["Progress"], None]
EVERY = 10.0  # seconds between two plain lines


class _Rate(bars.ProgressColumn):
    def render(self, task: bars.Task) -> Text:
        unit = task.fields["unit"]
        return Text(f"{task.speed:.1f} {unit}/s" if task.speed else f"- {unit}/s")


@contextmanager
def shown(console: Console, quiet: bool, doing: str = "editing", unit: str = "frames") -> Iterator[Told]:
    """A function to tell every Progress to; ``unit`` is what is counted."""
    if quiet:
        yield lambda progress: None
    elif console.is_terminal and not console.is_dumb_terminal:
        with _bar(console, doing, unit) as tell:
            yield tell
    else:
        yield lines(unit=unit)


@contextmanager
def _bar(console: Console, doing: str, unit: str) -> Iterator[Told]:
    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        _Rate(),
        bars.TimeRemainingColumn(),
        bars.TextColumn("{task.fields[faces]} faces", markup=False),
    )
    with bars.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("loading", total=None, faces=0, unit=unit)

        def tell(progress: Progress) -> None:
            # The number of frames is declared or estimated, and may be too small.
            total = None if progress.total is None else max(progress.total, progress.frames)
            bar.update(task, description=doing, completed=progress.frames, total=total, faces=progress.faces)

        yield tell


def lines(
    clock: Callable[[], float] = time.monotonic, write: Callable[[str], None] = say, unit: str = "frames"
) -> Told:
    """Plain lines, one every ``EVERY`` seconds."""
    begun: float | None = None
    next_at = 0.0

    def tell(progress: Progress) -> None:
        nonlocal begun, next_at
        now = clock()
        if begun is None:
            begun, next_at = now, now + EVERY
        if now < next_at:
            return
        next_at = now + EVERY
        rate = (progress.frames - 1) / (now - begun)  # the clock starts with the first frame
        of = f" of {progress.total}" if progress.total else ""
        left = (progress.total or 0) - progress.frames
        remaining = f", {left / rate:.0f} s left" if rate > 0 and left > 0 else ""
        write(f"{progress.frames}{of} {unit}, {rate:.1f} {unit}/s{remaining}, {progress.faces} faces")

    return tell
