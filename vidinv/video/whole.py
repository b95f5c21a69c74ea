"""Is a video file whole? By what its container says of its own size, and by whether it is still the file that it was.

FFmpeg ends quietly where a file ends early in most containers, and hands out what was there.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

_HEAD = 1 << 16  # bytes in which headers are looked for
_SLACK = 16  # bytes by which writers count themselves wrongly
_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675  # of Matroska (RFC 9559)
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # the file properties object of ASF, section 3.2


def missing_bytes(path: Path) -> int:
    """Bytes that the container says are there, behind the file's end; of an element cut in its head, one.

    0: the file is whole, or its container does not say. Matroska and WebM, MP4 and MOV, AVI, FLV, ASF, MPEG-TS.

    :raises OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_HEAD)
        if head.startswith(b"\x1a\x45\xdf\xa3"):
            return _of_ebml(file, size)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp"):
            return _beyond(_of_boxes(file, size))
        if head.startswith(b"RIFF"):
            return _beyond(_of_riff(file, size))
        if head.startswith(b"FLV"):
            found = head.find(b"filesize\0")
            stated = struct.unpack_from(">d", head, found + 9)[0] if 0 <= found < len(head) - 17 else 0.0
            return _beyond(int(stated) - size if 0 < stated < 2**62 else 0)
        if (found := head.find(_ASF_PROPERTIES)) >= 0 and len(head) >= found + 48:
            return _beyond(struct.unpack_from("<Q", head, found + 40)[0] - size)
        if len(head) > 4 * 188 and set(head[: 4 * 188 : 188]) == {0x47}:
            return -size % 188
        return 0


def _beyond(missing: int) -> int:
    return missing if missing > _SLACK else 0


def _of_boxes(file: BinaryIO, size: int) -> int:
    """ISO/IEC 14496-12, section 4.2: a box says its size first; 1 is for a longer size, 0 for the rest of the file."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        length = int.from_bytes(head[8:16], "big") if length == 1 else length
        if length < 8:
            return 0
        at += length
    return at - size


def _of_riff(file: BinaryIO, size: int) -> int:
    """One list after another, each with its size; a recording that never ended says 0."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if name != b"RIFF" or not length:
            return 0
        at += 8 + length + length % 2
    return at - size


def _of_ebml(file: BinaryIO, size: int) -> int:
    """RFC 8794: elements with their sizes. Of segments and clusters it may be unknown; what is in them says its own."""
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(12)
        name, a = _number(head, 0, keep=True)
        length, b = _number(head, a, keep=False) if a else (None, 0)
        if not a or not b:
            return 0 if len(head) == 12 else 1
        at += b
        if length is None:
            if name not in (_SEGMENT, _CLUSTER):
                return 0
        elif at + length > size:
            return at + length - size
        else:
            at += length
    return 0


def _number(data: bytes, at: int, *, keep: bool) -> tuple[int | None, int]:
    """A number of variable length, with or without the mark of its length, and where it ends; 0: it is cut, or none.

    None is the size that says it is unknown.
    """
    first = data[at] if at < len(data) else 0
    length = 9 - first.bit_length()
    if not first or at + length > len(data):
        return None, 0
    value = int.from_bytes(data[at : at + length], "big")
    if keep:
        return value, at + length
    bits = (1 << 7 * length) - 1
    return (None if value & bits == bits else value & bits), at + length


def identity_of(path: Path) -> tuple[int, ...] | None:
    """What tells whether a file is still the same one, unchanged; None: it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def what_happened(before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> str:
    """Between two looks at a file: a clause, empty where nothing did."""
    if before is None or before == after:
        return ""
    if after is None:
        return "it was removed while it was read"
    if after[:2] != before[:2]:
        return "it was replaced while it was read"
    return f"it was {'cut' if after[2] < before[2] else 'written to'} while it was read"
