"""Elements, of which Matroska and WebM are made (RFC 8794 and RFC 9559)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

HEAD, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675  # ids


def is_whole(path: Path) -> bool:
    """Is a file there to the end that its head tells? False also where nobody said, as in a live recording."""
    with path.open("rb") as file:
        start = file.read(64 * 1024)
    found = element(start, 0)
    if found is None or found[0] != HEAD or found[2] is None:
        return False
    found = element(start, found[1] + found[2])
    if found is None or found[0] != SEGMENT or found[2] is None:
        return False
    return path.stat().st_size >= found[1] + found[2]


def element(data: bytes, at: int) -> tuple[int, int, int | None] | None:
    """Of the element that begins there: id, where its content begins, and how long that is (None: unknown).

    None: it is cut in its head, or is none.
    """
    size_at = at + _width(data, at)
    content = size_at + _width(data, size_at)
    if not at < size_at < content <= len(data):
        return None
    unknown = (1 << 7 * (content - size_at)) - 1  # without the mark of the number's own length
    size = int.from_bytes(data[size_at:content], "big") & unknown
    return int.from_bytes(data[at:size_at], "big"), content, None if size == unknown else size


def _width(data: bytes, at: int) -> int:
    """Bytes of a number, as its leading bits say; 0: it is none."""
    return 9 - data[at].bit_length() if at < len(data) and data[at] else 0


def contents(data: bytes, ids: Sequence[int]) -> Iterator[bytes]:
    """Of every element that is found by following ``ids`` inwards, as far as it is in ``data``."""
    at = 0
    while (found := element(data, at)) is not None:
        name, begin, size = found
        at = len(data) if size is None else begin + size
        if name == ids[0]:
            inner = data[begin:at]
            yield from contents(inner, ids[1:]) if len(ids) > 1 else (inner,)
