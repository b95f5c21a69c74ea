"""The README is true: its commands are the real ones and its code runs. Links and tables: test_docs.py."""

from __future__ import annotations

import re
import shlex
from itertools import islice
from pathlib import Path

import pytest

from vidinv.stages.decode import decode

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def test_ci_runs_exactly_the_readmes_test_command() -> None:
    commands = [line for line in blocks("bash")[1].splitlines() if line]
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    assert commands == script[-len(commands) :]


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 110, "the rest belongs into docs/"


@pytest.mark.slow
def test_the_first_command_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vidinv.cli.main import main

    command = shlex.split(blocks("bash")[0].split("&&")[-1].strip())
    assert command[0].endswith("vidinv")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    monkeypatch.setattr("sys.argv", ["vidinv", *command[1:]])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    assert (tmp_path / "edited.mp4").stat().st_size > 10_000
    assert (tmp_path / "report.json").exists()


@pytest.mark.slow
def test_the_python_lines_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    frames = [f.image for f in islice(decode("assets/sample.mp4"), 5)]
    exec(compile(blocks("python")[0], "README.md", "exec"), {"frames": frames})
    assert (tmp_path / "younger.mp4").exists()
