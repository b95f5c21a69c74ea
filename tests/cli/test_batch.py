"""vidinv batch: what it takes, what it says, and its exit code."""

import io
import json

import pytest
from rich.console import Console

from tests.inversion.latent_toy import write_box_pack
from tests.video.make import clip
from vidinv import errors
from vidinv.batch import Summary
from vidinv.cli.batch_progress import EVERY, Lines, shown, table
from vidinv.job import Job
from vidinv.types import Progress
from vidinv.worker import JobResult


def test_a_folder_with_a_broken_file(invoke, tmp_path):
    pack, folder, out = write_box_pack(tmp_path / "toy"), tmp_path / "clips", tmp_path / "new" / "out"
    folder.mkdir()
    clip(folder / "a.mp4", count=8, rate=10, audio=())
    (folder / "b.mp4").write_text("no video")
    (folder / "boxes.csv").write_text("frame,x0,y0,x1,y1\n" + "".join(f"{i},10,10,80,60\n" for i in range(8)))
    how = ("--edit", "age=+2", "--pack", pack, "--boxes", folder / "boxes.csv", "--preset", "ultrafast")
    result = invoke("batch", folder, "--out", out, *how, "--report", "json")
    assert result.exit_code == errors.SOME_FAILED_EXIT_CODE, result.stderr
    assert f"error: {folder / 'b.mp4'}:" in result.stderr
    assert "2 of 2" in result.stderr
    for words in ("1 done, 1 failed", "failed, 3", "2 videos", "a.mp4"):
        assert words in result.stdout
    assert json.loads((out / "a.mp4.json").read_text())["frames"] == 8
    assert sorted(p.name for p in out.iterdir()) == [".vidinv-batch", "a.mp4", "a.mp4.json"]


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("none", "--edit", "age=1"), errors.UsageError.exit_code, "--out DIR"),
        (("none", "--edit", "age=1", "--out", "out"), errors.InputMissing.exit_code, "none holds no video"),
        (("none", "--edit", "age=+-1", "--out", "out"), errors.MalformedEdit.exit_code, "cannot read the edit"),
        (("jobs.toml", "--report", "pdf"), errors.UsageError.exit_code, "html or json, not 'pdf'"),
        (("jobs.toml",), errors.UsageError.exit_code, "jobs.toml, job 1: crf is 'low'"),
        (("more.toml", "--workers", "0"), errors.UsageError.exit_code, "--workers is 0; give a whole number from 1"),
    ],
)
def test_batches_that_cannot_be(invoke, tmp_path, monkeypatch, args, code, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs.toml").write_text("[[job]]\ncrf = 'low'\n")
    (tmp_path / "more.toml").write_text("[[job]]\nsource = 'a.mp4'\noutput = 'b.mp4'\nedits = ['age=1']\n")
    result = invoke("batch", *args)
    assert (result.exit_code, result.stdout) == (code, ""), result.stderr
    assert said in result.stderr
    assert not (tmp_path / "out").exists()


def test_options_are_for_jobs_that_do_not_say_otherwise(invoke, tmp_path, monkeypatch):
    asked = []

    def edit_many(jobs, **how):
        asked.append((jobs, how))
        return Summary((), 1.0, 1)

    monkeypatch.setattr("vidinv.batch.edit_many", edit_many)
    (tmp_path / "jobs.toml").write_text(
        "[defaults]\nedits = ['smile=1']\n[[job]]\nsource = 'a.mp4'\n[[job]]\nsource = 'b.mp4'\ncrf = 20\n"
    )
    how = (
        "--edit",
        "age=1",
        "--crf",
        "30",
        "--steps",
        "5",
        "--method",
        "in-domain",
        "--report",
        "json",
        "--workers",
        2,
    )
    result = invoke("batch", tmp_path / "jobs.toml", "--out", tmp_path, *how)
    assert result.exit_code == 0, result.stderr
    ((jobs, how),) = asked
    assert [(j.edits, j.crf, j.output.name) for j in jobs] == [(("smile=1",), 30, "a.mp4"), (("smile=1",), 20, "b.mp4")]
    assert [j.reports for j in jobs] == [(tmp_path / "a.mp4.json",), (tmp_path / "b.mp4.json",)]
    assert {(j.method, j.search["steps"]) for j in jobs} == {("in-domain", 5)}
    assert how["workers"] == 2


def test_persons_and_transfers_become_texts(invoke, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("vidinv.batch.edit_many", lambda jobs, **how: asked.extend(jobs) or Summary((), 1.0, 1))
    (tmp_path / "a.mp4").touch()
    (tmp_path / "anna.jpg").touch()
    how = ("--edit", "age=+2@1s-,1:smile=1", "--transfer", "n.jpg,s.jpg=0.5", "--person", "anna", "--person", "0")
    result = invoke("batch", tmp_path, "-o", tmp_path / "out", *how, "--face", f"anna={tmp_path / 'anna.jpg'}")
    assert result.exit_code == 0, result.stderr
    assert asked[0].edits == ("0+anna:age=+2@1s-", "1:smile=+1")
    assert asked[0].transfers == ("0+anna:n.jpg,s.jpg=+0.5",)
    assert asked[0].faces == {"anna": (tmp_path / "anna.jpg",)}


class Told:
    def __init__(self, number, frames):
        self.number, self.progress = number, Progress(frames, 100, frames)


def test_on_a_terminal_names_are_shown_and_not_obeyed(tmp_path):
    name = "a\x1b[2J\u202e.mp4"
    job = Job(source=tmp_path / name, output=tmp_path / name.replace("mp4", "mkv"), edits=("age=1",))
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=200)
    with shown(console, False, [job]) as watch:
        watch.progress(Told(0, 1))
        watch.say(f"{name}: its worker died")
    console.print(table(Summary((JobResult(job.source, job.output, "done"),), 5.0, 1)))
    said = console.file.getvalue()
    assert said.count("a\\x1b[2J\\u202e") >= 3
    assert "\x1b[2J" not in said
    assert "\u202e" not in said


def test_without_a_terminal_there_are_lines(tmp_path):
    clock, lines = [0.0], []
    jobs = [Job(source=tmp_path / f"{n}.mp4", output=tmp_path / f"{n}.mkv", edits=("age=1",)) for n in "ab"]
    watch = Lines(jobs, lambda: clock[0], lines.append)
    watch.progress(Told(0, 1))
    clock[0] = EVERY
    watch.progress(Told(0, 20))
    watch.progress(Told(1, 51))  # goes on where another worker had ended
    results = [
        JobResult(j.source, j.output, s, c, e)
        for j, s, c, e in zip(jobs, ("done", "failed"), (0, 3), (None, "no"), strict=True)
    ]
    for number, result in enumerate(results):
        watch.finished(number, result)
    clock[0] = 3 * EVERY
    watch.progress(Told(1, 60))
    assert lines == [
        "0 of 2 videos, 20 frames, 2.0 frames/s",
        f"1 of 2: {tmp_path / 'a.mp4'}: done",
        f"2 of 2: {tmp_path / 'b.mp4'}: failed, 3",
        "2 of 2 videos, 1 failed, 22 frames, 0.7 frames/s",
    ]
    assert table(Summary(tuple(results), 5.0, 1)).row_count == 3
