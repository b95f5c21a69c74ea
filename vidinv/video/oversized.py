"""What of a Matroska file is larger than FFmpeg reads: it is hidden from FFmpeg, and named.

At an element beyond its bounds FFmpeg begins the file's head anew, so that every track is there twice, and what follows
the element is not there.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vidinv.video.matroska import HEAD, SEGMENT, element

LARGEST_TEXT, LARGEST_DATA = 1 << 24, 1 << 28
"""Bytes of an element that FFmpeg reads: as a text, as an attached file."""
_MOST = 200_000  # elements that are looked at
_INFO, _ATTACHMENTS, _ATTACHED, _TAGS, _TAG, _SIMPLE = 0x1549A966, 0x1941A469, 0x61A7, 0x1254C367, 0x7373, 0x67C8
_DATA, _TEXTS = 0x465C, (0x466E, 0x467E, 0x4660, 0x45A3, 0x447A, 0x4487, 0x7BA9, 0x4D80, 0x5741)
_NAMES = {_ATTACHED: (0x466E, "attachment"), _SIMPLE: (0x45A3, "tag"), _INFO: (0x7BA9, "title")}
_VOID = 0xEC


@dataclass(frozen=True)
class Oversized:
    """An element that is hidden."""

    at: int  # where it begins in the file
    head: bytes  # that makes it one of nothing, of the same length
    told: str  # what it is, for people


def oversized(path: Path) -> tuple[Oversized, ...]:
    """Attachments, tags and titles that are larger than what is read. :raises OSError: it cannot be read."""
    found: list[Oversized] = []
    with path.open("rb") as file:
        if file.read(4) != HEAD.to_bytes(4, "big"):
            return ()
        left = [_MOST]
        size = os.fstat(file.fileno()).st_size
        for name, content, end, _ in _within(file, 0, size, left):
            if name == SEGMENT:
                for inner, begin, stop, at in _within(file, content, end, left):
                    _look(file, (inner, begin, stop, at), left, found)
    return tuple(found)


def _within(file: BinaryIO, at: int, end: int, left: list[int]) -> Iterator[tuple[int, int, int, int]]:
    """Elements side by side: id, where the content begins and ends, where it begins itself. Up to one whose length
    nobody knows, or which reaches further than what it lies in."""
    while at < end and left[0] > 0:
        left[0] -= 1
        file.seek(at)
        found = element(file.read(12), 0)
        if found is None:
            return
        name, head, length = found
        if length is None:
            if name == SEGMENT:
                yield name, at + head, end, at
            return
        if name != SEGMENT and at + head + length > end:
            return
        stop = min(at + head + length, end)
        yield name, at + head, stop, at
        at = stop


def _look(file: BinaryIO, one: tuple[int, int, int, int], left: list[int], found: list[Oversized]) -> None:
    name, begin, stop, _ = one
    if name in (_ATTACHMENTS, _TAGS, _TAG):
        for inner in _within(file, begin, stop, left):
            _look(file, inner, left, found)
    elif name in _NAMES and stop - begin > LARGEST_TEXT:
        large = [inner for inner in _within(file, begin, stop, left) if _too_large(file, inner, left)]
        hidden = large if name == _INFO else [one] if large else []
        called, kind = _NAMES[name]
        title = next((_text(file, i) for i in _within(file, begin, stop, left) if i[0] == called), "")
        for inner in hidden:
            size = max(i[2] - i[1] for i in large)
            told = kind if name == _INFO else f"{kind} {title or 'without a name'}"
            found.append(Oversized(inner[3], _nothing(file, inner[3]), f"{told} ({size / 2**20:.0f} MiB)"))


def _too_large(file: BinaryIO, one: tuple[int, int, int, int], left: list[int]) -> bool:
    name, begin, stop, _ = one
    if name == _SIMPLE:  # tags of a tag go with it
        return any(_too_large(file, inner, left) for inner in _within(file, begin, stop, left))
    return stop - begin > (LARGEST_DATA if name == _DATA else LARGEST_TEXT if name in _TEXTS else stop)


def _text(file: BinaryIO, one: tuple[int, int, int, int]) -> str:
    file.seek(one[1])
    return file.read(min(one[2] - one[1], 80)).rstrip(b"\0").decode("utf-8", "replace")


def _nothing(file: BinaryIO, at: int) -> bytes:
    """The head of a void element in place of one whose id has two bytes: its content is a byte longer."""
    file.seek(at)
    width = 9 - file.read(3)[2].bit_length()
    file.seek(at + 2)
    size = int.from_bytes(file.read(width), "big") + 1
    return bytes([_VOID]) + size.to_bytes(width, "big")


def as_read(path: Path) -> str | Hiding:
    """What FFmpeg is given to open; a name is never an address, whatever it has before a colon."""
    with suppress(OSError):  # whoever opens it says why it cannot be read
        if found := oversized(path):
            return Hiding(path, found)
    return f"file:{path}"


def left_out(path: Path) -> tuple[str, ...]:
    """A warning for each that is hidden. :raises OSError: it cannot be read."""
    return tuple(
        f"{one.told} is larger than what can be read of its kind ({LARGEST_DATA >> 20} MiB of a file, "
        f"{LARGEST_TEXT >> 20} MiB of a text); it was left out"
        for one in oversized(path)
    )


class Hiding(io.FileIO):
    """A file, with other heads of some elements."""

    def __init__(self, path: Path, hidden: tuple[Oversized, ...]) -> None:
        super().__init__(path, "rb")
        self._hidden = hidden
        self.name = f"file:{path}"

    def read(self, size: int | None = -1, /) -> bytes:
        at, data = self.tell(), super().read(size)
        for one in self._hidden:
            first, behind = max(one.at, at), min(one.at + len(one.head), at + len(data))
            if first < behind:
                data = data[: first - at] + one.head[first - one.at : behind - one.at] + data[behind - at :]
        return data
