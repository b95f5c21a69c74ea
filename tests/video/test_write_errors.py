"""What the system refuses becomes a sentence that says what to do about it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from vidinv.errors import DiskFull, OutputUnwritable
from vidinv.video.output import write_error


@pytest.mark.parametrize(
    ("number", "there", "kind", "said"),
    [
        (errno.ENOSPC, True, DiskFull, "no space left"),
        (errno.EDQUOT, True, DiskFull, "no space left"),
        (errno.EFBIG, True, DiskFull, "larger than is allowed there"),
        (errno.ENOENT, True, OutputUnwritable, "the hidden folder of its run has gone"),
        (errno.ENOENT, False, OutputUnwritable, "has gone; begin anew"),
        (errno.EROFS, True, OutputUnwritable, "no permission"),
    ],
)
def test_each_refusal_has_its_own_advice(tmp_path, number, there, kind, said):
    folder: Path = tmp_path if there else tmp_path / "removed"
    told = write_error(OSError(number, os.strerror(number)), folder / "out.mp4")
    assert type(told) is kind
    assert said in str(told)
    assert "Another container" not in str(told)
