"""What a run leaves behind while it works, so that one which was killed goes on as if it had not been.

A hidden folder beside the output holds the parts of the video that are complete, the rows of the report that belong to
them, and the states of all stages behind the last of them. At the end it is gone. A run keeps its journal by itself,
so one that goes on and one that was never interrupted give the same bytes.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import torch
from filelock import FileLock, Timeout

import vidinv
from vidinv.errors import (
    InputError,
    NoFaceFound,
    OutOfResources,
    OutputError,
    OutputExists,
    OutputUnwritable,
    UsageError,
    VidinvError,
)
from vidinv.packs.digest import sha256
from vidinv.regular import read_text
from vidinv.report.rows import Beginning, Rows, beginning
from vidinv.runtime.closing import close
from vidinv.runtime.fingerprint import fingerprint
from vidinv.runtime.saved import mapped, read_states, write_states
from vidinv.runtime.steps import Snapshot
from vidinv.shortage import shortage
from vidinv.stages.pair_frames import bare, dressed, without_picture
from vidinv.types import Faces, Frame
from vidinv.video import Reader
from vidinv.video.container import LIBRARIES
from vidinv.video.joining import PUBLISHED
from vidinv.video.leftovers import REPORTED, check_own, foreign, is_hole, is_own, remove
from vidinv.video.output import although, is_noted, sync, work_folder, write_error

FORMAT = "vidinv journal 1"
NOTES = "journal.json"
ROWS = "rows.jsonl"
LOOKS = 20  # at a folder that another run is about to remove
STATES = 200 * 2**20  # bytes of two saved states, roughly
T = TypeVar("T")


@dataclass(frozen=True)
class Checkpoint:
    """Where a run can go on."""

    segments: int = 0  # that are complete
    frames: int = 0  # of the source, that have been read
    seconds: float = 0.0  # of the output, that are complete
    first: int = 0  # index of the first frame that still waits in a stage; those from it on are read again
    faces: int = 0  # in the complete frames
    rows: int = 0  # of the report
    elapsed: float = 0.0  # seconds that all runs up to here took
    spent: Mapping[str, tuple[float, int]] | None = None  # and each stage of them, with its items
    files: Mapping[str, tuple[int, str]] | None = None  # size and sha256 of all that are needed, by their names


class Journal:
    """The folder of one run: locked while it works, kept where it is interrupted, removed where it ends.

    :param about: what the run is, by the names that people have for it; a run of anything else does not go on from it.
        Empty: it cannot be told from another (:func:`described`), so it keeps nothing.
    :param source: by whose size it is told whether there is room: see :attr:`messages`.
    :param resume: there has to be a run to go on from. Otherwise one that is there is gone on from if it is the same.
    :param overwrite: remove what another run had completed.
    :raises OutputUnwritable: another run writes to this output. :raises UsageError: ``resume``, and there is nothing to
        go on from, or it was another run, which the message names; or another run had completed something.
    :raises OutputExists: the output is there, and it is of another run.
    """

    def __init__(
        self, dst: Path, about: Mapping[str, str], source: Path, resume: bool = False, overwrite: bool = False
    ) -> None:
        self._dst, self._about = dst, dict(about)
        self.folder = work_folder(dst)
        self.messages: list[str] = []  # for people
        self._rows: Beginning | None = None  # those that a run before has written
        self._lock, anew = self._locked(), False
        try:
            self.at = self._coming = self._found(resume, overwrite)
            anew = not self.at.segments and not published(dst)
            self.messages += [f"{path} is none of a run's files; it stays there" for path in foreign(self.folder)]
            self.rows = Rows(self.folder / ROWS, dst, self._rows if self.at.segments else None, self.at.rows)
            self._note(self.at)
            self._warn_of_room(source)
        except BaseException as error:
            if anew or not (self.folder / NOTES).exists():
                remove(self.folder)
            self._lock.release()
            raise write_error(error, dst) if isinstance(error, OSError) else error from error
        self.resumed = self.at.segments > 0
        self._saved = self.folder / _states(self.at.segments)
        if self.resumed:
            self.messages.append(f"going on after {self.at.seconds:.1f} s, which an interrupted run had completed")

    def _warn_of_room(self, source: Path) -> None:
        """The parts and, while they are joined, the output, each about as large as the source; and the states."""
        free, wanted = shutil.disk_usage(self.folder).free, 2 * source.stat().st_size + STATES
        if free < wanted:
            room = f"{free / 2**20:.0f} MiB are free beside {self._dst.name}, and it may take {wanted / 2**20:.0f}"
            self.messages.append(f"{room} until it is complete; what does not fit is kept to go on from (--resume)")

    def _locked(self) -> FileLock:
        """The lock ends with the process that holds it, however that ends."""
        busy = f"another run writes to {self._dst} at this moment; wait for it, or choose another name"
        for _ in range(LOOKS):
            try:
                check_own(self.folder)
                self.folder.mkdir(exist_ok=True)
                lock = FileLock(self.folder / "lock", timeout=0)
                lock.acquire()
                return lock
            except Timeout:
                break
            except (FileExistsError, FileNotFoundError):
                if not self._dst.parent.is_dir():
                    break
                time.sleep(0.05)  # another run ends, and removes its folder
            except OSError as error:
                raise write_error(error, self._dst) from error
        raise OutputUnwritable(busy)

    def _found(self, resume: bool, overwrite: bool) -> Checkpoint:
        """Where to go on; of files that belong to nothing complete the folder is cleared."""
        why, at, theirs = "", Checkpoint(), False
        try:
            at, about = self._read()
            theirs = about is not None and about != self._about
            why = _difference(about or {}, self._about) if theirs else ""
        except InputError as error:
            why = str(error)
        if not self._about:
            why = "an edit that is an object of a program's own cannot be told from another"
        if resume and (why or not at.segments):
            raise UsageError(
                f"no run to {self._dst} can be resumed: {why or 'none was interrupted after its first segment'}. "
                "Run without --resume to begin anew"
            )
        if theirs and at.segments and not overwrite:
            raise UsageError(
                f"{at.seconds:.1f} s of {self._dst} are complete, left by an interrupted run, and {why}; go on with "
                "that one, choose another name, or throw them away (--overwrite)"
            )
        if why and not overwrite and self._dst.exists():
            raise OutputExists(f"{self._dst} exists; choose another name, or overwrite it (--overwrite)")
        if why and (at.segments or not theirs) and self._about:
            self.messages.append(f"what an interrupted run to {self._dst.name} had left was removed: {why}")
        if why:
            at = Checkpoint()
        self._clear(set(at.files or ()) | (set() if why else {PUBLISHED, REPORTED}))
        return at

    def _read(self) -> tuple[Checkpoint, dict[str, str] | None]:
        path = self.folder / NOTES
        if not path.exists():
            return Checkpoint(), None
        try:
            told = json.loads(read_text(path))
            if told["format"] != FORMAT:
                raise InputError(f"it has the format {told['format']}")
            files = {str(name): (int(size), str(digest)) for name, (size, digest) in (told["files"] or {}).items()}
            numbers = {f.name: _number(told[f.name], f.type) for f in fields(Checkpoint) if f.type in ("int", "float")}
            spent = {
                str(name): (float(seconds), int(items)) for name, (seconds, items) in (told["spent"] or {}).items()
            }
            at = Checkpoint(**numbers, spent=spent, files=files)
            if at.first > at.frames:
                raise ValueError(f"frame {at.first} waits, of {at.frames} that were read")
            about = {str(name): str(value) for name, value in told["about"].items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{path} cannot be read ({error})") from None
        for name, (size, digest) in files.items():
            file = self.folder / name
            read = None if Path(name).name != name or not file.is_file() or is_hole(file) else beginning(file, size)
            if read is None or read.digest.hexdigest() != digest:
                raise InputError(f"{file} is not what was written")
            self._rows = read if name == ROWS else self._rows
        return at, about

    def _clear(self, keep: set[str]) -> None:
        for path in self.folder.iterdir():
            if path.name not in keep | {"lock", NOTES} and is_own(path):
                path.unlink()

    def states(
        self, device: str, reader: Reader, looking: Collection[str] | None = None
    ) -> tuple[dict[str, Any], Iterator[Frame]]:
        """The states of the stages to go on from, and the frames that come next.

        :param device: where tensors go. :param reader: of the source, at its start.
        :param looking: stages whose waiting frames have their pictures; None: all.
        """
        if not self.resumed:
            return {}, reader.frames(compact=True)
        path = self._saved
        states = read_states(path, device)
        if not {"decode", "encode"} <= states.keys() or states["decode"] != self.at.frames:
            raise InputError(f"{path} is not of frame {self.at.frames}, as {NOTES} says; remove {self.folder}")
        frames = reader.frames(self.at.first, compact=True)
        waiting: list[int] = []
        for state in (state for name, state in states.items() if looking is None or name in looking):
            mapped(state, (Faces, Frame), lambda item: bare(item, waiting))
        shown, behind = set(waiting), islice(frames, self.at.frames - self.at.first)
        held = {frame.index: frame if frame.index in shown else without_picture(frame) for frame in behind}
        return mapped(states, (Faces, Frame), lambda item: dressed(item, held)), frames

    @contextmanager
    def believed(self) -> Iterator[None]:
        """Around what is made of the saved states, which may hold anything under their right sha256.

        :raises InputError: something that nobody expected happened, and there are such states.
        """
        try:
            yield
        except (VidinvError, OSError):
            raise
        except Exception as error:
            if not self.resumed or shortage(error) is not None:
                raise
            told = f"{type(error).__name__}: {error}".partition("\n")[0]
            failed = InputError(
                f"a run cannot go on from {self._saved} ({told:.200}): somebody changed that, or it is a fault of this "
                f"program, which -v shows; if the same command says so again, remove {self.folder} and begin anew"
            )
            failed.unforeseen = True
            raise failed from error

    def going_on(self, stream: Iterator[T]) -> Generator[T, None, None]:
        """The stream, as :meth:`believed`; an error of whoever takes the items stays what it is."""
        try:
            with self.believed():
                yield from stream
        finally:
            close(stream)

    def commit(self, snapshot: Snapshot, faces: int, seconds: float, elapsed: float) -> None:
        """A segment is complete: its part of the video is written, and so are the rows of its faces.

        :param faces: in all frames so far. :param seconds: of the output so far. :param elapsed: seconds that it took.
        :raises OutputError: it cannot be written; then what was complete before still is.
        """
        waiting: list[int] = []
        states = mapped(dict(snapshot.states), (Faces, Frame), lambda item: bare(item, waiting))
        number, frames = self.at.segments + 1, int(states["decode"])
        old = self.at.files or {}
        try:
            write_states(self.folder / _states(number), states)
            names = {part.file for part in states["encode"].parts} | {_states(number)}
            kept = {name: told for name, told in old.items() if name != _states(number - 1)}
            for name in names - kept.keys():
                path = self.folder / name
                kept[name] = (path.stat().st_size, sha256(path))
                sync(path)
            kept[ROWS] = self.rows.written()
            sync(self.rows.path)
            first = min(waiting, default=frames)
            at = Checkpoint(number, frames, seconds, first, faces, len(self.rows), elapsed, snapshot.spent, kept)
            self._coming = at
            self._note(at)
        except OSError as error:
            raise write_error(error, self._dst) from error
        self.at = at
        (self.folder / _states(number - 1)).unlink(missing_ok=True)

    def _note(self, at: Checkpoint) -> None:
        new = self.folder / f"{NOTES}.new"
        new.write_text(json.dumps({"format": FORMAT, "about": self._about, **asdict(at)}), encoding="utf-8")
        sync(new)
        os.replace(new, self.folder / NOTES)
        sync(self.folder)

    def _catch_up(self) -> None:
        """An interrupt may have come when a segment was noted already, and nothing here knew of it yet."""
        with suppress(OSError, ValueError, LookupError, TypeError):
            if json.loads(read_text(self.folder / NOTES))["segments"] == self._coming.segments:
                self.at = self._coming

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        """Kept is what a second try can use."""
        self.rows.close()
        self._catch_up()
        complete = published(self._dst)
        again = bool(self._about) and (self.at.segments > 0 or complete)
        keep = kind is not None and again and _may_go_better(kind)
        if keep:
            with suppress(OSError):
                self._clear(set(self.at.files or ()) | {PUBLISHED, REPORTED})
        else:
            remove(self.folder)
        self._lock.release()
        if kind is None or not (keep or complete):
            return
        how = f"{self.at.seconds:.1f} s of it are complete and kept; the same command goes on from there (--resume)"
        if complete:
            how = f"{self._dst} is complete, and its report is not{'; the same command makes that' if keep else ''}"
        if isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(how) from None
        short = shortage(error) if isinstance(error, Exception) and not isinstance(error, OutputError) else None
        if short is not None:
            raise OutOfResources(f"{short}. {how}") from error
        if isinstance(error, OutputError):
            raise although(error, how) from error


def _number(value: Any, kind: object) -> Any:
    """A count, or seconds. :raises ValueError: it is none."""
    if isinstance(value, bool) or not isinstance(value, int if kind == "int" else int | float) or not 0 <= value < 1e15:
        raise ValueError(f"{value!r:.40} is no number")
    return value


def published(dst: Path) -> bool:
    """Is the file there the one that a run has written which was interrupted behind that, before its report?"""
    return is_noted(dst, work_folder(dst) / PUBLISHED)


def _may_go_better(kind: type[BaseException]) -> bool:
    """Whether the same run could end otherwise: not where what was asked for is at fault."""
    return not issubclass(kind, NoFaceFound | UsageError)


def described(**about: Any) -> dict[str, str]:
    """What tells a run from another, as texts; none if something in it cannot be told apart from its like."""
    told = {"version": " ".join((f"vidinv {vidinv.__version__}", f"torch {torch.__version__}", LIBRARIES))}
    try:
        return told | {name.replace("_", " "): fingerprint(value) for name, value in about.items()}
    except TypeError:
        return {}


def marked(frames: Iterable[Frame], every: int, first: int) -> Iterator[Frame]:
    """Frames, and behind each ``every`` of them a snapshot, which only stages know.

    :param first: index of the first frame.
    """
    try:
        for count, frame in enumerate(frames, first + 1):
            yield frame
            if count % every == 0:
                yield cast(Frame, Snapshot({"decode": count}))
    finally:
        close(frames)


def _difference(theirs: Mapping[str, str], mine: Mapping[str, str]) -> str:
    names = [name for name in mine if theirs.get(name) != mine[name]]
    return f"it was a run with another {' and '.join(names)}"


def _states(number: int) -> str:
    return f"states-{number:05d}.safetensors"
