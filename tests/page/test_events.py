"""What the page answers when somebody touches it: one handler after the other, as a browser would ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.inversion.latent_toy import BOXES, write_box_pack, write_clip
from vidinv.api import VideoEditor
from vidinv.job import Job, read_project, write_jobs
from vidinv.page.browser import COOKIE
from vidinv.page.knobs import knobs
from vidinv.page.queue import Queue
from vidinv.page.serve import PageOptions
from vidinv.page.session import UPLOADS, Engine, Sessions

gradio = pytest.importorskip("gradio", reason="the page is made with gradio")
from vidinv.page.events import JobSettings, Page  # noqa: E402
from vidinv.page.layout import ALWAYS, BETWEEN, KEYS  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


class Boxed(VideoEditor):
    """Finds the boxes of the toy's clip."""

    def keep_codes(self, src: Any, folder: Any, **options: Any) -> Any:
        return super().keep_codes(src, folder, boxes=BOXES, **options)


def tab(name: str, browser: str = "a") -> Any:
    """A request of a tab of a browser."""
    return SimpleNamespace(session_hash=name, headers={"cookie": f"{COOKIE}={browser * 32}"})


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    pack = write_box_pack(tmp_path_factory.mktemp("packs") / "toy")
    return Engine(lambda: Boxed(pack, batch=4))


@pytest.fixture
def page(engine: Engine, tmp_path: Path) -> Iterator[Page]:
    sessions = Sessions(tmp_path / UPLOADS, engine)
    yield Page(sessions, Queue(tmp_path / "queue"), knobs(engine.quick.edits), JobSettings())
    sessions.clear()


def drop(page: Page, tmp_path: Path, who: Any, name: str = "a.mkv") -> list[Any]:
    return page.drop([str(write_clip(tmp_path / name))], who)


def asked(page: Page, who: Any) -> list[str]:
    return list(map(str, page.session(who).requests))


def test_a_face_a_slider_a_range_key_frames_and_what_is_held(page: Page, tmp_path: Path) -> None:
    me = tab("t")
    drop(page, tmp_path, me)
    page.pick(me, SimpleNamespace(index=0))
    age = next(knob for knob in page.knobs if knob.name == "age")
    which, text, (before, after), said = page.slide(age)(5.0, me)
    assert (which["value"], text) == ("age", "0:age=+5y")
    assert before != after
    assert "by itself" in said
    assert "bit for bit" in page.look(me)[1]
    assert page.timed("age", BETWEEN, 0.1, 0.2, 0.05, me)[0] == "0:age=+5y@0.1s-0.2s~0.05s"
    assert page.opened("age", me) == [BETWEEN, 0.1, 0.2, 0.05]
    assert page.timed("age", KEYS, 0, None, 0.2, me)[0] == "0:age=+5y@0s..+5y@0.934s"
    page.scrub(0.2, me)
    page.slide(age)(8.0, me)
    assert asked(page, me) == ["0:age=+5y@0s..+8y@0.2s..+5y@0.934s"]
    assert page.opened("age", me)[0] == KEYS
    page.unkey("age", me)
    assert asked(page, me) == ["0:age=+5y@0s..+5y@0.934s"]
    assert page.timed("age", ALWAYS, 0, None, 0.2, me)[0] == "0:age=+5y"
    page.how(["smile"], "replace", me)
    assert (page.session(me).hold, page.session(me).composite) == (("smile",), "replace")
    page.pick_all(me)
    page.clear(me)
    assert asked(page, me) == []


def test_whoever_is_picked_is_in_the_picture_that_is_shown(page: Page, tmp_path: Path) -> None:
    me = tab("t")
    drop(page, tmp_path, me)
    video = page.session(me).loaded()
    one = video.people[0]
    away = video.quick.duration
    assert not video.quick.sees(one.person, video.quick.index(away))
    video.people[0] = replace(one, last=away + 1)  # as of somebody who was away there and came again
    page.scrub(away, me)
    assert page.pick(me, SimpleNamespace(index=0))[0] == page.session(me).time == one.at
    page.scrub(one.first, me)
    assert page.pick(me, SimpleNamespace(index=0))[0] == one.first, "no other than what was looked at"


def test_what_is_wrong_is_told_without_where_it_lies(page: Page, tmp_path: Path) -> None:
    me = tab("t")
    with pytest.raises(gradio.Error, match="no video here"):
        page.save(me)
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(gradio.Error) as told:
        page.drop([str(tmp_path / "bad.mp4")], me)
    assert UPLOADS not in str(told.value)
    assert "bad.mp4" in str(told.value)
    drop(page, tmp_path, me)
    for text in ("nosuch=+1", "age=", "age=@/etc/passwd"):
        with pytest.raises(gradio.Error):
            page.use_text(text, me)
    with pytest.raises(gradio.Error):
        page.render(me)  # nothing to do
    path = page.sessions.folder / ("0" * 64) / "p.toml"  # where gradio puts it
    path.parent.mkdir()
    path.write_text("format = 1\n[[job]]\nsource = 'a.mkv'\noutput = 'b.mkv'\ncolour = 1\n")
    with pytest.raises(gradio.Error, match=r"p\.toml, job 1.*colour is unknown.*line 5") as told:
        page.drop([str(path)], me)
    assert str(tmp_path) not in str(told.value)


def test_two_tabs_have_their_own_edits_and_one_queue(page: Page, tmp_path: Path) -> None:
    one, two, other = tab("1"), tab("2"), tab("3", "b")
    for who in (one, two):
        drop(page, tmp_path, who)
    page.use_text("age=+2", one)
    assert asked(page, two) == []
    page.use_text("smile=+1", two)
    page.render(one)
    page.render(two)
    titles = ["a.mkv: age=+2 - waiting", "a.mkv: smile=+1 - waiting"]
    for who in (one, two, tab("reloaded")):
        assert [title for title, _ in page.refresh(None, who)["choices"]] == titles
    assert page.refresh(None, other)["choices"] == []
    number = page.queue.entries("a" * 32)[0].number
    assert "value" not in page.refresh(number, one), "what is chosen meanwhile stays"
    page.remove(number, two)
    assert page.refresh(number, one)["value"] is None
    assert "Choose a job" in page.show(number, one)[0]
    page.unload(one)
    assert page.session(two).video is not None
    with pytest.raises(gradio.Error, match="keeps no cookie"):
        page.render(SimpleNamespace(session_hash="2", headers={}))


def test_a_project_is_opened_with_what_the_page_cannot_show(page: Page, tmp_path: Path) -> None:
    me, path = tab("t"), tmp_path / "p.toml"
    job = Job(source=tmp_path / "a.mkv", output=tmp_path / "o.mkv", edits=("age=+2",), drive=tmp_path / "d.mp4")
    write_jobs(path, [job])
    text = path.read_text()
    answer = page.drop([str(write_clip(tmp_path / "a.mkv")), str(path)], me)
    assert 'drive = "d.mp4"' in answer
    assert not path.exists()
    assert "Without what else is in the project" in page.look(me)[1]
    assert Path(page.save(me)["value"]).read_text() == text
    with pytest.raises(gradio.Error, match="does not render: drive"):
        page.render(me)
    drop(page, tmp_path, me)
    page.use_text("age=+2", me)
    assert "bit for bit" in page.look(me)[1]


def test_a_job_has_what_the_page_was_started_with_wherever_it_is_read(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = tab("t")
    monkeypatch.chdir(tmp_path)
    options = PageOptions(Path("page"), "./toy", device="cpu", precision="fp32")
    page.settings = JobSettings(options.pack, options.device, options.precision)
    page.queue = Queue(options.folder / "queue")
    drop(page, tmp_path, me)
    page.use_text("age=+2", me)
    page.render(me)
    monkeypatch.chdir("/")
    home = page.queue.folder / page.queue.entries("a" * 32)[0].number
    job = read_project(home / "job.toml")
    assert (job.device, job.precision, job.pack) == ("cpu", "fp32", str(tmp_path / "toy"))
    assert job.source == home / "video" / "a.mkv"
    assert job.source.is_file()
    assert job.output.parent == home


def test_several_videos_at_once_are_refused_and_go(page: Page, tmp_path: Path) -> None:
    paths = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for path in paths:
        path.write_bytes(b"video")
    with pytest.raises(gradio.Error, match="one video at a time"):
        page.drop(list(map(str, paths)), tab("t"))
    assert not any(path.exists() for path in paths)
