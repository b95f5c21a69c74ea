"""Files that are read whole: regular ones with an end, and no more of them than there is memory for."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

LARGEST_TEXT = 1 << 24
"""Bytes of a text that becomes lists and tables, such as a file of jobs: 50,000 of them have half of that."""
LARGEST_TABLE = 1 << 28
"""Bytes of a CSV file: two hours of a face's landmarks, frame by frame."""
MOST_LINES, LONGEST_LINE = 2_000_000, 1 << 16
"""Of a CSV file: ten hours at 50 frames/s, and characters of one, a driver's landmarks being 3,000."""
LARGEST_HEADER = 1 << 22
"""Bytes that a safetensors file may have before its tensors: a thousand tensors have 100,000."""
MOST_TENSORS, MOST_AXES = 20_000, 16
_DEEP = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){50}""")
"""a.a.a, which costs a parser its square: minutes for 200,000 bytes."""


def resolved(path: Path) -> Path:
    """What a name leads to, behind its links, whether or not it is there.

    Of links that lead to themselves the name, which the system refuses to open: at those :meth:`Path.resolve` raises an
    error that is no OSError.
    """
    return Path(os.path.realpath(path))


def unnameable(path: Path) -> str:
    """Why no file can have that name; "": one can, whether or not there is one."""
    try:
        os.lstat(path)
    except ValueError as error:  # a nul, or half a character
        return str(error)
    except OSError as error:
        return too_long(error)
    return ""


def too_long(error: OSError) -> str:
    """What the system says of a name that is too long for any file; "": the error is another."""
    return os.strerror(errno.ENAMETOOLONG) if error.errno == errno.ENAMETOOLONG else ""


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
    if why := unnameable(path):
        raise OSError(errno.EINVAL, why, str(path))
    # A pipe that nobody writes to would be waited for, before anything could be said of it.
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with io.TextIOWrapper(open(number, "rb"), encoding, newline="") as file:
        _check(os.fstat(number), path, most)
        yield file


def table_lines(file: TextIO) -> Iterator[str]:
    """Lines of a CSV file for a reader of :mod:`csv`, which for itself takes a line, a row and a file of any length.
    A row goes on over further lines within quotes, as spreadsheets write notes of several lines.

    :raises csv.Error: a row that is too long, or ends within quotes; too many lines.
    """
    count, begun, length, within = 0, 0, 0, False
    while line := file.readline(LONGEST_LINE + 1):
        count += 1
        if count > MOST_LINES:
            raise csv.Error(f"it has more than {MOST_LINES} lines, the most that are read")
        begun, length = (begun, length + len(line)) if within else (count, len(line))
        if length > LONGEST_LINE:
            whose = " from its quotes on" if within else ""
            raise csv.Error(f"line {begun} has more than {LONGEST_LINE} characters{whose}, the most that are read")
        within ^= line.count('"') % 2 == 1
        yield line
    if within:
        raise csv.Error(f"line {begun} ends within quotes")


def read_text(path: Path, most: int = LARGEST_TEXT) -> str:
    """All of it, UTF-8. :raises OSError: as of :func:`opened_text`. :raises UnicodeDecodeError: it is none."""
    with opened_text(path, most, "utf-8") as file:
        return file.read(most)


def read_toml(path: Path, most: int = LARGEST_TEXT) -> tuple[dict[str, Any], str]:
    """A TOML file, and its text; no number of it has more than the 64 bits that TOML promises, and no text a nul.

    :raises OSError: as of :func:`opened_text`. :raises ValueError: it is none, or nested deeper than anybody writes.
    """
    text = read_text(path, most)
    if found := _DEEP.search(text):
        raise ValueError(f"a name of more than 50 parts (line {text.count(chr(10), 0, found.start()) + 1})")
    try:
        told = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    waiting: list[Any] = [told]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            waiting += (*one, *one.values()) if isinstance(one, dict) else one
        elif isinstance(one, int) and not -(2**63) <= one < 2**63:
            raise ValueError("a whole number of more than 64 bits")
        elif isinstance(one, str) and "\0" in one:  # the system's own end of a name, which Python refuses to pass on
            raise ValueError(f"{one:.60}: a text with a nul character")
    return told, text


def check_header(path: Path) -> None:
    """What a safetensors file says of itself, before the library sees it, to which a million empty tensors are 40
    seconds and 3 GB, and one of 100,000 axes a minute.

    :raises OSError: it cannot be read. :raises ValueError: it says more than files of weights and codes do.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > LARGEST_HEADER:
            raise ValueError(f"its header has {size} bytes, and {LARGEST_HEADER} are the most that is read")
        try:
            table = json.loads(file.read(size))
        except RecursionError:
            raise ValueError("its header is nested too deep") from None
    if not isinstance(table, dict) or len(table) > MOST_TENSORS:
        raise ValueError(f"it is no table of {MOST_TENSORS} tensors or fewer")
    for name, told in table.items():
        shape = told.get("shape", []) if isinstance(told, dict) else []
        if isinstance(shape, list) and len(shape) > MOST_AXES:
            raise ValueError(f"its tensor {name:.60} has {len(shape)} axes, and {MOST_AXES} are the most")
