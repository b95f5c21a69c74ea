"""Many jobs: none is lost to a worker that dies, one that fails stops no other, and what is complete stays."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.inversion.latent_toy import write_box_pack
from tests.standin import Standin
from tests.test_journal import BOXES, COUNT, video
from vidinv import made
from vidinv.api import VideoEditor
from vidinv.batch import TRIES, Happened, JobProgress, Summary, edit_many, schedule
from vidinv.cli.batch_progress import table
from vidinv.cluster import _Actor
from vidinv.errors import (
    DAMAGED_INPUT_EXIT_CODE,
    SOME_FAILED_EXIT_CODE,
    MissingExtra,
    NotAVideo,
    OutputExists,
    UsageError,
)
from vidinv.inversion.latent_manifest import source_of
from vidinv.job import Job
from vidinv.made import FOLDER
from vidinv.packs import digest
from vidinv.processes import PATIENCE, Processes
from vidinv.stages.encode import EncodeOptions
from vidinv.types import Progress
from vidinv.video.output import work_folder
from vidinv.worker import JobResult, Worker, failed

ROOT = Path(__file__).resolve().parents[1]
ONE = 1  # thread, of workers and of what they are compared with
SHORT = 16  # frames
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def happened(jobs: list[str], folder: Path, size: int = 1) -> list[Happened]:
    with Processes(size, Standin) as crew:
        return list(schedule([(job, folder) for job in jobs], crew))


def test_no_job_is_lost_to_a_worker_that_dies_or_breaks(tmp_path: Path) -> None:
    found = happened(["dies once", "a", "breaks", "dies always", "b"], tmp_path)
    ends = [one for one in found if one.kind != "progress" and not one.again]
    assert sorted(one.number for one in ends) == [0, 1, 2, 3, 4]
    by_number = {one.number: one for one in ends}
    assert [by_number[n].kind for n in range(5)] == ["done", "done", "error", "died", "done"]
    assert [by_number[n].tries for n in range(5)] == [2, 1, 1, TRIES, 1]
    assert by_number[2].value == "unexpected ZeroDivisionError: by nothing"
    assert by_number[3].value == "killed by SIGKILL"
    told = [one.value for one in found if one.kind == "progress" and one.number == 1]
    assert told == ["a"]


def test_an_interruption_ends_workers_that_are_at_work(tmp_path: Path) -> None:
    with Processes(1, Standin) as crew:
        crew.start(0, ("waits", tmp_path))
        while not (tmp_path / "waiting").exists():
            time.sleep(0.01)
        process, begun = crew._places[0].process, time.monotonic()
    assert not process.is_alive()
    assert time.monotonic() - begun < PATIENCE


class Now:
    """A crew that has done at once what it is given."""

    def __init__(self, size: int, *_: object) -> None:
        self.size = size
        self.given: list[tuple[int, Any]] = []
        self._new: list[tuple[int, Any, Any]] = []

    def start(self, place: int, job: Any) -> None:
        self.given.append((place, job))
        self._new.append((place, "done", job))

    def wait(self) -> list[Any]:
        new, self._new = self._new, []
        return new

    def close(self) -> None: ...


def test_like_jobs_go_to_one_worker() -> None:
    crew = Now(2)
    list(schedule(["a1", "b1", "b2", "a2", "a3", "b3"], crew, lambda job: job[0]))
    assert {place: [job[0] for at, job in crew.given if at == place] for place in (0, 1)} == {
        0: ["a"] * 3,
        1: ["b"] * 3,
    }
    assert len({job for _, job in crew.given}) == 6


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_box_pack(tmp_path_factory.mktemp("packs") / "toy")


@pytest.fixture(scope="module")
def editor(pack: Path) -> Iterator[VideoEditor]:
    threads = torch.get_num_threads()
    torch.set_num_threads(ONE)
    yield VideoEditor(pack, batch=2)
    torch.set_num_threads(threads)


@pytest.fixture
def jobs(pack: Path, tmp_path: Path) -> list[Job]:
    """Two videos, and between them a file that is none."""
    (tmp_path / "boxes.csv").write_text(
        "frame,x0,y0,x1,y1\n" + "".join(f"{i},{','.join(map(str, box))}\n" for i in BOXES for box in BOXES[i])
    )
    (tmp_path / "out").mkdir()
    (tmp_path / "b.mp4").write_text("no video at all")
    video(tmp_path / "a.mp4")
    video(tmp_path / "c.mp4", count=SHORT)
    how: dict[str, Any] = {"boxes": tmp_path / "boxes.csv", "pack": str(pack), "batch": 2}
    how |= {"edits": ("age=+2,0:smile=1@0.5s-2s",), "segment": 0.5, "preset": "ultrafast"}
    return [Job(source=tmp_path / f"{n}.mp4", output=tmp_path / "out" / f"{n}.mp4", **how) for n in "abc"]


def alone(editor: VideoEditor, job: Job, to: Path) -> bytes:
    output = EncodeOptions(segment=job.segment, preset=job.preset)
    editor.edit_video(job.source, to, job.edits[0].split(","), boxes=job.boxes, output=output)
    return to.read_bytes()


def statuses(summary: Summary) -> str:
    return " ".join(result.status for result in summary.results)


def test_all_but_a_broken_file_is_done_as_it_would_be_alone_though_a_worker_is_killed_and_not_again(
    editor: VideoEditor, jobs: list[Job], tmp_path: Path
) -> None:
    jobs[0] = replace(jobs[0], reports=(tmp_path / "out" / "a.json",))
    told, ended, said, killed = list[JobProgress](), list[int](), list[str](), list[int]()

    def kill(one: JobProgress) -> None:
        told.append(one)
        if not killed and (work_folder(jobs[0].output) / "states-00002.safetensors").exists():
            killed.extend(child.pid or 0 for child in multiprocessing.active_children())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    first = edit_many(jobs, threads=ONE, progress=kill, finished=lambda n, r: ended.append(n), notify=said.append)
    assert statuses(first) == "done failed done"
    assert first.exit_code == SOME_FAILED_EXIT_CODE
    assert first.results[1].exit_code == NotAVideo.exit_code
    assert "b.mp4" in str(first.results[1].error)
    assert first.results[0].tries == 2
    assert said == [f"{jobs[0].source}: its worker died (killed by SIGKILL); another goes on with it"]
    assert any("going on after" in warning for warning in first.results[0].warnings)
    assert ended == [1, 2, 0], "what took a worker along waits behind the others"
    assert [one.progress.frames for one in told if one.number == 2][-1] == SHORT
    assert first.frames == COUNT + SHORT
    for job in (jobs[0], jobs[2]):
        assert job.output.read_bytes() == alone(editor, job, tmp_path / f"alone-{job.source.name}")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [FOLDER, "a.json", "a.mp4", "c.mp4"]
    before = jobs[0].output.stat().st_mtime_ns
    video(tmp_path / "b.mp4")
    second = edit_many(jobs, threads=ONE)
    assert statuses(second) == "skipped done skipped"
    assert second.exit_code == 0
    assert jobs[0].output.stat().st_mtime_ns == before


def worker_on(editor: VideoEditor, job: Job, **how: Any) -> Worker:
    """In this process, with the editor that is there."""
    worker = Worker(**how)
    worker._editor = job.settings, editor
    return worker


def quiet(progress: Progress) -> None: ...


def test_what_others_made_is_not_touched(editor: VideoEditor, jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidinv.journal.published", lambda dst: False)
    job = jobs[2]
    job.output.write_bytes(b"somebody's")
    result = worker_on(editor, job).run(job, quiet)
    assert (result.status, result.exit_code) == ("failed", OutputExists.exit_code)
    assert "no batch noted that it made it" in str(result.error)
    assert job.output.read_bytes() == b"somebody's"
    assert worker_on(editor, job, overwrite=True).run(job, quiet).status == "done"
    worker = worker_on(editor, job)
    assert worker.run(job, quiet).status == "skipped"
    assert "of a job with another edit;" in str(worker.run(replace(job, edits=("age=1",)), quiet).error)
    assert "of a job with another boxes and encoder;" in str(worker.run(replace(job, boxes=None, crf=3), quiet).error)
    video(job.source, count=COUNT + 1)
    assert "of a job with another source;" in str(worker.run(job, quiet).error)
    with job.output.open("ab") as file:
        file.write(b"touched")
    assert "no batch noted that it made it as it is now" in str(worker.run(job, quiet).error)


def test_a_report_that_is_missing_is_made(editor: VideoEditor, jobs: list[Job], tmp_path: Path) -> None:
    job = jobs[2]
    assert worker_on(editor, job).run(job, quiet).status == "done"
    whole, told = job.output.read_bytes(), replace(job, reports=(tmp_path / "r.json",))
    assert worker_on(editor, job).run(told, quiet).status == "done"
    assert (tmp_path / "r.json").exists()
    assert job.output.read_bytes() == whole
    assert worker_on(editor, job).run(told, quiet).status == "skipped"
    (tmp_path / "r.json").unlink()
    assert worker_on(editor, job).run(told, quiet).status == "done"


def test_a_damaged_input_is_one_at_the_second_call_too(editor: VideoEditor, jobs: list[Job]) -> None:
    job = jobs[2]
    video(job.source, container_options={"movflags": "+faststart"})
    job.source.write_bytes(job.source.read_bytes()[:-4000])
    worker = worker_on(editor, job)
    first, second = worker.run(job, quiet), worker.run(job, quiet)
    assert (first.status, first.exit_code) == ("damaged", DAMAGED_INPUT_EXIT_CODE)
    assert (second.status, second.exit_code) == ("skipped", DAMAGED_INPUT_EXIT_CODE)
    assert second.warnings == ("c.mp4 was made by an earlier call, of a damaged input as far as it could be read",)
    assert Summary((second,), 1.0, 1).exit_code == DAMAGED_INPUT_EXIT_CODE
    assert "was complete, as far as its damaged input" in str(list(table(Summary((second,), 1.0, 1)).columns[1].cells))


def test_an_output_that_a_run_published_before_it_was_killed_is_left_to_the_same_run(
    editor: VideoEditor, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its journal knows whether it is the same one: nothing is allowed to be overwritten."""
    job, asked = jobs[2], list[bool]()
    job.output.write_bytes(b"published")
    monkeypatch.setattr("vidinv.journal.published", lambda dst: dst == job.output)

    def edit_video(*args: Any, output: EncodeOptions, **how: Any) -> None:
        asked.append(output.overwrite)
        raise OutputExists("of another run")

    monkeypatch.setattr(editor, "edit_video", edit_video)
    assert worker_on(editor, job).run(job, quiet).error == "of another run"
    assert asked == [False]


def test_a_run_that_is_killed_behind_its_video_loses_no_job(
    editor: VideoEditor, jobs: list[Job], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job, kept = jobs[2], (tmp_path / "out" / "c.mp4.json",)

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("vidinv.ending.build", stop)
        with pytest.raises(KeyboardInterrupt):
            worker_on(editor, job).run(replace(job, reports=kept), quiet)
    whole = job.output.read_bytes()
    assert worker_on(editor, job).run(replace(job, edits=("age=1",)), quiet).status == "failed", "it is not of that job"
    again = worker_on(editor, job).run(replace(job, reports=kept), quiet)
    assert again.status == "done"
    assert any("going on after" in warning for warning in again.warnings)
    assert job.output.read_bytes() == whole
    assert kept[0].exists()
    assert worker_on(editor, job).run(replace(job, reports=kept), quiet).status == "skipped"


def test_a_source_is_read_once_for_the_note_and_the_run(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    read, real = list[Path](), digest.sha256
    monkeypatch.setattr(digest, "sha256", lambda path: read.append(path) or real(path))
    for _ in range(2):
        assert made.about(jobs[0])["source"]
        source_of(jobs[0].source)
    assert read.count(jobs[0].source) == 1


def test_an_actor_tells_nothing_of_the_job_before() -> None:
    actor = _Actor(Standin)
    actor.work(("a", Path()))
    actor._runner = Silent()
    actor.work(("b", Path()))
    assert actor.told() is None


class Silent:
    def run(self, job: Any, tell: object) -> None: ...


def test_a_job_that_cannot_be_is_refused_before_any_is_begun(jobs: list[Job]) -> None:
    with pytest.raises(UsageError, match="would both become"):
        edit_many([*jobs, jobs[0]])
    with pytest.raises(UsageError, match="workers is 0; give a whole"):
        edit_many(jobs, workers=0)


SCRIPT = """
from tests.standin import Standin
from vidinv.processes import PATIENCE, Processes
with Processes(1, Standin) as crew:
    crew.start(0, ("a", None))
    print(crew.wait())
"""


def test_a_program_that_its_workers_cannot_read_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(SCRIPT)
    command, where = [sys.executable, "program.py"], {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | where, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'does so below if __name__ == "__main__":' in done.stderr.splitlines()[-1]


def test_an_interruption_says_what_is_kept(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(number: int, result: JobResult) -> None:
        if number == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("vidinv.batch.Processes", Now)
    monkeypatch.setattr("vidinv.batch._result", lambda job, event: failed(job, "no"))
    with pytest.raises(KeyboardInterrupt, match=r"2 of 3 videos are over, .* the same command goes on"):
        edit_many(jobs, finished=stop)


GUARDED = """
import sys
from pathlib import Path
from tests.standin import Standin
from vidinv.processes import Processes
if __name__ == "__main__":
    crew = Processes(1, Standin)
    crew.start(0, ("waits", Path(sys.argv[1])))
    while True:
        crew.wait()
"""


def test_workers_end_with_the_process_that_gave_them_work(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(GUARDED)
    command, where = [sys.executable, "program.py", str(tmp_path)], os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=tmp_path, env=where, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while process.poll() is None and not (tmp_path / "waiting").exists():
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=30)  # until nobody holds the other end, the worker neither


def test_the_absence_of_ray_is_told_with_the_command(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "vidinv\[ray\]"'):
        edit_many(jobs, ray="local")
