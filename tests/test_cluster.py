"""Ray's actors do what processes do."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.standin import Standin
from tests.test_batch import ONE, alone, editor, jobs, pack
from vidinv.api import VideoEditor
from vidinv.batch import TRIES, JobProgress, edit_many, schedule
from vidinv.cluster import Cluster
from vidinv.errors import UsageError
from vidinv.job import Job

__all__ = ["editor", "jobs", "pack"]  # fixtures
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray, an extra, is not installed"),
]


def test_no_job_is_lost_to_an_actor_that_dies_or_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))
    crew = Cluster("local", 1, Standin, 1)
    try:
        found = list(schedule([(job, tmp_path) for job in ("dies once", "a", "breaks", "dies always", "b")], crew))
    finally:
        crew.close()
    ends: dict[int, Any] = {one.number: one for one in found if one.kind != "progress" and not one.again}
    assert [ends[n].kind for n in range(5)] == ["done", "done", "error", "died", "done"]
    assert [ends[n].tries for n in range(5)] == [2, 1, 1, TRIES, 1]
    assert ends[2].value == "unexpected ZeroDivisionError: by nothing"
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_actors_edit_to_the_same_bytes(
    editor: VideoEditor, jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))
    told = list[JobProgress]()
    done = edit_many(jobs[1:], threads=ONE, ray="local", progress=told.append)
    assert [result.status for result in done.results] == ["failed", "done"]
    assert jobs[2].output.read_bytes() == alone(editor, jobs[2], tmp_path / "alone.mp4")
    assert {one.number for one in told} <= {1}


def test_no_cluster_at_an_address() -> None:
    job = Job(source=Path("a.mp4"), output=Path("b.mp4"), edits=("age=1",))
    with pytest.raises(UsageError, match=r"no Ray cluster answers at 127\.0\.0\.1:1 .*--ray local"):
        edit_many([job], ray="127.0.0.1:1")


def test_what_answers_and_is_no_cluster_is_given_up() -> None:
    """In a process of its own: Ray reads its limits when it is imported."""
    program = "import sys; from pathlib import Path; from vidinv import Job, edit_many\n" + (
        "edit_many([Job(source=Path('a.mp4'), output=Path('b.mp4'), edits=('age=1',))], ray=sys.argv[1])"
    )
    with socket.create_server(("", 0)) as silent:
        command = [sys.executable, "-c", program, f"127.0.0.1:{silent.getsockname()[1]}"]
        quick = os.environ | {"RAY_py_gcs_connect_timeout_s": "1"}
        done = subprocess.run(command, env=quick, capture_output=True, text=True, timeout=60)
    assert "UsageError: no Ray cluster answers at 127.0.0.1:" in done.stderr
