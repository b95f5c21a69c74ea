"""vidinv run PROJECT.toml renders what the project says, as the same words on the command line would."""

from __future__ import annotations

import shutil

import pytest

from vidinv.errors import MissingExtra, OutputExists, UsageError
from vidinv.job import Job, write_jobs
from vidinv.video import Reader


def frames(path):
    with Reader(path) as reader:
        return [frame.image.tobytes() for frame in reader]


@pytest.fixture
def project(face_clip, toy_pack, tmp_path):
    shutil.copy(face_clip, tmp_path / "in.mp4")
    job = Job(
        source=tmp_path / "in.mp4",
        output=tmp_path / "out.mp4",
        edits=("age=+1@0s-1s",),
        hold=("smile",),
        composite="replace",
        pack=str(toy_pack),
    )
    write_jobs(tmp_path / "p.toml", [job])
    return tmp_path / "p.toml"


def test_a_project_is_rendered_as_the_same_words_would_be(invoke, project, toy_pack, tmp_path):
    result = invoke("run", project, "--report", tmp_path / "r.json")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.rstrip().endswith("out.mp4")
    assert (tmp_path / "r.json").exists()
    said = ("--edit", "age=+1@0s-1s", "--hold", "smile", "--composite", "replace", "--pack", toy_pack)
    plain = invoke("run", tmp_path / "in.mp4", "-o", tmp_path / "plain.mp4", *said)
    assert plain.exit_code == 0, plain.stderr
    assert frames(tmp_path / "out.mp4") == frames(tmp_path / "plain.mp4")


def test_what_the_project_says_is_not_said_twice_and_no_output_is_lost(invoke, project, tmp_path):
    for twice in (
        ("--edit", "age=+2"),
        ("--hold", "smile"),
        ("--composite", "replace"),
        ("--crf", "20"),
        ("--no-mark",),
    ):
        result = invoke("run", project, *twice)
        assert result.exit_code == UsageError.exit_code, twice
        assert f"{twice[0].replace('no-', '')} is said by the project itself" in result.stderr
    (tmp_path / "out.mp4").write_bytes(b"mine")
    assert invoke("run", project).exit_code == OutputExists.exit_code
    assert (tmp_path / "out.mp4").read_bytes() == b"mine"


def test_a_project_is_one_job_and_is_checked_by_line(invoke, project):
    text = project.read_text()
    project.write_text(text.replace('"age=+1@0s-1s"', '"age=+1@3s-1s"'))
    result = invoke("run", project)
    assert result.exit_code == UsageError.exit_code
    assert "p.toml, job 1: " in result.stderr
    project.write_text(text + '[[job]]\nsource = "a.mp4"\noutput = "b.mp4"\nedits = ["age=1"]\n')
    assert "holds 2 jobs" in invoke("run", project).stderr


def test_the_page_says_what_to_install(invoke, monkeypatch):
    from vidinv.page import serve

    monkeypatch.setattr(serve.importlib.util, "find_spec", lambda name: None)
    result = invoke("ui")
    assert result.exit_code == MissingExtra.exit_code
    assert 'pip install "vidinv[ui]"' in result.stderr
