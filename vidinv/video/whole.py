"""Is a video file whole? By what its container says of its own size, and by whether it is still the file that it was.

FFmpeg ends quietly where a file ends early in most containers, and hands out what was there.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from vidinv.video.boxes import boxes
from vidinv.video.matroska import CLUSTER, SEGMENT, element

_HEAD = 1 << 16  # bytes in which headers are looked for
_SLACK = 16  # bytes by which writers count themselves wrongly
_BOXES = {b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"mfra", b"sidx", b"ssix", b"emsg", b"prft", b"pdin", b"pnot"}
_BOXES |= {b"free", b"skip", b"wide", b"uuid", b"meta", b"udta"}  # of MP4 and MOV that have others beside them
_UNKNOWN = (0, 0xFFFFFFFF)  # sizes that recordings leave which never ended
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # the file properties object of ASF, section 3.2


def missing_bytes(path: Path, listed: Callable[[], int] = lambda: 0) -> int:
    """Bytes that the container says are there, behind the file's end; of an element cut in its head, one.

    0: the file is whole, or its container does not say. Matroska and WebM, MP4 and MOV, AVI, FLV, ASF, MPEG-TS.

    :param listed: asked where the last packet ends that MP4's index names; a file that reaches so far, and has no
        fragments with packets of their own, is whole whatever its boxes say. 0: not known.
    :raises OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_HEAD)
        if head.startswith(b"\x1a\x45\xdf\xa3"):
            return _of_ebml(file, size)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp"):
            return _beyond(_of_boxes(file, size, listed))
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


def _of_boxes(file: BinaryIO, size: int, listed: Callable[[], int]) -> int:
    """Of a last box of a known kind; what else is behind the boxes is a tail that some program put there."""
    fragments = False
    for kind, _, end in boxes(file, 0, size):
        fragments |= kind == b"moof"
        if end > size:
            there = kind not in _BOXES or (not fragments and 0 < listed() <= size)
            return 0 if there else end - size
    return 0


def _of_riff(file: BinaryIO, size: int) -> int:
    """One list after another, each with its size; a recording that never ended says none."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if name != b"RIFF" or length in _UNKNOWN:
            return 0
        at += 8 + length + length % 2
    return at - size


def _of_ebml(file: BinaryIO, size: int) -> int:
    """RFC 8794: elements with their sizes. Of segments and clusters it may be unknown; what is in them says its own."""
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(12)
        found = element(head, 0)
        if found is None:
            return 0 if len(head) == 12 else 1
        name, content, length = found
        at += content
        if length is None:
            if name not in (SEGMENT, CLUSTER):
                return 0
        elif at + length > size:
            return at + length - size
        elif name == SEGMENT:  # what is behind it is a tail
            return 0
        else:
            at += length
    return 0


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
