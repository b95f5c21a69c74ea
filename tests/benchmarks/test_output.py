"""Reading a benchmark overwrites nothing that git keeps, unless --publish says so."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from benchmarks.editing.nod import nod_kept
from benchmarks.output import RESULTS, ROOT, RUNS, add_output, destination, tell
from benchmarks.speed import report
from benchmarks.tables import measured_with


def given(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_output(parser)
    return parser.parse_args(words)


def test_figures_go_where_git_does_not_look() -> None:
    assert destination(given(), "speed.json") == RUNS / "speed.json"
    assert "/runs/" in (ROOT / ".gitignore").read_text().splitlines()
    assert RUNS.is_relative_to(ROOT / "runs")
    assert destination(given("--publish"), "speed.json") == RESULTS / "speed.json"
    assert destination(given("--out", "a.json"), "speed.json") == Path("a.json")
    with pytest.raises(SystemExit):
        given("--publish", "--out", "a.json")


def test_every_benchmark_asks_the_same_helper() -> None:
    for name in ("editing", "generator", "inversion", "memory", "published", "ravdess", "speed"):
        text = (ROOT / "benchmarks" / name / "__main__.py").read_text()
        assert "add_output(parser)" in text, name
        assert "destination(options" in text, name


def test_figures_are_told_and_written(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    tell({"a": 1}, tmp_path / "deep" / "a.json")
    assert json.loads((tmp_path / "deep" / "a.json").read_text()) == {"a": 1}
    assert '"a": 1' in capsys.readouterr().out


@pytest.mark.parametrize("rate", [25.0, 60.0])
def test_a_slow_nod_is_kept_at_any_rate(rate: float) -> None:
    kept = nod_kept(rate)
    assert list(kept) == ["0.5 Hz", "1 Hz", "2 Hz", "3 Hz"]
    assert kept["1 Hz"] == pytest.approx(0.96, abs=0.01)  # at least what align's options promise
    assert 1 > kept["0.5 Hz"] > kept["1 Hz"] > kept["2 Hz"] > kept["3 Hz"] > 0


def test_a_clip_over_which_a_checkout_ended_says_so_in_the_table() -> None:
    rows = report.against({"clips": {"a.mp4": {"error": "base ended with -9 at edit"}}})
    assert rows[-1].startswith("| a.mp4 | base ended with -9 at edit |")
    assert rows[-1].count("|") == rows[0].count("|")


def test_what_was_not_measured_names_the_command_that_would() -> None:
    (line,) = measured_with("no-such-result.json", report.peers, "benchmarks.peers CLIP")
    assert "python -m benchmarks.peers CLIP --publish" in line
