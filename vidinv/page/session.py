"""What one browser's page holds: its video, what was found in it, and what is asked for. Nothing is shared."""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import monotonic

from vidinv.api import VideoEditor
from vidinv.edits.parse import read_requests
from vidinv.edits.revise import Requests, Who
from vidinv.errors import UsageError
from vidinv.job import Job
from vidinv.page.project import Project
from vidinv.scrub import Look, Scrub, Seen
from vidinv.types import Composite, Progress, known
from vidinv.video.output import written_suffix

UPLOADS = "vidinv-uploads"
MARKER = ".vidinv-uploads"  # a folder without it is somebody else's, and is not emptied
SESSIONS = 8  # browsers whose videos are held; the one that was idle for longest goes first


class Engine:
    """The networks of the page: one set answers at once, another does what takes longer. Each serves one at a time."""

    def __init__(self, make: Callable[[], VideoEditor]) -> None:
        self.quick, self.slow = make(), make()
        self.quick_lock, self.slow_lock = threading.Lock(), threading.Lock()


@dataclass
class Video:
    """A video that was dropped, with its codes."""

    name: str  # as its owner calls it
    path: Path
    codes: Path
    quick: Scrub
    slow: Scrub
    people: list[Seen]


@dataclass
class Session:
    """One browser's page."""

    folder: Path
    video: Video | None = None
    who: Who = None
    requests: Requests = ()
    time: float = 0.0
    hold: tuple[str, ...] = ()
    composite: Composite = "detail"
    project: Project | None = None  # that it goes on with
    before: tuple[int, str] | None = None  # the untouched frame that is shown, by index, and its file
    openings: int = 0  # counts videos that were dropped: an earlier one does not replace a later one
    turn: int = 0  # counts what is asked for: an answer to an earlier question is not shown
    used: float = field(default_factory=monotonic)
    ended: bool = False

    def next_turn(self) -> int:
        self.turn += 1
        self.used = monotonic()
        return self.turn

    def loaded(self) -> Video:
        """:raises UsageError: there is no video yet."""
        if self.video is None:
            raise UsageError("there is no video here; drop one (after a long rest it is removed)")
        return self.video

    @property
    def complete(self) -> bool:
        """Is all that is asked for in the picture?"""
        return self.project is None or not self.project.elsewhere

    def job_here(self, pack: str | None) -> Job:
        """What is asked for, to be rendered by the page itself.

        :raises UsageError: no video, or more than the page renders. :raises MalformedEdit: no edit.
        """
        video = self.loaded()
        if not self.complete:
            raise UsageError(
                f"the project has what this page does not render: {', '.join(known(self.project).elsewhere)}; save it, "
                "put it beside its files, and render it with vidinv run"
            )
        job = self.job_saved(pack)
        return replace(job, source=video.path, output=Path(job.output.name), pack=pack)

    def job_saved(self, pack: str | None) -> Job:
        """The same for a file beside the video: where a project was opened, with all that it had.

        :raises UsageError: no video. :raises MalformedEdit: no edit.
        """
        video = self.loaded()
        if self.project is not None:
            return self.project.with_shown(self.requests, self.hold, self.composite)
        output = Path(f"{Path(video.name).stem}-edited{written_suffix(Path(video.name))}")
        edits = tuple(str(one) for one in self.requests)
        source = Path(video.name)
        return Job(source=source, output=output, edits=edits, hold=self.hold, composite=self.composite, pack=pack)

    def take(self, project: Project) -> None:
        """Go on with a project."""
        everyone = {one.persons for one in project.requests}
        self.project, self.requests = project, project.requests
        self.who = everyone.pop() if len(everyone) == 1 else None
        self.hold, self.composite = project.job.hold, project.job.composite  # type: ignore[assignment]
        self.next_turn()


def asked(text: str) -> Requests:
    """Edits that somebody writes on the page.

    :raises MalformedEdit: what is no edit. :raises UsageError: a file, of which the page reads none of this machine's.
    """
    if "=@" in text:
        raise UsageError("the page reads no files: write the key frames themselves, age=0@0s..+3@4s")
    return read_requests(text) if text.strip() else ()


class Sessions:
    """All of them, by what the browser's page is called. Each has a folder that nobody can guess, which goes with it.

    :param folder: is made, and emptied at the start and at the end if an earlier page made it.
    :raises UsageError: it is there, and no page made it.
    """

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder, self.engine = folder, engine
        self._of: dict[str, Session] = {}
        self._lock = threading.Lock()
        self.clear()
        if folder.is_symlink() or folder.exists():
            raise UsageError(f"{folder} is there, and no page made it; move it, or choose another --folder")
        folder.mkdir(parents=True, mode=0o700)
        (folder / MARKER).touch(mode=0o600)

    def of(self, name: str) -> Session:
        with self._lock:
            if name not in self._of:
                while len(self._of) >= SESSIONS:
                    self._drop(min(self._of, key=lambda one: self._of[one].used))
                folder = self.folder / secrets.token_hex(16)
                folder.mkdir(mode=0o700)
                self._of[name] = Session(folder)
            self._of[name].used = monotonic()
            return self._of[name]

    def end(self, name: str) -> None:
        with self._lock:
            if name in self._of:
                self._drop(name)

    def _drop(self, name: str) -> None:
        session = self._of.pop(name)
        session.ended = True
        session.next_turn()
        shutil.rmtree(session.folder, ignore_errors=True)

    def clear(self) -> None:
        with self._lock:
            for name in list(self._of):
                self._drop(name)
        if (self.folder / MARKER).is_file() and not self.folder.is_symlink():
            shutil.rmtree(self.folder, ignore_errors=True)

    def open(self, session: Session, upload: Path, tell: Callable[[Progress], None]) -> Video:
        """Take a video that was dropped: find who is in it, and keep the codes. The upload itself is moved. The video
        before stays until this one is ready.

        :raises VidinvError: it cannot be used.
        """
        session.openings += 1
        opening, engine = session.openings, self.engine
        home = session.folder / secrets.token_hex(4)
        (home / "video").mkdir(parents=True)
        path = Path(shutil.move(upload, home / "video" / upload.name))

        def going(progress: Progress) -> None:
            current()
            tell(progress)

        def current() -> None:
            if session.ended or session.openings != opening:
                raise UsageError("another video was dropped meanwhile")

        try:
            with engine.slow_lock:
                engine.slow.keep_codes(path, home / "codes", progress=going)
                slow = Scrub(engine.slow, path, home / "codes")
                people = slow.persons()
            quick = Scrub(engine.quick, path, home / "codes")
            with engine.slow_lock, engine.quick_lock:  # nobody looks at the video before
                current()
                session.next_turn()
                session.video = Video(upload.name, path, home / "codes", quick, slow, people)
                session.who, session.requests, session.time, session.before = None, (), 0.0, None
                session.project = None
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        for other in session.folder.iterdir():  # the video before
            if other != home and other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
        return known(session.video)

    def ask(self, session: Session, requests: Requests, hold: tuple[str, ...] | None = None) -> None:
        """Ask for these edits, if they can be done. :raises VidinvError: they cannot; the ones before stay."""
        hold = session.hold if hold is None else hold
        if session.video is not None and requests:
            session.video.quick.check(requests, hold)
        session.requests, session.hold = requests, hold

    def glance(self, session: Session) -> Look:
        """The frame at once, by itself."""
        session.next_turn()
        with self.engine.quick_lock:
            video = session.loaded()
            return video.quick.alone(
                video.quick.index(session.time), session.requests, hold=session.hold, composite=session.composite
            )

    def look(self, session: Session) -> Look | None:
        """The frame as it is rendered; None: something else was asked for meanwhile."""
        turn = session.turn
        going: Callable[[int, int], bool] = partial(_still, session, turn)
        with self.engine.slow_lock:
            if not going(0, 0):
                return None
            video = session.loaded()
            look = video.slow.rendered(
                video.slow.index(session.time),
                session.requests,
                hold=session.hold,
                composite=session.composite,
                going=going,
            )
        return look if going(0, 0) else None


def _still(session: Session, turn: int, done: int, total: int) -> bool:
    return session.turn == turn and not session.ended
