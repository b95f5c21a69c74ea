"""What a browser's page holds is its own, is bounded, and goes with it; sliders are the pack's edits in their units."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.inversion.latent_toy import BOXES, write_box_pack, write_clip
from vidinv.api import VideoEditor
from vidinv.edits.parse import parse_edit, read_requests
from vidinv.errors import InputError, MissingExtra, UsageError, VidinvError
from vidinv.job import Job, read_project, write_jobs
from vidinv.packs.spec import EditSpec
from vidinv.page import serve, session
from vidinv.page.knobs import knobs
from vidinv.page.project import check_video, open_project
from vidinv.page.session import Engine, Sessions, asked


class Boxed(VideoEditor):
    """Finds the boxes of the toy's clip."""

    def keep_codes(self, src: Any, folder: Any, **options: Any) -> Any:
        return super().keep_codes(src, folder, boxes=BOXES, **options)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    pack = write_box_pack(tmp_path_factory.mktemp("packs") / "toy")
    return Engine(lambda: Boxed(pack, batch=4))


@pytest.fixture
def sessions(engine: Engine, tmp_path: Path) -> Iterator[Sessions]:
    found = Sessions(tmp_path / "uploads", engine)
    yield found
    found.clear()


def test_two_browsers_do_not_mix_and_leave_nothing(sessions: Sessions, tmp_path: Path) -> None:
    a, b = sessions.of("a"), sessions.of("b")
    told: list[int] = []
    sessions.open(a, write_clip(tmp_path / "a.mkv"), lambda at: told.append(at.frames))
    assert told[-1] == 24
    assert not (tmp_path / "a.mkv").exists(), "the upload was moved"
    sessions.open(b, write_clip(tmp_path / "b.mkv", seed=3), lambda at: None)
    a.requests, a.time, b.time = read_requests("age=+2"), 0.1, 0.1
    mine, theirs = sessions.glance(a), sessions.glance(b)
    assert (mine.before != theirs.before).any()
    assert (mine.after != mine.before).any()
    assert (theirs.after == theirs.before).all()
    exact = sessions.look(a)
    assert exact is not None
    assert exact.exact
    first = a.folder
    assert sessions.of("a") is a
    sessions.end("a")
    assert not first.exists()
    assert sessions.of("a").video is None
    sessions.clear()
    assert not (tmp_path / "uploads").exists()


def test_an_answer_to_an_earlier_question_is_not_given(sessions: Sessions, tmp_path: Path) -> None:
    one = sessions.of("a")
    sessions.open(one, write_clip(tmp_path / "a.mkv"), lambda at: None)
    one.requests, one.time = read_requests("age=+2"), 0.2
    real, scrub = one.video.slow.rendered, one.video.slow

    def asked_again(*args: Any, **more: Any) -> Any:
        one.next_turn()
        return real(*args, **more)

    def too_late(*args: Any, **more: Any) -> Any:
        look = real(*args, **more)
        one.next_turn()
        return look

    for other in (asked_again, too_late):
        scrub.rendered = other  # type: ignore[method-assign]
        assert sessions.look(one) is None


def test_what_cannot_be_used_leaves_nothing(sessions: Sessions, tmp_path: Path) -> None:
    one = sessions.of("a")
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(InputError):
        sessions.open(one, tmp_path / "a.mp4", lambda at: None)
    assert one.video is None
    assert list(one.folder.iterdir()) == []
    with pytest.raises(UsageError, match="no video here"):
        sessions.glance(one)


def test_a_folder_that_no_page_made_is_not_emptied(engine: Engine, tmp_path: Path) -> None:
    mine = tmp_path / "uploads" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(UsageError, match="no page made it"):
        Sessions(mine.parent, engine)
    assert mine.read_text() == "mine"
    Sessions(tmp_path / "new", engine).of("a")
    assert Sessions(tmp_path / "new", engine).folder.is_dir(), "an ended page's is emptied"
    assert [path.is_dir() for path in (tmp_path / "new").iterdir()] == [False]


def test_no_more_are_held_than_there_is_room_for(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SESSIONS", 2)
    first = sessions.of("a")
    sessions.of("b")
    sessions.of("a")
    sessions.of("c")
    assert sessions.of("a") is first, "the one that was idle for longest goes"
    assert sum(path.is_dir() for path in sessions.folder.iterdir()) == 2


def test_a_project_says_what_was_chosen_and_is_opened_again(sessions: Sessions, tmp_path: Path) -> None:
    one = sessions.of("a")
    sessions.open(one, write_clip(tmp_path / "a.mkv"), lambda at: None)
    one.requests = read_requests("0:age=+2@0.1s-0.5s,smile=+0@0s..+1@0.9s")
    one.hold, one.composite = ("smile",), "replace"
    write_jobs(tmp_path / "a.toml", [one.job_saved(str(tmp_path / "toy"))])
    job = read_project(tmp_path / "a.toml")
    assert (job.source, job.output) == (tmp_path / "a.mkv", tmp_path / "a-edited.mkv")
    project = open_project(tmp_path / "a.toml", str(tmp_path / "toy"))
    check_video(project, "a.mkv")
    assert project.kept == ""
    other = sessions.of("b")
    other.take(project)
    assert (other.requests, other.hold, other.composite) == (one.requests, one.hold, one.composite)
    with pytest.raises(UsageError, match=r"the project is of a\.mkv"):
        check_video(project, "other.mkv")
    with pytest.raises(UsageError, match="is for the pack"):
        open_project(tmp_path / "a.toml", None)


WHOLE = """\
format = 1

[[job]]
source = "clips/a.mkv"
output = "out/b.mkv"
edits = [
    "age=+2",
    "anna:age=+3",
    "smile=@curves/smile.csv",
]
transfers = [
    "calm.jpg,happy.jpg=0.7",
]
drive = "../driver.mp4"
hold = [
    "smile",
]
crf = 30.0
mark = false

[job.faces]
anna = [
    "anna.jpg",
]
"""


def test_what_the_page_cannot_show_is_told_and_written_again_as_it_was(sessions: Sessions, tmp_path: Path) -> None:
    one = sessions.of("a")
    sessions.open(one, write_clip(tmp_path / "a.mkv"), lambda at: None)
    (one.folder / "p.toml").write_text(WHOLE)
    project = open_project(one.folder / "p.toml", None)
    one.take(project)
    assert list(map(str, one.requests)) == ["age=+2"]
    assert project.elsewhere == ("edits", "transfers", "drive", "faces")
    for line in ('"anna:age=+3"', '"smile=@curves/smile.csv"', 'drive = "../driver.mp4"', "crf = 30.0", '"anna.jpg"'):
        assert line in project.kept
    assert '"age=+2"' not in project.kept
    assert str(tmp_path) not in project.kept
    write_jobs(one.folder / "p.toml", [one.job_saved(None)])
    assert (one.folder / "p.toml").read_text() == WHOLE
    assert not one.complete
    with pytest.raises(UsageError, match="does not render: edits, transfers, drive, faces; save it"):
        one.job_here(None)
    sessions.ask(one, read_requests("age=-1"))
    write_jobs(one.folder / "p.toml", [one.job_saved(None)])
    assert (one.folder / "p.toml").read_text() == WHOLE.replace("age=+2", "age=-1")
    sessions.open(one, write_clip(tmp_path / "a.mkv"), lambda at: None)
    assert one.project is None, "another video is another project"


def test_how_a_project_is_encoded_is_honoured_here(sessions: Sessions, tmp_path: Path) -> None:
    one = sessions.of("a")
    video = sessions.open(one, write_clip(tmp_path / "a.mkv"), lambda at: None)
    write_jobs(one.folder / "p.toml", [Job(source=Path("a.mkv"), output=Path("to/b.mp4"), edits=("age=+2",), crf=30)])
    one.take(open_project(one.folder / "p.toml", None))
    assert one.complete
    job = one.job_here("toy")
    assert (job.source, job.output, job.crf, job.pack) == (video.path, Path("b.mp4"), 30, "toy")


def test_the_page_reads_no_file_of_this_machine(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    for text in (f"age=@{secret}", f"smile=+1, 0:age=@{secret}"):
        with pytest.raises(UsageError, match="reads no files"):
            asked(text)


def test_what_cannot_be_done_leaves_what_was_there(sessions: Sessions, tmp_path: Path) -> None:
    one = sessions.of("a")
    video = sessions.open(one, write_clip(tmp_path / "a.mkv"), lambda at: None)
    sessions.ask(one, read_requests("age=+2"))
    with pytest.raises(VidinvError):
        sessions.ask(one, read_requests("nosuch=+2"))
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(InputError):
        sessions.open(one, tmp_path / "bad.mp4", lambda at: None)
    assert (one.video, one.requests) == (video, read_requests("age=+2"))
    assert sessions.glance(one).after.any()


def test_sliders_go_from_end_to_end_of_what_was_tried_in_their_own_unit() -> None:
    years = EditSpec(unit="years", step="5 years", text="older", strengths=(-2.0, 0.0, 2.0), effects=(-10.4, 0.0, 12.0))
    odd = EditSpec(unit="sd", step="a lot, as the labelling network sees it", strengths=(-1.0, 2.0), effects=(-1, 1),
                   grade=1.5)  # fmt: skip
    unknown = EditSpec(unit="sd", step="?")
    first, plain, last = knobs({"odd": odd, "age": years, "unknown": unknown})
    assert (first.name, first.least, first.most, first.in_years) == ("age", -10, 12, True)
    assert (last.name, last.least, last.most, last.label) == ("odd", -1.0, 2.0, "odd (steps)")
    assert last.info == "odd. One step: a lot"
    assert (plain.least, plain.most) == (-3.0, 3.0)
    assert first.zero == pytest.approx(10 / 22)
    assert first.shows(parse_edit("age=+5y"), 0) == 5
    assert first.shows(parse_edit("age=+1"), 0) == 6  # years of one step
    assert first.shows(parse_edit("age=+9"), 0) == 12
    assert first.shows(None, 0) == 0
    assert last.shows(parse_edit("odd=0@0s..+2@2s"), 1.0) == 1


def test_without_gradio_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "vidinv\[ui\]"'):
        serve.require_gradio()


def test_options_of_the_page_are_checked(tmp_path: Path) -> None:
    for wrong in ({"port": 0}, {"largest": 0}):
        with pytest.raises(UsageError):
            serve.PageOptions(tmp_path, **wrong)
