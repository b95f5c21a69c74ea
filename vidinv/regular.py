"""Files that are read whole: regular ones with an end, and no more of them than there is memory for."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

LARGEST_TEXT = 1 << 24
"""Bytes of a text that becomes lists and tables, such as a file of jobs: 50,000 of them have half of that."""
LARGEST_TABLE = 1 << 28
"""Bytes of a CSV file: two hours of a face's landmarks, frame by frame."""


def check_regular(path: Path, most: int | None) -> None:
    """What is read whole is a file with an end: no device, no pipe, behind a link or not, and none of any size.

    :raises OSError: it is another, or cannot be read.
    """
    _check(path.stat(), path, most)


def _check(found: os.stat_result, path: Path, most: int | None) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is a device or a pipe and no file", str(path))
    if most is not None and found.st_size > most:
        raise OSError(errno.EFBIG, f"it has {found.st_size} bytes, and {most} are the most that is read", str(path))


@contextmanager
def opened_text(path: Path, most: int = LARGEST_TABLE, encoding: str = "utf-8-sig") -> Iterator[TextIO]:
    """A text, with ends of lines as they are; of the file that was looked at, whatever has its name meanwhile.

    :raises OSError: it cannot be read, or is none that is.
    """
    # A pipe that nobody writes to would be waited for, before anything could be said of it.
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with io.TextIOWrapper(open(number, "rb"), encoding, newline="") as file:
        _check(os.fstat(number), path, most)
        yield file


def read_text(path: Path, most: int = LARGEST_TEXT) -> str:
    """All of it, UTF-8. :raises OSError: as of :func:`opened_text`. :raises UnicodeDecodeError: it is none."""
    with opened_text(path, most, "utf-8") as file:
        return file.read(most)
