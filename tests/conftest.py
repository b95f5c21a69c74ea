"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.shared import shared

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers share the cores; programs that tests start read it too
os.environ["VIDINV_PACKS"] = str(Path(__file__).parent / "nobodys-packs")  # not those of whoever runs the tests


@pytest.fixture(scope="session")
def shared_clips() -> Path:
    """The folder of real clips: VIDINV_SHARED/clips, or ../shared/clips beside the repository."""
    return shared("clips")
