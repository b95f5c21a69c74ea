"""One worker and two on videos, and up to eight on jobs that only last: speed-up, overhead, and a worker killed.

    python -m benchmarks.scaling [--clip assets/sample.mp4] [--frames 20] [--videos 4] [--publish | --out FILE.json]

Editing shares the machine's cores among the workers, so that it tells what this machine gains; jobs that only sleep
tell what the same scheduler costs where every worker has a machine of its own. Overhead of those is the time from when
the first of them begins to when the last ends, over the sum of their lengths through the number of workers, less one.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import torch

from benchmarks.output import ROOT, add_output, conclude, destination, tell
from benchmarks.scaling.standin import Sleep, Sleeper
from benchmarks.speed.__main__ import first_frames
from vidinv import VideoEditor
from vidinv.batch import JobProgress, edit_many, schedule
from vidinv.job import Job
from vidinv.processes import Processes
from vidinv.stages.encode import EncodeOptions

EDIT, PRESET = "age=+2", "ultrafast"
SLEEP, SLEEPS = 1.0, 32  # seconds, jobs


def editing(clip: Path, frames: int, videos: int, threads: int, pack: str | None, folder: Path) -> dict[str, Any]:
    """Copies of the first frames, by one worker and by two; and the first of them alone, in this process."""
    short, rows, outputs = first_frames(clip, frames, folder), list[dict[str, Any]](), list[Path]()
    for workers in (1, 2):
        out = folder / f"out-{workers}"
        out.mkdir()
        sources = [Path(shutil.copy(short, folder / f"{workers}-{i}.mp4")) for i in range(videos)]
        jobs = [
            Job(source=s, output=out / f"{i}.mp4", edits=(EDIT,), pack=pack, preset=PRESET)
            for i, s in enumerate(sources)
        ]
        begun, first = time.perf_counter(), list[float]()

        def heard(told: JobProgress, first: list[float] = first, begun: float = begun) -> None:
            if not first:
                first.append(time.perf_counter() - begun)

        done = edit_many(jobs, workers=workers, threads=threads, progress=heard)
        if bad := [result.error for result in done.results if result.error]:
            raise SystemExit(f"a job failed: {bad[0]}")
        outputs += [job.output for job in jobs]
        rows.append(
            {"jobs": f"{videos} videos of {frames} frames, edited", "workers": workers, "seconds": done.seconds}
        )
        rows[-1] |= {"start": first[0], "overhead": None, "speed_up": rows[0]["seconds"] / done.seconds}
        rows[-1]["frames_per_second"] = done.frames / done.seconds
    torch.set_num_threads(threads)
    alone = folder / "alone.mp4"
    VideoEditor(pack).edit_video(short, alone, EDIT, output=EncodeOptions(preset=PRESET))
    same = sum(output.read_bytes() == alone.read_bytes() for output in outputs)
    return {"editing": rows, "same": same, "compared": len(outputs)}


def standing_in(repeats: int) -> list[dict[str, Any]]:
    """The same scheduler and processes, with jobs that sleep; of each row the quickest of some runs, for what others do
    on the machine only adds."""
    rows: list[dict[str, Any]] = []
    for workers in (1, 2, 4, 8):
        seconds, start = min(asleep(workers) for _ in range(repeats))
        rows.append({"jobs": f"{SLEEPS} of {SLEEP:g} s each, asleep", "workers": workers, "seconds": seconds})
        rows[-1] |= {"start": start, "overhead": seconds * workers / (SLEEP * SLEEPS) - 1}
        rows[-1]["speed_up"] = rows[0]["seconds"] / seconds
    return rows


def asleep(workers: int) -> tuple[float, float]:
    """Seconds from when the first job begins to when the last ends, and those before."""
    begun, start, end = time.perf_counter(), 0.0, 0.0
    with closing(Processes(workers, Sleeper)) as crew:
        for _ in schedule([Sleep(SLEEP)] * SLEEPS, crew):
            end = time.perf_counter() - begun
            start = start or end
    return end - start, start


def killed(folder: Path) -> dict[str, int]:
    """One of several jobs takes its worker along."""
    jobs = [Sleep(SLEEP, folder / "killed" if i == 1 else None) for i in range(6)]
    with closing(Processes(2, Sleeper)) as crew:
        found = [event for event in schedule(jobs, crew) if event.kind == "done"]
    return {"jobs": len(jobs), "done": len(found), "tries": max(event.tries for event in found)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, default=ROOT / "assets" / "sample.mp4")
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--videos", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1, help="of each worker")
    parser.add_argument("--repeats", type=int, default=2, help="of the jobs that sleep")
    parser.add_argument("--pack")
    add_output(parser)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result = {
            "machine": f"{platform.machine()}, {cores} cores, torch {torch.__version__}, {options.threads} thread each",
            "load": os.getloadavg()[0],  # of others too: they take cores from the editing, and none from the sleep
            "repeats": options.repeats,
            "standing_in": standing_in(options.repeats),
            "killed": killed(folder),
            **editing(options.clip, options.frames, options.videos, options.threads, options.pack, folder),
        }
    tell(result, destination(options, "scaling.json"))


if __name__ == "__main__":
    conclude(main)
