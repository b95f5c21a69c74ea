"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ["VIDINV_PACKS"] = str(Path(__file__).parent / "nobodys-packs")  # not those of whoever runs the tests


@pytest.fixture(scope="session")
def shared_clips() -> Path:
    """The folder of real clips: VIDINV_SHARED/clips, or ../shared/clips beside the repository."""
    shared = Path(os.environ.get("VIDINV_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (shared / "clips").is_dir():
        pytest.skip(f"no clips in {shared}; set VIDINV_SHARED")
    return shared / "clips"
