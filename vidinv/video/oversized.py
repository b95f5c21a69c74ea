"""What of a Matroska file is larger than FFmpeg reads: it is hidden from FFmpeg, and named.

At an element beyond its bounds FFmpeg begins the file's head anew, so that every track is there twice, and what follows
the element is not there.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from vidinv.video.attachments import Attached
from vidinv.video.matroska import HEAD, SEGMENT, element

LARGEST_TEXT, LARGEST_DATA = 1 << 24, 1 << 28
"""Bytes of an element that FFmpeg reads: as a text, as an attached file."""
MOST_DATA = 1 << 29
"""Bytes of all attached files that are carried."""
MOST_READ = 1 << 24
"""The same of those that FFmpeg is shown, which holds each in memory, nine times over while a file is read, asked about
and written. More are copied past it: see :mod:`vidinv.video.attachments`."""
DEEPEST = 13
"""Tags within one another that FFmpeg reads: elements of any kind may be 16 deep, and these begin within others."""
_MOST = 200_000  # elements that are looked at
_INFO, _ATTACHMENTS, _ATTACHED, _TAGS, _TAG, _SIMPLE = 0x1549A966, 0x1941A469, 0x61A7, 0x1254C367, 0x7373, 0x67C8
_TRACKS, _TRACK, _CHAPTERS, _EDITION, _CHAPTER, _TITLE = 0x1654AE6B, 0xAE, 0x1043A770, 0x45B9, 0xB6, 0x80
_DATA = 0x465C
_TEXTS = (0x466E, 0x467E, 0x4660, 0x45A3, 0x447A, 0x4487, 0x7BA9, 0x4D80, 0x5741, 0x536E, 0x22B59C, 0x85, 0x437C)
_WITHIN = {_TRACKS: _TRACK, _CHAPTERS: _EDITION, _EDITION: _CHAPTER, _CHAPTER: _TITLE, _TAGS: _TAG, _TAG: _SIMPLE}
_NAMES = {_ATTACHED: (0x466E, "attachment"), _SIMPLE: (0x45A3, "tag"), _TITLE: (0x85, "title of a chapter")}
_PLAIN = {_INFO: "title", _TRACK: "name of a track"}  # of which the text alone is hidden: the rest is needed
_VOID = 0xEC

_Place = tuple[int, int, int, int]  # id, where the content begins and ends, where it begins itself


@dataclass(frozen=True)
class Oversized:
    """An element that is hidden."""

    at: int  # where it begins in the file
    head: bytes  # that makes it one of nothing, of the same length
    told: str  # what it is, and why it is hidden, for people; "": it is carried all the same


def oversized(path: Path) -> tuple[Oversized, ...]:
    """Attachments, tags and titles that are more than what is read. :raises OSError: it cannot be read."""
    with path.open("rb") as file:
        return tuple(_looked(file).found)


def _looked(file: BinaryIO) -> _Look:
    look = _Look(file)
    file.seek(0)
    if file.read(4) == HEAD.to_bytes(4, "big"):
        for one in look.within(0, os.fstat(file.fileno()).st_size):
            if one[0] == SEGMENT:
                for inner in look.within(one[1], one[2]):
                    look.at(inner)
    if look.much:
        for one in look.held:
            look.hide(one, "")
    return look


@dataclass
class _Look:
    """Through a file, from its beginning."""

    file: BinaryIO
    found: list[Oversized] = field(default_factory=list)
    left: int = _MOST
    held: list[_Place] = field(default_factory=list)  # attached files that are carried

    @property
    def size(self) -> int:
        """Bytes of what is carried."""
        return sum(one[2] - one[1] for one in self.held)

    @property
    def much(self) -> bool:
        """It is more than FFmpeg is shown."""
        return self.size > MOST_READ

    def within(self, at: int, end: int) -> Iterator[_Place]:
        """Elements side by side, up to one whose length nobody knows, or which reaches further than what it lies in."""
        while at < end and self.left > 0:
            self.left -= 1
            self.file.seek(at)
            found = element(self.file.read(12), 0)
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

    def at(self, one: _Place) -> None:
        """Hide what of an element is too much."""
        name, begin, stop, _ = one
        large = stop - begin > LARGEST_TEXT
        if name == _ATTACHMENTS:
            for inner in self.within(begin, stop):
                if inner[0] == _ATTACHED:
                    self._attached(inner)
        elif name in _WITHIN and (large or name in (_TAGS, _TAG)):  # what is within a small one is small
            for inner in self.within(begin, stop):
                if inner[0] == _WITHIN[name]:
                    self.at(inner)
        elif name in _PLAIN and large:
            for inner in self.within(begin, stop):
                if size := self._excess(inner):
                    self.hide(inner, f"{_PLAIN[name]} ({_mib(size)}) {_TOO_LARGE}")
        elif name in _NAMES:
            if size := self._excess(one):
                self.hide(one, f"{self.called(one)} ({_mib(size)}) {_TOO_LARGE}")
            elif name == _SIMPLE and self._depth(one) > DEEPEST:
                self.hide(one, f"{self.called(one)} has tags within one another, and {DEEPEST} are the most")

    def _attached(self, one: _Place) -> None:
        size = one[2] - one[1]
        if excess := self._excess(one):
            self.hide(one, f"{self.called(one)} ({_mib(excess)}) {_TOO_LARGE}")
        elif self.size + size > MOST_DATA:
            self.hide(one, f"{self.called(one)} ({_mib(size)}) is one too many: {_mib(MOST_DATA)} in all are the most")
        else:
            self.held.append(one)

    def _excess(self, one: _Place, deep: int = 0) -> int:
        """Bytes of what is too large in an element, which may be itself; 0: nothing is."""
        name, begin, stop, _ = one
        if stop - begin <= LARGEST_TEXT:
            return 0
        if name in _NAMES:  # tags of a tag go with it
            inner = self.within(begin, stop) if deep <= DEEPEST else ()
            return max((self._excess(i, deep + 1) for i in inner), default=0)
        most = LARGEST_DATA if name == _DATA else LARGEST_TEXT if name in _TEXTS else stop
        return stop - begin if stop - begin > most else 0

    def _depth(self, one: _Place, deep: int = 1) -> int:
        """Tags within one another."""
        if deep > DEEPEST:
            return deep
        inner = (self._depth(i, deep + 1) for i in self.within(one[1], one[2]) if i[0] == _SIMPLE)
        return max(inner, default=deep)

    def called(self, one: _Place) -> str:
        """ "attachment a.ttf\""""
        called, kind = _NAMES[one[0]]
        if one[0] == _TITLE:  # whose name is what is too large
            return kind
        return f"{kind} {next((self._text(i) for i in self.within(one[1], one[2]) if i[0] == called), '') or _NAMELESS}"

    def _text(self, one: _Place) -> str:
        self.file.seek(one[1])
        return self.file.read(min(one[2] - one[1], 80)).rstrip(b"\0").decode("utf-8", "replace")

    def hide(self, one: _Place, told: str) -> None:
        """Under the head of a void element. What its id is shorter goes to its length, as far as that may be wide, and
        else to its content: a length that fits its bytes just so would become the one that says nothing if it grew."""
        wide = min(one[1] - one[3] - 1, 8)
        size = one[2] - one[3] - 1 - wide
        self.found.append(Oversized(one[3], bytes([_VOID]) + (size | 1 << 7 * wide).to_bytes(wide, "big"), told))


_NAMELESS = "without a name"
_TOO_LARGE = (
    f"is larger than what can be read of its kind ({LARGEST_DATA >> 20} MiB of a file, {LARGEST_TEXT >> 20} MiB of a "
    "text)"
)


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


def as_read(path: Path) -> str | Hiding:
    """What FFmpeg is given to open; a name is never an address, whatever it has before a colon."""
    with suppress(OSError):  # whoever opens it says why it cannot be read
        if oversized(path):
            return Hiding(path)
    return f"file:{path}"


def left_out(path: Path) -> tuple[str, ...]:
    """A warning for each that is hidden. :raises OSError: it cannot be read."""
    return tuple(f"{one.told}; it was left out" for one in oversized(path) if one.told)


def hiding(container: Any) -> Hiding | None:
    """What FFmpeg was given for a file that is open; None: its name."""
    file = getattr(container.file, "file", None)
    return file if isinstance(file, Hiding) else None


class Hiding(io.FileIO):
    """A file, with other heads of some elements. :raises OSError: it cannot be read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        with path.open("rb") as file:
            look = _looked(file)
            self.attached = tuple(Attached(one[3], one[2], look.called(one)) for one in look.held if look.much)
        self._hidden = tuple(look.found)
        self.name = f"file:{path}"

    def as_it_is(self, at: int, size: int) -> bytes:
        """Bytes from a place on, as they are in the file; no more of it is read otherwise then."""
        self.seek(at)
        return super().read(size)

    def read(self, size: int | None = -1, /) -> bytes:
        at, data = self.tell(), super().read(size)
        for one in self._hidden:
            first, behind = max(one.at, at), min(one.at + len(one.head), at + len(data))
            if first < behind:
                data = data[: first - at] + one.head[first - one.at : behind - one.at] + data[behind - at :]
        return data
