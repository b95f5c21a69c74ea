"""Real material beside the repository; tests that use it skip, with the reason, where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared(part: str) -> Path:
    """VIDINV_SHARED/part, or ../shared/part beside the repository; skips the test where it is not there.

    With FAIL_WITHOUT_SHARED=1 the test fails instead: for a machine that is meant to have the material, where a skip
    would hide that a path is wrong.
    """
    default = Path(__file__).resolve().parents[2] / "shared"
    path = Path(os.environ.get("VIDINV_SHARED", default)) / part
    if not path.exists():
        missing = f"no {path}; set VIDINV_SHARED"
        if os.environ.get("FAIL_WITHOUT_SHARED") == "1":
            pytest.fail(f"{missing}, or unset FAIL_WITHOUT_SHARED", pytrace=False)
        pytest.skip(missing)
    return path
