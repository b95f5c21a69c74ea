"""All videos: resumable, in several processes, and no broken file stops it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.output import write_atomically
from benchmarks.ravdess.dataset import Clip
from benchmarks.ravdess.measure import Bench, Settings
from vidinv.errors import VidinvError
from vidinv.types import known

Row = dict[str, Any]
_bench: Bench | None = None  # of this worker process; a process pool hands its workers nothing else to keep things in


def fingerprint(settings: Settings, pack_hash: str) -> str:
    """Tells results apart that came of different settings, packs or LPIPS weights."""
    trunk = hashlib.sha256(Path(settings.lpips).read_bytes()).hexdigest() if settings.lpips else None
    told = asdict(settings) | {"pack": pack_hash, "lpips": trunk}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def result_path(folder: Path, clip: Clip) -> Path:
    """Two clips of one name in different folders do not meet."""
    where = hashlib.sha256(str(clip.path.parent.resolve()).encode()).hexdigest()[:8]
    return folder / "videos" / f"{clip.name}.{where}.json"


def read_result(path: Path, mark: str) -> Row | None:
    """What an earlier run left, if it was made under the same settings."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return row if row.get("fingerprint") == mark else None


def run_all(
    clips: list[Clip],
    folder: Path,
    settings: Settings,
    mark: str,
    *,
    workers: int,
    threads: int,
    done: Callable[[Clip, Row], None] = lambda clip, row: None,
) -> list[Row]:
    """A row per clip, in the order of ``clips``; a clip that cannot be measured has "error" instead of figures.

    Rows that lie in ``folder`` are taken from there. Errors are not kept: a second run tries those again.
    """
    rows: dict[Clip, Row] = {}
    for clip in clips:
        if (row := read_result(result_path(folder, clip), mark)) is not None:
            rows[clip] = row
            done(clip, row)
    todo = [c for c in clips if c not in rows]
    for clip, row in _measured(todo, settings, workers, threads):
        row = {"video": clip.path.name, "actor": clip.actor, "emotion": clip.emotion, "fingerprint": mark} | row
        if "error" not in row:
            write_atomically(result_path(folder, clip), row)
        rows[clip] = row
        done(clip, row)
    return [rows[c] for c in clips]


def _measured(clips: list[Clip], settings: Settings, workers: int, threads: int) -> Iterator[tuple[Clip, Row]]:
    """As they are finished."""
    if not clips:
        return
    workers = min(workers, len(clips))
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start, initargs=(settings, threads))
    try:
        jobs = {pool.submit(_measure, str(c.path)): c for c in clips}
        for job in as_completed(jobs):
            try:
                yield jobs[job], job.result()
            except BrokenProcessPool:
                yield jobs[job], {"error": "a worker process died (out of memory?); run again, with fewer --workers"}
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start(settings: Settings, threads: int) -> None:
    global _bench
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    _bench = Bench.of(settings)


def _measure(video: str) -> Row:
    try:
        return known(_bench).measure(Path(video))
    except VidinvError as error:
        # Published, and where somebody keeps their clips is nobody's business.
        return {"error": f"{type(error).__name__}: {error}".replace(video, Path(video).name)}
    except Exception as error:  # one file out of a thousand must not cost the others
        return {"error": f"unexpected {type(error).__name__}: {error}"}
