"""Attached files of Matroska that are copied from file to file: to FFmpeg each lies in memory, nine times over.

They go behind all else in the segment, where mkvpropedit puts them too, and the segment's list of places names them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from vidinv.video.matroska import HEAD, SEGMENT, element

_ATTACHMENTS, _PLACES, _PLACE, _ID, _AT, _CRC, _VOID = 0x1941A469, 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC, 0xBF, 0xEC
_LOOKED_AT = 1 << 16  # bytes of a file, in which its list of places lies
_PIECE = 1 << 20

Read = Callable[[int, int], bytes]
"""From a place on, so many bytes; fewer where the file ends."""


@dataclass(frozen=True)
class Attached:
    """An attached file, where it lies."""

    at: int  # where its element begins
    end: int
    told: str  # what it is called, for people


def append(path: Path, read: Read, files: Sequence[Attached]) -> bool:
    """Copy attached files into a file that FFmpeg's muxer has completed.

    :param read: reads the file in which they lie.
    :return: False: nothing was done, for that has become shorter, or there is no room to name them in.
    :raises OSError: it cannot be read or written.
    """
    size = sum(one.end - one.at for one in files)
    with path.open("r+b") as file:
        head, end = _Head.of(file.read(_LOOKED_AT)), file.seek(0, 2)
        places = head.naming(end) if head is not None and head.end == end else None
        if head is None or places is None:
            return False
        file.write(_head(_ATTACHMENTS, size))
        begun = file.tell()
        for piece in _pieces(read, files):
            file.write(piece)
        if file.tell() != begun + size:
            file.truncate(end)
            return False
        stop = file.tell()
        file.seek(head.begin - 8)
        file.write((stop - head.begin | 1 << 56).to_bytes(8, "big") + places)
    return True


def _pieces(read: Read, files: Sequence[Attached]) -> Iterator[bytes]:
    for one in files:
        at = one.at
        while at < one.end and (piece := read(at, min(one.end - at, _PIECE))):
            at += len(piece)
            yield piece


@dataclass(frozen=True)
class _Head:
    """The beginning of a segment as FFmpeg writes it: its list of places, and empty room for more of them."""

    begin: int  # of the segment's content
    end: int
    room: int  # bytes of the list and of what is empty behind it
    listed: bytes  # what the list holds
    summed: bool  # beside its checksum

    @classmethod
    def of(cls, data: bytes) -> Self | None:
        """None: it begins otherwise."""
        first = _known(data, 0, HEAD)
        segment = first and _known(data, first[1], SEGMENT)
        if not first or not segment or segment[0] - first[1] != 12:
            return None
        places = _known(data, segment[0], _PLACES)
        empty = places and _known(data, places[1], _VOID)
        if not places or not empty or empty[1] > len(data):
            return None
        checksum = _known(data, places[0], _CRC)
        listed = data[checksum[1] if checksum else places[0] : places[1]]
        return cls(segment[0], segment[1], empty[1] - segment[0], listed, checksum is not None)

    def naming(self, at: int) -> bytes | None:
        """The list with attachments at a place in the file, and what is empty behind it; None: there is no room."""
        where = (at - self.begin).to_bytes(8, "big")
        named = _head(_ID, 4) + _ATTACHMENTS.to_bytes(4, "big") + _head(_AT, 8) + where
        listed = self.listed + _head(_PLACE, len(named)) + named
        if self.summed:
            listed = bytes((_CRC, 0x84)) + zlib.crc32(listed).to_bytes(4, "little") + listed
        whole = _head(_PLACES, len(listed)) + listed
        rest = self.room - len(whole) - 9
        return None if rest < 0 else whole + _head(_VOID, rest) + bytes(rest)


def _known(data: bytes, at: int, name: int) -> tuple[int, int] | None:
    """Where the content of the element that begins there begins and ends, if it has that id and a length."""
    found = element(data, at)
    return None if found is None or found[0] != name or found[2] is None else (found[1], found[1] + found[2])


def _head(name: int, size: int) -> bytes:
    """Of an element: its id, and its length in eight bytes."""
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + (size | 1 << 56).to_bytes(8, "big")
