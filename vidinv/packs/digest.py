"""What vouches for a file: its sha256."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from vidinv import regular

LARGEST = 8 << 30  # bytes; the largest published checkpoints have 2


def check_regular(path: Path, most: int | None = LARGEST) -> None:
    """As :func:`vidinv.regular.check_regular`, of a file of weights."""
    regular.check_regular(path, most)


def sha256(path: Path) -> str:
    """Hex digest of a file, read in pieces. :raises OSError: it cannot be read, or is no regular file."""
    check_regular(path, None)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content(path: Path) -> str:
    """The same, which is read once as long as the file is as it was: by its place, size and times.

    For what is asked of the same files again and again, such as a long video; what a file is trusted by is read anew.

    :raises OSError: as of :func:`sha256`.
    """
    at = path.stat()
    return _remembered(path, (at.st_dev, at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns))


@lru_cache(maxsize=1024)
def _remembered(path: Path, as_it_is: tuple[int, ...]) -> str:
    return sha256(path)
