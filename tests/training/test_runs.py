"""A run that stops and resumes: means and not sums are logged, clocks run out, a diverged run overwrites nothing."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
import torch

from vidinv.training import checkpoints
from vidinv.training.adversarial import GanOptions
from vidinv.training.runs import Run
from vidinv.training.settings import build


def test_means_are_over_the_steps_that_had_a_figure(tmp_path: Path) -> None:
    run = Run(tmp_path / "log.jsonl")
    assert not run.add({"d": torch.tensor(1.0), "r1": torch.tensor(8.0)}, 4)
    assert not run.add({"d": torch.tensor(3.0)}, 4)
    means = run.means()
    assert (means["d"], means["r1"]) == (2.0, 8.0)
    assert means["images_per_second"] > 0
    run.write(8, {**means, "coverage": None})
    run.rest()
    run.add({"d": torch.tensor(5.0)}, 4)
    assert run.means()["d"] == 5.0
    line = json.loads((tmp_path / "log.jsonl").read_text())
    assert line["seen"] == 8
    assert line["coverage"] is None


def test_a_run_is_over_after_its_minutes_loading_included(tmp_path: Path) -> None:
    late = Run(tmp_path / "log.jsonl", minutes=9, begun=time.monotonic() - 541)
    assert late.over
    assert late.add({}, 1)
    assert not Run(tmp_path / "log.jsonl", minutes=9, begun=time.monotonic() - 530).over


def test_a_checkpoint_is_due_when_its_seconds_are_over(tmp_path: Path) -> None:
    assert Run(tmp_path / "log.jsonl", every=0).add({}, 1)
    assert not Run(tmp_path / "log.jsonl", every=60).add({}, 1)


def test_a_diverged_run_is_stopped_before_its_checkpoint(tmp_path: Path) -> None:
    run = Run(tmp_path / "log.jsonl")
    run.add({"d": torch.tensor(1.0), "g": torch.tensor(float("nan"))}, 4)
    with pytest.raises(FloatingPointError, match=r"diverged \(g\); nothing"):
        run.means()


def test_settings_become_options_all_the_way_down_and_unknown_keys_are_named() -> None:
    how = build(GanOptions, {"batch": 8, "critic": {"r1": 3.0}})
    assert (how.batch, how.critic.r1, how.critic.r1_every) == (8, 3.0, 16)
    with pytest.raises(ValueError, match="CriticOptions has no gamma"):
        build(GanOptions, {"critic": {"gamma": 3.0}})


def test_a_run_tells_how_many_images_its_minutes_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    run = Run(tmp_path / "log.jsonl", minutes=2, begun=0.0)
    now[0] = 10.0
    assert run.length(100) == sys.maxsize  # there is no speed yet
    now[0] = 40.0
    assert run.length(400) == 400 + 10 * 80
    now[0] = 130.0
    assert run.length(1300) == 1300


def test_what_goes_on_elsewhere_is_handed_out_and_replaces_what_was(tmp_path: Path) -> None:
    run, to = tmp_path / "run", tmp_path / "to"
    run.mkdir()
    (run / "log.jsonl").write_text("{}\n")
    for seen in (5, 10):
        content = {"net": torch.full((3, 3), float(seen)), "optimiser": {"net": torch.ones(9)}, "seen": seen}
        checkpoints.keep(run, content, {"seen": seen}, 1)
        (run / f"sheet-{seen:07d}-0.png").write_bytes(b"")
        checkpoints.hand_out(run, to)
    assert {p.name for p in to.iterdir()} == {
        "log.jsonl",
        "sheet-0000010-0.png",
        "state-portable.json",
        "state-portable-00000010.000",
    }
    assert checkpoints.resume(to)["seen"] == 10
