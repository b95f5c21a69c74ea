"""Many jobs, by several workers: none is lost to a worker that dies, and none stops the others.

summary = edit_many([Job(source=Path("a.mp4"), output=Path("older/a.mp4"), edits=("age=+2",))], workers=2)
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from vidinv.bounds import checked
from vidinv.cluster import Cluster
from vidinv.errors import DAMAGED_INPUT_EXIT_CODE, SOME_FAILED_EXIT_CODE
from vidinv.job import Job, anchored, check_together
from vidinv.processes import Crew, Kind, Processes
from vidinv.types import Progress
from vidinv.worker import JobResult, Worker, failed

TRIES = 3  # workers that one job may take with it


@dataclass(frozen=True)
class JobProgress:
    """How far one job is."""

    number: int
    """Of the job, from 0."""

    progress: Progress


@dataclass(frozen=True)
class Summary:
    """What became of all jobs."""

    results: tuple[JobResult, ...]
    """In the order of the jobs."""

    seconds: float
    """From the first to the last."""

    workers: int

    @property
    def exit_code(self) -> int:
        """0: all are done; 11: some failed; 10: none did, and some inputs are damaged, now or when they were done."""
        if self.count("failed"):
            return SOME_FAILED_EXIT_CODE
        damaged = any(result.exit_code == DAMAGED_INPUT_EXIT_CODE for result in self.results)
        return DAMAGED_INPUT_EXIT_CODE if damaged else 0

    @property
    def frames(self) -> int:
        """That were edited now."""
        return sum(result.frames for result in self.results)

    def count(self, status: str) -> int:
        """Jobs that ended so."""
        return sum(result.status == status for result in self.results)


def edit_many(
    jobs: Iterable[Job],
    *,
    workers: int = 1,
    threads: int | None = None,
    ray: str | None = None,
    overwrite: bool = False,
    progress: Callable[[JobProgress], None] = lambda progress: None,
    finished: Callable[[int, JobResult], None] = lambda number, result: None,
    notify: Callable[[str], None] = lambda message: None,
) -> Summary:
    """Do jobs, each as ``vidinv run`` would, in processes of their own; what an earlier call completed is skipped.

    A job whose worker dies is taken by another, up to twice, and goes on where it was. A job that fails is told of in
    the summary. A program that calls this does so below ``if __name__ == "__main__":``, since workers read it too.

    :param workers: processes that work at a time, each with a pack's networks of its own.
    :param threads: of each worker; None: its share of what PyTorch would take here. Networks compute other last bits
        on another number of threads: with the same one a job's output is byte for byte that of a run alone.
    :param ray: "local", or the address of a Ray cluster, whose nodes do the jobs; they see the files by the same names.
    :param overwrite: replace outputs that are not known to be of the same job, and of the same version.
    :param progress: is told after every written frame. :param finished: is told each job's number, from 0, and result.
    :param notify: is told what concerns no job alone: that a worker died.
    :raises UsageError: a number of workers that is none, or two jobs that would write one file.
    :raises MissingExtra: ``ray`` without the package.
    """
    listed = tuple(anchored(job, Path.cwd()) for job in jobs)
    checked("workers", workers)
    if threads is not None:
        checked("threads", threads)
    check_together(listed)
    size = max(1, min(workers, len(listed)))
    # Not of the workers that have something to do: a second call with less to do must not change the bits.
    each = threads or max(1, torch.get_num_threads() // workers)
    make = partial(Worker, each, overwrite)
    begun, results = time.perf_counter(), dict[int, JobResult]()
    crew: Crew = Processes(size, make) if ray is None else Cluster(ray, size, make, each)
    try:
        with closing(crew), closing(schedule(listed, crew, lambda job: job.settings)) as happening:
            for event in happening:
                if event.kind == "progress":
                    progress(JobProgress(event.number, event.value))
                    continue
                job = listed[event.number]
                if event.again:
                    notify(f"{job.source}: its worker died ({event.value}); another goes on with it")
                    continue
                results[event.number] = _result(job, event)
                finished(event.number, results[event.number])
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{len(results)} of {len(listed)} videos are over, and what is complete of the others is kept; the same "
            "command goes on"
        ) from None
    return Summary(tuple(results[i] for i in range(len(listed))), time.perf_counter() - begun, size)


@dataclass(frozen=True)
class Happened:
    """Something that a worker says, or that is said of it."""

    number: int  # of the job
    kind: Kind
    value: Any
    tries: int  # workers that took the job, this one among them
    again: bool = False  # another will


def schedule(
    jobs: Sequence[Any], crew: Crew, like: Callable[[Any], Any] = lambda job: None
) -> Generator[Happened, None, None]:
    """Give every job to a worker until it is done, has failed, or has taken ``TRIES`` workers with it.

    Jobs wait in their order; one whose worker died waits behind the others, for it may take the next worker along too.

    :param like: what is the same for jobs that one worker had better do one after the other.
    """
    waiting = deque((number, 1) for number in range(len(jobs)))
    free, busy, last = deque(range(crew.size)), dict[int, tuple[int, int]](), dict[int, Any]()
    while waiting or busy:
        while waiting and free:
            place = free.popleft()
            alike = (one for one in waiting if place in last and like(jobs[one[0]]) == last[place])
            busy[place] = one = next(alike, waiting[0])
            waiting.remove(one)
            last[place] = like(jobs[one[0]])
            crew.start(place, jobs[one[0]])
        for place, kind, value in crew.wait():
            number, tries = busy[place]
            again = kind == "died" and tries < TRIES
            if kind != "progress":
                del busy[place]
                free.append(place)
            if kind in ("died", "error"):
                last.pop(place, None)
            if again:
                waiting.append((number, tries + 1))
            yield Happened(number, kind, value, tries, again)


def _result(job: Job, event: Happened) -> JobResult:
    if event.kind == "done":
        result: JobResult = replace(event.value, tries=event.tries)
        return result
    if event.kind == "died":
        why = (
            f"its worker died {event.tries} times, at last: {event.value}; with less memory than it needs, try fewer "
            "workers"
        )
        return failed(job, why, tries=event.tries)
    return failed(job, f"{event.value}; vidinv run -v of it alone tells more", tries=event.tries)
