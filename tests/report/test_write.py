"""Reports of one run: all of them or none."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tests.report.test_page import made_up
from vidinv.errors import DiskFull, OutputUnwritable
from vidinv.report.write import write_report, write_reports


def test_where_one_does_not_fit_none_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, written = Path.write_bytes, list[Path]()

    def full(path: Path, data: bytes) -> int:
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DiskFull, match=r"b\.json"):
        write_reports(made_up(), [tmp_path / "a.json", tmp_path / "b.json"])
    assert len(written) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_report_without_its_folder_is_an_error_of_this_package(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritable, match=f"the folder {tmp_path / 'gone'} has gone"):
        write_report(made_up(), tmp_path / "gone" / "a.json")
