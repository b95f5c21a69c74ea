"""Reading a benchmark overwrites nothing that git keeps, unless --publish says so."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from benchmarks.editing.nod import nod_kept
from benchmarks.output import RESULTS, ROOT, RUNS, add_output, destination, tell


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
