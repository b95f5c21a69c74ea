"""Dolby Vision, as a container records it: see "Dolby Vision Streams within the ISO Base Media File Format", 2.4."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from vidinv.video.boxes import boxes
from vidinv.video.matroska import SEGMENT, contents

RECORDS = (b"dvcC", b"dvvC")
_TO_FORMATS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")  # of MP4's tracks
_COUNT, _VISUAL = 8, 78  # bytes before the first format, and in one before its boxes (ISO/IEC 14496-12, 8.5.2, 12.1.3)
_TO_MAPPINGS = (SEGMENT, 0x1654AE6B, 0xAE, 0x41E4)  # Tracks, TrackEntry, BlockAdditionMapping (RFC 9559, 5.1.4)
_TYPE, _DATA = 0x41E7, 0x41ED  # BlockAddIDType, BlockAddIDExtraData
_HEAD = 1 << 18  # bytes of Matroska that are looked through


@dataclass(frozen=True)
class DolbyVision:
    profile: int
    base: int  # what plays without it: 0 nothing, 1 HDR10, 2 SDR, 4 HLG


def dolby_vision(path: Path, container: str) -> DolbyVision | None:
    """The record in a file's head; None: there is none. :param container: name of its format."""
    with path.open("rb") as file:
        if "mov" in container:
            records = _of_formats(file)
        elif "matroska" in container:
            records = _of_mappings(file.read(_HEAD))
        else:
            return None
        for record in records:
            if len(record) >= 5:
                return DolbyVision(record[2] >> 1, record[4] >> 4)
    return None


def _of_formats(file: BinaryIO) -> Iterator[bytes]:
    """MP4 has the record as a box within the format of a track's pictures."""
    for begin, end in _inside(file, 0, os.fstat(file.fileno()).st_size, _TO_FORMATS):
        for _, entry, entry_end in boxes(file, begin + _COUNT, end):
            for kind, content, _ in boxes(file, entry + _VISUAL, entry_end):
                if kind in RECORDS:
                    file.seek(content)
                    yield file.read(5)


def _inside(file: BinaryIO, begin: int, end: int, kinds: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Where the content of every box begins and ends that is found by following ``kinds`` inwards."""
    if not kinds:
        yield begin, end
        return
    found = (place for kind, *place in boxes(file, begin, end) if kind == kinds[0])
    yield from chain.from_iterable(_inside(file, at, min(to, end), kinds[1:]) for at, to in found)


def _of_mappings(head: bytes) -> Iterator[bytes]:
    """Matroska has it as data of its own, of a type that is a number made of the box's name."""
    for mapping in contents(head, _TO_MAPPINGS):
        if next(contents(mapping, (_TYPE,)), b"") in RECORDS:
            yield next(contents(mapping, (_DATA,)), b"")
