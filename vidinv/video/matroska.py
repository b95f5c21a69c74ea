"""Is a Matroska or WebM file there to its end? Its head says how long it is (RFC 8794 and RFC 9559)."""

from __future__ import annotations

from pathlib import Path

HEAD, SEGMENT = 0x1A45DFA3, 0x18538067  # ids of the two elements that a file begins with


def is_whole(path: Path) -> bool:
    """False also where nobody said how long it is, as in a live recording."""
    with path.open("rb") as file:
        start = file.read(64 * 1024)
    found = _element(start, 0)
    if found is None or found[0] != HEAD or found[2] is None:
        return False
    found = _element(start, found[1] + found[2])
    if found is None or found[0] != SEGMENT or found[2] is None:
        return False
    return path.stat().st_size >= found[1] + found[2]


def _element(data: bytes, at: int) -> tuple[int, int, int | None] | None:
    """Of the element that begins there: id, where its content begins, and how long that is (None: unknown)."""
    if at >= len(data) or not data[at]:
        return None
    width = 9 - data[at].bit_length()  # of the id, whose leading bits say so
    size_at = at + width
    if size_at >= len(data) or not data[size_at]:
        return None
    size_width = 9 - data[size_at].bit_length()
    content = size_at + size_width
    bits = 7 * size_width
    size = int.from_bytes(data[size_at:content], "big") & ((1 << bits) - 1)
    return int.from_bytes(data[at:size_at], "big"), content, None if size == (1 << bits) - 1 else size
