"""Settings files: what they include, and what they may not hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from vidinv.training.settings import build, read_settings


def test_a_file_takes_the_tables_that_it_has_not_itself_from_what_it_includes(tmp_path: Path) -> None:
    (tmp_path / "edits.toml").write_text("[edits.age]\ntwo_steps = 3.0\n")
    (tmp_path / "base.toml").write_text('include = ["edits.toml"]\n[network]\nwidth = 4\n[loop]\nrate = 1.0\n')
    (tmp_path / "more.toml").write_text('include = ["base.toml"]\n[loop]\nrate = 0.5\n')
    expected = {"edits": {"age": {"two_steps": 3.0}}, "network": {"width": 4}, "loop": {"rate": 0.5}}
    assert read_settings(tmp_path / "more.toml") == expected


def test_a_table_takes_the_keys_that_it_has_not_itself_too(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("[loop]\nrate = 1.0\nbatch = 4\n[loop.critic]\nr1 = 0.5\nevery = 2\n")
    (tmp_path / "more.toml").write_text('include = ["base.toml"]\n[loop]\nbatch = 8\n[loop.critic]\nr1 = 1.0\n')
    expected = {"loop": {"rate": 1.0, "batch": 8, "critic": {"r1": 1.0, "every": 2}}}
    assert read_settings(tmp_path / "more.toml") == expected


def test_an_unknown_key_is_named() -> None:
    @dataclass(frozen=True)
    class Loop:
        rate: float = 1.0

    with pytest.raises(ValueError, match="Loop has no speed"):
        build(Loop, {"speed": 2.0})
