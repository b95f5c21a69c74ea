"""Boxes, of which MP4 and MOV are made: ISO/IEC 14496-12, section 4.2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO


def boxes(file: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Of each box in a part of a file: kind, and where its content begins and ends. The last may say that it ends
    behind that part."""
    at = begin
    while at + 8 <= end:
        file.seek(at)
        head = file.read(16)
        length, used = int.from_bytes(head[:4], "big"), 8
        if length == 1:  # a longer size follows
            length, used = int.from_bytes(head[8:], "big"), 16
        elif length == 0:  # the rest
            length = end - at
        if length < used:
            return
        yield head[4:8], at + used, at + length
        at += length
