"""Real material beside the repository; tests that use it skip, with the reason, where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared(part: str) -> Path:
    """VIDINV_SHARED/part, or ../shared/part beside the repository; skips the test where it is not there."""
    default = Path(__file__).resolve().parents[2] / "shared"
    path = Path(os.environ.get("VIDINV_SHARED", default)) / part
    if not path.exists():
        pytest.skip(f"no {path}; set VIDINV_SHARED")
    return path
