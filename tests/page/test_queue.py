"""Jobs that wait in a folder: none is lost to a restart, each browser sees its own, and what was given goes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report.test_page import made_up
from vidinv.errors import UsageError
from vidinv.job import Job, read_project
from vidinv.page import queue as queues
from vidinv.page.queue import Entry, Queue, Tell
from vidinv.report import write_report
from vidinv.report.files import series_of
from vidinv.types import Progress
from vidinv.worker import JobResult


@pytest.fixture
def job(tmp_path: Path) -> Job:
    source, codes = tmp_path / "in.mp4", tmp_path / "codes"
    source.write_bytes(b"video")
    codes.mkdir()
    (codes / "part").write_bytes(b"codes")
    return Job(source=source, output=Path("out.mp4"), edits=("age=+2",), codes=codes)


def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def write(job: Job, tell: Tell) -> JobResult:
    assert job.source.read_bytes() == b"video"
    assert (job.codes / "part").read_bytes() == b"codes"
    tell(Progress(1, 2, 1))
    job.output.write_bytes(b"edited")
    for path in job.reports:
        path.write_text(json.dumps([f"{job.source} becomes {job.output}"]))
    return JobResult(job.source, job.output, "done", warnings=("a word",))


def test_a_job_is_done_and_its_video_goes(tmp_path: Path, job: Job) -> None:
    queue = Queue(tmp_path / "queue", write)
    queue.start()
    entry = queue.add("me", job, "a title")
    job.source.unlink()  # a browser that leaves takes its upload along
    until(lambda: queue.entries("me")[0].state == "done")
    done = queue.entries("me")[0]
    assert (done.title, done.told) == ("a title", "a word")
    files = queue.files(done)
    assert files["video"].read_bytes() == b"edited"
    assert set(files) == {"video", "report.html", "report.json"}
    for name in ("report.html", "report.json"):  # which are taken home
        assert json.loads(files[name].read_text()) == ["in.mp4 becomes out.mp4"]
    home = tmp_path / "queue" / entry.number
    until(lambda: not (home / "video").exists() and not (home / "codes").exists())
    queue.remove("me", entry.number)
    assert list((tmp_path / "queue").iterdir()) == []
    queue.close()


def test_the_rows_that_a_long_videos_report_names_are_there_too(tmp_path: Path, job: Job) -> None:
    def long(job: Job, tell: Tell) -> JobResult:
        done = write(job, tell)
        rows = series_of(job.reports)
        assert rows is not None
        rows.write_text('{"frame": 0}')
        return done

    queue = Queue(tmp_path / "queue", long)
    queue.start()
    entry = queue.add("me", job, "")
    until(lambda: not (tmp_path / "queue" / entry.number / "video").exists())
    assert queue.files(queue.entries("me")[0])["report.series.jsonl"].read_text() == '{"frame": 0}'
    queue.close()


@pytest.mark.parametrize("name", ["o'brien & jörg <3>", "there/../queue"])
def test_reports_name_no_folder_whatever_it_is_called(tmp_path: Path, job: Job, name: str) -> None:
    def reported(job: Job, tell: Tell) -> JobResult:
        job.output.write_bytes(b"edited")
        for path in job.reports:
            write_report(made_up(source=str(job.source), output=str(job.output)), path)
        return JobResult(job.source, job.output, "done")

    pytest.importorskip("matplotlib", reason="the page of a report is drawn with it")
    (tmp_path / "there").mkdir()
    queue = Queue(tmp_path / name, reported)
    queue.start()
    entry = queue.add("me", job, "a title")
    until(lambda: queue.entries("me")[0].state == "done")
    for path in queue.files(queue.entries("me")[0]).values():
        assert entry.number not in path.read_text()
    queue.close()


def test_what_was_not_done_is_done_after_a_restart(tmp_path: Path, job: Job) -> None:
    begun = threading.Event()

    def slow(job: Job, tell: Tell) -> JobResult:
        begun.set()
        while True:
            tell(Progress(1, 2, 1))
            time.sleep(0.01)

    first = Queue(tmp_path / "queue", slow)
    numbers = [first.add("me", job, "a").number, first.add("me", job, "b").number]
    first.start()
    assert begun.wait(5)
    first.close()
    assert [one.state for one in first.entries("me")] == ["waiting", "waiting"]
    second = Queue(tmp_path / "queue", write)
    assert [one.number for one in second.entries("me")] == numbers
    second.start()
    until(lambda: [one.state for one in second.entries("me")] == ["done", "done"])
    second.close()


def endless(job: Job, tell: Tell) -> JobResult:
    """Work that ends only by being cancelled."""
    while True:
        tell(Progress(3, 4, 3))
        time.sleep(0.01)


def test_a_job_is_cancelled_by_its_own_browser_only(tmp_path: Path, job: Job) -> None:
    queue = Queue(tmp_path / "queue", endless)
    running, waiting = queue.add("me", job, "a"), queue.add("me", job, "b")
    assert queue.entries("you") == []
    queue.start()
    until(lambda: (queue.progress(running) or Progress(0, 0, 0)).frames == 3)
    for number in (running.number, waiting.number):
        queue.cancel("you", number)
        queue.remove("you", number)
    assert [one.state for one in queue.entries("me")] == ["waiting", "waiting"]
    queue.cancel("me", waiting.number)
    queue.cancel("me", running.number)
    until(lambda: [one.state for one in queue.entries("me")] == ["cancelled", "cancelled"])
    queue.close()


def test_a_job_that_fails_says_why_and_the_next_is_done(tmp_path: Path, job: Job) -> None:
    def one_fails(job: Job, tell: Tell) -> JobResult:
        if job.edits == ("bad=1",):
            raise UsageError("no such edit")
        return write(job, tell)

    queue = Queue(tmp_path / "queue", one_fails)
    queue.add("me", Job(source=job.source, output=job.output, edits=("bad=1",)), "bad")
    queue.add("me", job, "good")
    queue.start()
    until(lambda: [one.state for one in queue.entries("me")] == ["failed", "done"])
    assert queue.entries("me")[0].told == "no such edit"
    queue.close()


def test_the_queue_is_bounded_and_old_results_go(tmp_path: Path, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MOST", 2)
    queue = Queue(tmp_path / "queue", write)
    entry = queue.add("me", job, "a")
    queue.add("me", job, "b")
    with pytest.raises(UsageError, match="remove some"):
        queue.add("me", job, "c")
    queue.add("you", job, "c")
    queues._write(tmp_path / "queue" / entry.number, Entry(entry.number, "me", "a", "done", since=1.0))
    assert [one.title for one in Queue(tmp_path / "queue", write).entries("me")] == ["b"]


def test_a_job_lies_whole_in_its_folder(tmp_path: Path, job: Job) -> None:
    queue = Queue(tmp_path / "queue", write)
    home = tmp_path / "queue" / queue.add("me", job, "a").number
    placed = read_project(home / "job.toml")
    assert {placed.source.parent.parent, placed.output.parent, placed.codes.parent} == {home}
    assert placed.source.name == job.source.name, "as reports will have it"
    assert placed.edits == job.edits


def test_no_error_ends_the_queue_and_nothing_half_written_stays(tmp_path: Path, job: Job) -> None:
    def breaks(job: Job, tell: Tell) -> JobResult:
        if job.edits == ("bad=1",):
            hidden = job.output.with_name(".out.mp4.vidinv")
            hidden.mkdir()
            (hidden / "part").write_bytes(b"a face")
            raise RuntimeError("out of memory")
        return write(job, tell)

    queue = Queue(tmp_path / "queue", breaks)
    bad = queue.add("me", Job(source=job.source, output=job.output, edits=("bad=1",)), "bad")
    queue.add("me", job, "good")
    queue.start()
    until(lambda: [one.state for one in queue.entries("me")] == ["failed", "done"])
    queue.close()
    assert queue.entries("me")[0].told == "RuntimeError: out of memory"
    assert {path.name for path in (tmp_path / "queue" / bad.number).iterdir()} == {"job.toml", "entry.json"}


def test_a_running_job_that_is_removed_goes_when_it_ends(tmp_path: Path, job: Job) -> None:
    queue = Queue(tmp_path / "queue", endless)
    running, waiting = queue.add("me", job, "a"), queue.add("me", job, "b")
    queue.start()
    until(lambda: (queue.progress(running) or Progress(0, 0, 0)).frames == 3)
    with queue._lock:  # the second while the first has not seen that it is cancelled
        queue.remove("me", running.number)
        queue.cancel("me", waiting.number)
    until(lambda: [one.title for one in queue.entries("me")] == ["b"])
    assert queue.entries("me")[0].state == "cancelled"
    queue.close()


def test_old_results_go_while_the_page_runs(tmp_path: Path, job: Job) -> None:
    queue = Queue(tmp_path / "queue", write)
    number = queue.add("me", job, "a").number
    queues._write(tmp_path / "queue" / number, Entry(number, "me", "a", "done", since=1.0))
    queue.start()
    until(lambda: queue.entries("me") == [])
    queue.close()
