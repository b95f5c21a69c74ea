"""Jobs that wait to be rendered, in a folder: whoever starts the page again goes on with them.

Each has a folder of its own with its video, its codes, job.toml and entry.json; what comes of it lies there too. One is
done at a time, by a worker of vidinv.batch, which keeps a journal: an interrupted job goes on where it was.
"""

from __future__ import annotations

import html
import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from vidinv.errors import UsageError, VidinvError
from vidinv.job import Job, read_project, write_jobs
from vidinv.report.files import series_of
from vidinv.types import Progress
from vidinv.video.output import part_path
from vidinv.worker import JobResult

MOST = 20  # entries of one browser
KEPT = 7 * 24 * 3600.0  # seconds for which results are kept that nobody removes
JOB, ENTRY, VIDEO = "job.toml", "entry.json", "video"
REPORTS = ("report.html", "report.json")
ROWS = str(series_of([Path(REPORTS[0])]))  # of a long video, which the reports name
State = Literal["waiting", "done", "failed", "cancelled"]
Tell = Callable[[Progress], None]
Render = Callable[[Job, Tell], JobResult]
"""Does a job. What ``tell`` raises ends it, and is raised."""


class Ended(Exception):
    """Somebody cancelled the job, or the page ends."""


@dataclass(frozen=True)
class Entry:
    """A job and how it stands."""

    number: str  # the name of its folder, in the order of coming
    owner: str  # the browser that it came from
    title: str
    state: State = "waiting"
    told: str = ""  # why it failed, or what to know of the result
    since: float = 0.0  # when it took this state, seconds since 1970


def render(job: Job, tell: Tell) -> JobResult:
    """In a process of its own, with as many threads as this one: the bits are then those of a look at a frame."""
    import torch

    from vidinv.batch import edit_many

    done = edit_many([job], threads=torch.get_num_threads(), progress=lambda at: tell(at.progress))
    return done.results[0]


class Queue:
    """Jobs in a folder, and the thread that does one after the other.

    :param folder: is made if it is not there. :param work: what does a job.
    """

    def __init__(self, folder: Path, work: Render = render) -> None:
        self.folder, self._work = folder, work
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock, self._wake, self._closing = threading.RLock(), threading.Event(), threading.Event()
        self._running: tuple[str, Progress] | None = None
        self._cancelled: set[str] = set()
        self._removed: set[str] = set()
        self._lost: set[str] = set()  # whose end could not be noted; not begun again while this page runs
        self._thread: threading.Thread | None = None
        self._sweep()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="vidinv-queue", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """What is worked on is left to go on with."""
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(30)

    def add(self, owner: str, job: Job, title: str) -> Entry:
        """A job at the end. Its video and its codes are linked, or copied, and so may go where they are.

        :raises UsageError: this browser has too many already. :raises OSError: no room.
        """
        with self._lock:
            if len(self.entries(owner)) >= MOST:
                raise UsageError(f"{MOST} jobs are in the queue; remove some first")
            entry = Entry(f"{time.time_ns():020d}-{secrets.token_hex(8)}", owner, title, since=time.time())
            hidden = self.folder / f".{entry.number}"
            try:
                hidden.mkdir(mode=0o700)
                home = self.folder / entry.number
                (hidden / VIDEO).mkdir()
                source = _linked(job.source, hidden / VIDEO / job.source.name)
                codes = None if job.codes is None else _linked(job.codes, hidden / "codes")
                output = home / job.output.name
                placed = replace(
                    job,
                    source=home / VIDEO / source.name,
                    codes=None if codes is None else home / codes.name,
                    output=output,
                    reports=tuple(home / name for name in REPORTS),
                )
                write_jobs(hidden / JOB, [placed])
                _write(hidden, entry)
                hidden.rename(home)
            finally:
                shutil.rmtree(hidden, ignore_errors=True)
        self._wake.set()
        return entry

    def entries(self, owner: str) -> list[Entry]:
        """Of one browser, in the order of coming."""
        return [one for one in self._all() if one.owner == owner]

    def progress(self, entry: Entry) -> Progress | None:
        """How far it is; None: it is not worked on."""
        running = self._running
        return running[1] if running is not None and running[0] == entry.number else None

    def files(self, entry: Entry) -> dict[str, Path]:
        """What came of a job that is done: "video", its reports by their names, and the rows of a long one."""
        home = self.folder / entry.number
        paths = {"video": read_project(home / JOB).output, **{name: home / name for name in (*REPORTS, ROWS)}}
        return {name: path for name, path in paths.items() if path.is_file()}

    def cancel(self, owner: str, number: str) -> None:
        """A job of this browser that waits, or is worked on."""
        with self._lock:
            for one in self.entries(owner):
                if one.number == number and one.state == "waiting":
                    self._cancelled.add(number)
                    if self.progress(one) is None:
                        self._ended(one, "cancelled", "")

    def remove(self, owner: str, number: str) -> None:
        """A job of this browser and all that came of it; one that is worked on is cancelled, and goes when it ends."""
        with self._lock:
            self.cancel(owner, number)
            for one in self.entries(owner):
                if one.number == number and self.progress(one) is None:
                    shutil.rmtree(self.folder / number, ignore_errors=True)
                elif one.number == number:
                    self._removed.add(number)

    def _sweep(self) -> None:
        """What nobody removed for long goes."""
        for one in self._all():
            if one.state != "waiting" and time.time() - one.since > KEPT:
                shutil.rmtree(self.folder / one.number, ignore_errors=True)

    def _all(self) -> list[Entry]:
        found = []
        for path in sorted(self.folder.glob(f"[0-9]*/{ENTRY}")):
            with suppress(OSError, ValueError, TypeError):
                found.append(Entry(**json.loads(path.read_text(encoding="utf-8"))))
        return [one for one in found if (self.folder / one.number).parent == self.folder]

    def _run(self) -> None:
        while not self._closing.is_set():
            with self._lock:
                self._sweep()
                entry = next(
                    (one for one in self._all() if one.state == "waiting" and one.number not in self._lost), None
                )
                if entry is not None:
                    self._running = entry.number, Progress(0, None, 0)
            if entry is None:
                self._wake.wait(5)
                self._wake.clear()
                continue
            self._do(entry)

    def _do(self, entry: Entry) -> None:
        def tell(progress: Progress) -> None:
            self._running = entry.number, progress
            if self._closing.is_set() or entry.number in self._cancelled:
                raise Ended

        state, told = "failed", ""
        try:
            result = self._work(read_project(self.folder / entry.number / JOB), tell)
            state = "failed" if result.status == "failed" else "done"
            told = result.error or "; ".join(result.warnings)
        except Ended:
            state = "cancelled" if entry.number in self._cancelled else "waiting"
        except (VidinvError, OSError) as error:
            told = str(error)
        except Exception as error:  # the jobs behind it are done whatever it was
            told = f"{type(error).__name__}: {error}"
        with self._lock:
            self._running = None
            if entry.number in self._removed:
                shutil.rmtree(self.folder / entry.number, ignore_errors=True)
            elif state != "waiting":
                self._ended(entry, state, told)  # type: ignore[arg-type]
            self._cancelled.discard(entry.number)
            self._removed.discard(entry.number)

    def _ended(self, entry: Entry, state: State, told: str) -> None:
        """Its video, its codes and what is half written go; what came of it stays."""
        home = self.folder / entry.number
        if not home.is_dir():
            return
        try:
            keep = {ENTRY, JOB}
            if state == "done":
                keep |= {*REPORTS, ROWS, read_project(home / JOB).output.name}
                with suppress(OSError, ValueError):  # on a full disk they stay as they are
                    for name in REPORTS:
                        _nameless(home, name)
            _write(home, replace(entry, state=state, told=_within(home, told), since=time.time()))
            for path in home.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                elif path.name not in keep:
                    path.unlink(missing_ok=True)
        except Exception:  # a full disk, or a job.toml that somebody changed
            self._lost.add(entry.number)


def _write(home: Path, entry: Entry) -> None:
    path = home / ENTRY
    part = part_path(path)
    part.write_text(json.dumps(asdict(entry)), encoding="utf-8")
    os.replace(part, path)


def _nameless(home: Path, name: str) -> None:
    """Reports are taken home, where nobody knows the folders of this machine."""
    path = home / name
    if path.is_file():
        part = part_path(path)
        part.write_text(_within(home, path.read_text(encoding="utf-8")), encoding="utf-8")
        os.replace(part, path)


def _within(home: Path, text: str) -> str:
    """A text with the files of a job named from its folder."""
    for folder in (home / VIDEO, home):
        prefix = f"{folder}{os.sep}"
        page = html.escape(prefix, quote=False).replace("'", "&#39;").replace('"', "&#34;")  # as Jinja does
        for written in (prefix, json.dumps(prefix)[1:-1], page):
            text = text.replace(written, "")
    return text


def _linked(path: Path, to: Path) -> Path:
    if path.is_dir():
        shutil.copytree(path, to, copy_function=_link)
    else:
        _link(path, to)
    return to


def _link(path: str | Path, to: str | Path) -> None:
    try:
        os.link(path, to)
    except OSError:  # another file system
        shutil.copy2(path, to)
