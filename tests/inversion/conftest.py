"""Codes of a short video, made once for a file of tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="module", autouse=True)
def quick(one_thread: None) -> None: ...


@pytest.fixture
def copied(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "copied.vidinv"))
