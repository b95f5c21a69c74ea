"""Worker processes of this machine: each takes one job at a time, says how far it is, and may die without taking the
job with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any, Literal, Protocol

from vidinv.errors import UsageError

PATIENCE = 10.0  # seconds that a worker has to tidy up
Kind = Literal["progress", "done", "error", "died"]
Event = tuple[int, Kind, Any]
"""Which worker; what happened: how far it is, the job's result, the text of an error that nobody expected, or how the
worker died."""


class Runner(Protocol):
    """What does jobs, in a worker."""

    def run(self, job: Any, tell: Callable[[Any], None]) -> Any:
        """Do one, and return what became of it."""


Make = Callable[[], Runner]
"""What a worker makes its runner by; it is sent there, so it has to be found by its name in a module."""


class Crew(Protocol):
    """Workers, numbered from 0: processes of this machine, or of a cluster."""

    size: int

    def start(self, place: int, job: Any) -> None:
        """Give a job to a worker that has none; to a new one if the last of this number ended."""

    def wait(self) -> list[Event]:
        """What happened since; waits until something did, or for a moment."""

    def close(self) -> None:
        """End all workers, and what they do."""


@dataclass
class _Place:
    process: Any
    line: Connection[Any, Any]
    begun: bool = False  # it has said that it is there
    busy: bool = False


class Processes:
    """A crew of processes of this machine, started when there is something for them to do.

    Each has a line of its own to this process: a queue that all share would stay locked by one that is killed.

    :param size: how many. :param make: what each does its jobs by.
    """

    def __init__(self, size: int, make: Make) -> None:
        self.size = size
        self._make = make
        self._context = multiprocessing.get_context("spawn")  # a fork would carry locks of PyTorch's threads over
        self._places: dict[int, _Place] = {}
        self._proven = False

    def start(self, place: int, job: Any) -> None:
        if place in self._places:
            with suppress(OSError):  # it died while it had nothing to do
                self._give(place, job)
                return
            self._end(self._places.pop(place))
        mine, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        self._places[place] = _Place(process, mine)
        with suppress(OSError):  # it died already: which wait() tells
            mine.send(self._make)
            self._give(place, job)
        self._places[place].busy = True

    def _give(self, place: int, job: Any) -> None:
        self._places[place].line.send(job)
        self._places[place].busy = True

    def wait(self) -> list[Event]:
        """:raises UsageError: workers end before they begin."""
        lines = {one.line: place for place, one in self._places.items() if one.busy}
        return [event for line in wait(list(lines)) if (event := self._heard(lines[line]))]  # type: ignore[index]

    def _heard(self, place: int) -> Event | None:
        one = self._places[place]
        try:
            kind, value = one.line.recv()
        except (EOFError, OSError):
            return place, "died", self._died(place)
        if kind == "begun":
            self._proven = one.begun = True
            return None
        if kind in ("done", "error"):
            one.busy = False
        if kind == "error":  # what is left behind it is not to be trusted
            self._end(self._places.pop(place))
        return place, kind, value

    def _died(self, place: int) -> str:
        one = self._places.pop(place)
        self._end(one)
        if not one.begun and not self._proven:
            raise UsageError(
                "a worker ended before it began, with what is said above; a program that calls edit_many does so below "
                'if __name__ == "__main__":, since its workers read it too'
            )
        code = one.process.exitcode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"

    def close(self) -> None:
        for one in self._places.values():
            one.line.close()  # one that has nothing to do ends
            if one.busy:
                one.process.terminate()
        for one in self._places.values():
            self._end(one)
        self._places.clear()

    def _end(self, one: _Place) -> None:
        one.line.close()
        one.process.join(PATIENCE)
        if one.process.is_alive():
            one.process.kill()
            one.process.join()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _work(line: Connection[Any, Any]) -> None:
    """The life of a worker. What it does its jobs by comes behind the first words: importing that takes a while, in
    which it may have to end already."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; who asked for the work ends it
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' words to developers, in the midst of what the parent shows
    with suppress(KeyboardInterrupt, EOFError, OSError):
        line.send(("begun", None))
        runner = line.recv()()
        while True:
            job = line.recv()
            try:
                line.send(("done", runner.run(job, lambda told: line.send(("progress", told)))))
            except Exception as error:
                line.send(("error", f"unexpected {type(error).__name__}: {error}".strip().partition("\n")[0]))
                return


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    """Nobody is there any more to take what a job gives; what was complete of it is kept."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
