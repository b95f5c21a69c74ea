"""Ray's actors do what processes do."""

from __future__ import annotations

import importlib.util
import os
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
