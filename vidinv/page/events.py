"""What the page does when somebody touches it: each is read, handed to the session, and shown."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr

from vidinv.edits import revise
from vidinv.edits.curve import Curve
from vidinv.edits.parse import EASE
from vidinv.errors import UsageError, VidinvError
from vidinv.job import write_jobs
from vidinv.page.browser import browser_of, named
from vidinv.page.knobs import Knob
from vidinv.page.layout import ALWAYS, BETWEEN, EMPTY, KEYS, Parts
from vidinv.page.pictures import forget_old, png
from vidinv.page.project import check_video, open_project
from vidinv.page.queue import Entry, Queue
from vidinv.page.session import UPLOADS, Session, Sessions, asked
from vidinv.scrub import Look
from vidinv.types import Progress

ALONE = "*This frame by itself; what is rendered follows.*"
EXACT = "**As it is rendered**, bit for bit."
PARTLY = "*Without what else is in the project.*"
_NAMED = re.compile(rf"/[^:;\n]*/{UPLOADS}/[0-9a-f]{{32,64}}/(?:[0-9a-f]{{8}}/(?:video/)?)?")  # where an upload lies


def told(handler: Callable[..., Any]) -> Callable[..., Any]:
    """What a VidinvError says is shown, and nothing else changes."""

    @wraps(handler)
    def run(*args: Any, **more: Any) -> Any:
        try:
            return handler(*args, **more)
        except VidinvError as error:
            raise gr.Error(_NAMED.sub("", str(error)), duration=15, print_exception=False) from None

    return run


@dataclass(frozen=True)
class JobSettings:
    """What jobs are rendered with, as it was asked for."""

    pack: str | None = None
    device: str = "auto"
    precision: str = "auto"


class Page:
    """The handlers."""

    def __init__(self, sessions: Sessions, queue: Queue, knobs: Sequence[Knob], how: JobSettings) -> None:
        self.sessions, self.queue, self.knobs, self.settings = sessions, queue, knobs, how

    def session(self, request: gr.Request) -> Session:
        return self.sessions.of(str(request.session_hash))

    # ---- what is seen

    def glance(self, session: Session) -> list[Any]:
        """The picture and what is said of it."""
        if session.video is None:
            return [None, EMPTY]
        look = self.sessions.glance(session)
        return [self._pair(session, look), self._said(session, look)]

    def look(self, request: gr.Request) -> list[Any]:
        """The same as it is rendered, when nobody asked for anything else meanwhile."""
        session = self.session(request)
        if session.video is None:
            return [gr.skip(), gr.skip()]
        look = self.sessions.look(session)
        return [gr.skip(), gr.skip()] if look is None else [self._pair(session, look), self._said(session, look)]

    def _said(self, session: Session, look: Look) -> str:
        how = ALONE if not look.exact else EXACT if session.complete else PARTLY
        height, width, _ = look.after.shape
        return f"Frame {look.index} at {look.time:.2f} s, {width} x {height}. {how}"

    def _pair(self, session: Session, look: Look) -> tuple[str, str]:
        forget_old(session.folder)
        if session.before is None or session.before[0] != look.index:
            before = png(session.folder, look.before, "before")
            for path in session.folder.glob("before-*.png"):
                if str(path) not in (before, session.before and session.before[1]):  # which may be on its way yet
                    path.unlink(missing_ok=True)
            session.before = look.index, before
        return session.before[1], png(session.folder, look.after, "look")

    def standing(self, session: Session) -> list[Any]:
        """Whom, all sliders, which edit, the text."""
        whom = "everybody" if session.who is None else f"person {', '.join(map(str, session.who))}"
        shown = [
            knob.shows(revise.found(session.requests, session.who, knob.name), session.time) for knob in self.knobs
        ]
        mine = [one.name for one in session.requests if one.persons == session.who]
        return [f"Edits are for **{whom}**", *shown, gr.update(choices=mine, value=mine[-1] if mine else None),
                _text(session)]  # fmt: skip

    # ---- what is done

    @told
    def drop(self, paths: list[str] | None, request: gr.Request, progress: gr.Progress = gr.Progress()) -> list[Any]:
        """Outputs: drop, people, time, hold, composite, kept, standing, glance."""
        session, dropped = self.session(request), list(map(Path, paths or []))
        try:
            self._take(session, dropped, progress)
        finally:
            for path in dropped:  # a video that was taken is elsewhere by now
                path.unlink(missing_ok=True)
        video = session.loaded()
        people = gr.update(
            value=[(one.picture, f"{one.person}: {one.frames / video.quick.rate:.1f} s") for one in video.people],
            selected_index=None,
        )
        time = gr.update(maximum=max(video.quick.duration, 0.01), value=session.time, step=1 / video.quick.rate)
        kept = session.project.kept if session.project else ""
        return [None, people, time, list(session.hold), session.composite,
                kept, *self.standing(session),
                *self.glance(session)]  # fmt: skip

    def _take(self, session: Session, dropped: list[Path], progress: gr.Progress) -> None:
        """:raises UsageError: more than a video and a project, or a project that cannot be shown."""
        projects = [path for path in dropped if path.suffix.lower() == ".toml"]
        videos = [path for path in dropped if path not in projects]
        if len(videos) > 1 or len(projects) > 1:
            raise UsageError("drop one video at a time, and one project with it")
        project = None
        if projects:
            project = open_project(projects[0], self.settings.pack)
            if not videos and session.video is None:
                raise UsageError(f"drop {project.job.source.name} too, of which the project is")
            check_video(project, videos[0].name if videos else session.loaded().name)

        def tell(at: Progress) -> None:
            progress((at.frames, at.total), desc="finding faces and their codes", unit="frames")

        if videos:
            progress(0, desc="opening")
            self.sessions.open(session, videos[0], tell)
        if project is not None:
            if project.requests:
                session.loaded().quick.check(project.requests, project.job.hold)
            session.take(project)

    @told
    def pick(self, request: gr.Request, chosen: gr.SelectData) -> list[Any]:
        """Outputs: time, standing, glance."""
        session = self.session(request)
        video = session.loaded()
        one = video.people[chosen.index]
        session.who = frozenset({one.person})
        if not video.quick.sees(one.person, video.quick.index(session.time)):  # gone, or away between two visits
            session.time = one.at
        return [session.time, *self.standing(session), *self.glance(session)]

    @told
    def pick_all(self, request: gr.Request) -> list[Any]:
        """Outputs: standing."""
        session = self.session(request)
        session.who = None
        return self.standing(session)

    def slide(self, knob: Knob) -> Callable[..., list[Any]]:
        """Outputs: which, text, glance."""

        @told
        def slid(value: float, request: gr.Request) -> list[Any]:
            session = self.session(request)
            session.loaded()
            moved = revise.moved(
                session.requests, session.who, knob.name, value, knob.in_years, round(session.time, 3), knob.converted
            )
            self.sessions.ask(session, moved)
            there = revise.found(session.requests, session.who, knob.name) is not None
            mine = [one.name for one in session.requests if one.persons == session.who]
            which = gr.update(choices=mine, value=knob.name if there else (mine[-1] if mine else None))
            return [which, _text(session), *self.glance(session)]

        return slid

    @told
    def scrub(self, time: float, request: gr.Request) -> list[Any]:
        """Outputs: sliders, glance."""
        session = self.session(request)
        session.time = float(time)
        return [*self.standing(session)[1:-2], *self.glance(session)]

    @told
    def opened(self, which: str | None, request: gr.Request) -> list[Any]:
        """Outputs: when, start, end, ease: how the chosen edit stands."""
        session = self.session(request)
        one = revise.found(session.requests, session.who, which or "")
        if one is None or not one.changes:
            return [ALWAYS, 0, None, EASE]
        if isinstance(one.amount, Curve):
            return [KEYS, 0, None, EASE]
        return [BETWEEN, one.start, None if one.end == float("inf") else one.end, one.ease]

    @told
    def timed(
        self, which: str | None, when: str, start: float, end: float | None, ease: float, request: gr.Request
    ) -> list[Any]:
        """Outputs: text, glance."""
        session = self.session(request)
        how, at = (session.requests, session.who, which or ""), session.time
        if when == ALWAYS:
            changed = revise.always(*how, time=at)
        elif when == KEYS:
            changed = revise.keyed(*how, end=session.loaded().quick.duration)
        else:
            until = float("inf") if end is None else float(end)
            changed = revise.timed(*how, float(start or 0), until, EASE if ease is None else float(ease), at)
        self.sessions.ask(session, changed)
        return [_text(session), *self.glance(session)]

    @told
    def unkey(self, which: str | None, request: gr.Request) -> list[Any]:
        """Outputs: standing, glance."""
        session = self.session(request)
        session.requests = revise.unkeyed(session.requests, session.who, which or "", session.time)
        return [*self.standing(session), *self.glance(session)]

    @told
    def use_text(self, text: str, request: gr.Request) -> list[Any]:
        """Outputs: standing, glance."""
        session = self.session(request)
        self.sessions.ask(session, asked(",".join(text.splitlines())))
        return [*self.standing(session), *self.glance(session)]

    def clear(self, request: gr.Request) -> list[Any]:
        return self.use_text("", request)

    @told
    def how(self, hold: list[str], composite: str, request: gr.Request) -> list[Any]:
        """Outputs: glance."""
        session = self.session(request)
        self.sessions.ask(session, session.requests, tuple(hold))
        session.composite = composite  # type: ignore[assignment]
        return self.glance(session)

    # ---- projects and the queue

    @told
    def save(self, request: gr.Request) -> Any:
        """Outputs: saved."""
        session = self.session(request)
        video = session.loaded()
        path = session.folder / f"{Path(video.name).stem}.toml"
        folder = session.project.folder if session.project else session.folder  # from which its files are named
        folder.mkdir(parents=True, exist_ok=True)
        write_jobs(folder / path.name, [session.job_saved(self.settings.pack)])
        shutil.move(folder / path.name, path)
        return gr.update(value=str(path), visible=True)

    @told
    def render(self, request: gr.Request) -> list[Any]:
        """Outputs: job, queue, told."""
        session, owner = self.session(request), _browser(request)
        video = session.loaded()
        settings = self.settings
        job = replace(session.job_here(settings.pack), device=settings.device, precision=settings.precision)
        title = f"{video.name}: {', '.join(job.edits)}"
        entry = self.queue.add(owner, replace(job, codes=video.codes), title if len(title) < 90 else f"{title[:89]}…")
        return [entry.number, self._listed(owner, entry.number, True), ""]

    def choose(self, chosen: gr.SelectData) -> Any:
        """Outputs: job."""
        return chosen.value

    def refresh(self, number: str | None, request: gr.Request) -> Any:
        """Outputs: queue."""
        browser = browser_of(_cookies(request))
        return self._listed(browser, number) if browser else gr.skip()

    def _listed(self, owner: str, number: str | None, new: bool = False) -> Any:
        """:param number: what is chosen. :param new: just now, and not by the browser itself."""
        entries = self.queue.entries(owner)
        choices = [(f"{one.title} - {self._how_far(one)}", one.number) for one in entries]
        gone = number is not None and number not in [one.number for one in entries]
        chosen: Any = {"value": None if gone else number} if gone or new else {}
        return gr.update(choices=choices, **chosen)

    def _how_far(self, entry: Entry) -> str:
        at = self.queue.progress(entry)
        if at is None:
            return entry.state
        share = f" ({100 * at.frames // max(at.total, at.frames, 1)} %)" if at.total else ""
        return f"rendering, frame {at.frames}{share}"

    @told
    def show(self, number: str | None, request: gr.Request) -> list[Any]:
        """Outputs: told, result, files, report."""
        entry = next((one for one in self.queue.entries(_browser(request)) if one.number == number), None)
        if entry is None or entry.state != "done":
            why = "Choose a job above that is done." if entry is None else f"{self._how_far(entry)}. {entry.told}"
            return [why, gr.update(visible=False, value=None), gr.update(visible=False, value=None), ""]
        files = self.queue.files(entry)
        page = files["report.html"].read_text(encoding="utf-8") if "report.html" in files else ""
        framed = f'<iframe sandbox srcdoc="{html.escape(page)}" title="report"></iframe>' if page else ""
        return [entry.told, gr.update(visible=True, value=str(files["video"])),
                gr.update(visible=True, value=[str(path) for path in files.values()]), framed]  # fmt: skip

    @told
    def cancel(self, number: str | None, request: gr.Request) -> list[Any]:
        """Outputs: queue, told."""
        if number:
            self.queue.cancel(_browser(request), number)
        return [self._listed(_browser(request), number), "" if number else "Choose a job above."]

    @told
    def remove(self, number: str | None, request: gr.Request) -> list[Any]:
        """Outputs: queue, told."""
        if number:
            self.queue.remove(_browser(request), number)
        return [self._listed(_browser(request), number), "" if number else "Choose a job above."]

    def unload(self, request: gr.Request) -> None:
        self.sessions.end(str(request.session_hash))


def wire(page: Page, on: Parts) -> None:
    """Every event to its handler. What takes longer comes behind what answers at once, and several may be asked for."""
    glance = [on.wipe, on.status]
    standing = [on.whom, *on.sliders, on.which, on.text]
    quiet: Mapping[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}

    def then(event: Any) -> None:
        event.success(page.look, None, glance, trigger_mode="multiple", **quiet)

    with on.blocks:
        dropped = on.drop.upload(
            page.drop,
            on.drop,
            [on.drop, on.people, on.time, on.hold, on.composite, on.kept, *standing, *glance],
            concurrency_limit=None,
            show_progress_on=[on.status],
        )
        then(dropped)
        then(on.people.select(page.pick, None, [on.time, *standing, *glance], **quiet))
        on.everybody.click(page.pick_all, None, standing, **quiet)
        for knob, slider in zip(page.knobs, on.sliders, strict=True):
            slid = page.slide(knob)
            then(slider.input(slid, slider, [on.which, on.text, *glance], trigger_mode="always_last", **quiet))
        then(on.time.input(page.scrub, on.time, [*on.sliders, *glance], trigger_mode="always_last", **quiet))
        on.which.change(page.opened, on.which, [on.when, on.start, on.end, on.ease], **quiet)
        timing = [on.which, on.when, on.start, on.end, on.ease]
        for part in (on.when.input, on.start.submit, on.end.submit, on.ease.submit, on.start.blur, on.end.blur):
            then(part(page.timed, timing, [on.text, *glance], **quiet))
        then(on.unkey.click(page.unkey, on.which, [*standing, *glance], **quiet))
        then(on.use_text.click(page.use_text, on.text, [*standing, *glance], **quiet))
        then(on.clear.click(page.clear, None, [*standing, *glance], **quiet))
        for part in (on.hold.input, on.composite.input):
            then(part(page.how, [on.hold, on.composite], glance, **quiet))
        on.save.click(page.save, None, on.saved, **quiet)
        on.render.click(page.render, None, [on.job, on.queue, on.told], **quiet)
        on.queue.select(page.choose, None, on.job, **quiet)
        on.show.click(page.show, on.queue, [on.told, on.result, on.files, on.report], **quiet)
        on.cancel.click(page.cancel, on.queue, [on.queue, on.told], **quiet)
        on.remove.click(page.remove, on.queue, [on.queue, on.told], **quiet)
        on.timer.tick(page.refresh, on.job, on.queue, **quiet)
        on.blocks.load(page.refresh, on.job, on.queue, **quiet)
        on.blocks.unload(page.unload)


def _cookies(request: gr.Request) -> str:
    return str(dict(request.headers).get("cookie", ""))


def _browser(request: gr.Request) -> str:
    """:raises UsageError: it keeps no cookies."""
    return named(_cookies(request))


def _text(session: Session) -> str:
    return "\n".join(str(one) for one in session.requests)
