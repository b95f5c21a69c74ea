"""Tests without their material skip with the reason, or fail where that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shared import shared


def test_what_is_there_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDINV_SHARED", str(tmp_path))
    (tmp_path / "clips").mkdir()
    for asked in ("0", "1"):
        monkeypatch.setenv("FAIL_WITHOUT_SHARED", asked)
        assert shared("clips") == tmp_path / "clips"


def test_what_is_missing_skips_or_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDINV_SHARED", str(tmp_path))
    monkeypatch.delenv("FAIL_WITHOUT_SHARED", raising=False)
    with pytest.raises(pytest.skip.Exception, match="set VIDINV_SHARED"):
        shared("clips")
    monkeypatch.setenv("FAIL_WITHOUT_SHARED", "1")
    with pytest.raises(pytest.fail.Exception, match="unset FAIL_WITHOUT_SHARED"):
        shared("clips")
