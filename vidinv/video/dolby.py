"""Dolby Vision, as a container records it: see "Dolby Vision Streams within the ISO Base Media File Format", 2.4."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

RECORDS = (b"dvcC", b"dvvC")
_LONGEST = 1 << 26  # bytes of MP4's list of everything that are looked through
_HEAD = 1 << 18  # bytes of other files


@dataclass(frozen=True)
class DolbyVision:
    profile: int
    base: int  # what plays without it: 0 nothing, 1 HDR10, 2 SDR, 4 HLG


def dolby_vision(path: Path, container: str) -> DolbyVision | None:
    """The record in a file's head; None: there is none. :param container: name of its format."""
    with path.open("rb") as file:
        head = _list_of_everything(file) if "mov" in container else file.read(_HEAD)
    for name in RECORDS:
        at = head.find(name)
        # Matroska has the record as data of its own, behind id and length.
        start = at + 4 if "mov" in container else head.find(b"\x41\xed", at) + 3
        if at >= 0 and start > at and len(head) >= start + 5:
            record = head[start : start + 5]
            return DolbyVision(record[2] >> 1, record[4] >> 4)
    return None


def _list_of_everything(file: BinaryIO) -> bytes:
    """The box "moov"."""
    for kind, size in _boxes(file):
        if kind == b"moov":
            return file.read(min(size, _LONGEST))
        file.seek(size, 1)
    return b""


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Kind and content's size of each outer box, with the file at its content."""
    while len(head := file.read(8)) == 8:
        size, used = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, used = int.from_bytes(file.read(8), "big"), 16
        if size == 0:
            size = _LONGEST + used  # to the end of the file
        if size < used:
            return
        yield head[4:], size - used
