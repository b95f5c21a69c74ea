"""Group a stream so that a network is handed a full batch, without holding the stream up for long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def groups(stream: Iterable[T], size: Callable[[T], int], batch: int, wait: int | None = None) -> Iterator[list[T]]:
    """Lists of consecutive items whose sizes add up to ``batch`` or a little more; the last may be smaller.

    :param size: how much an item counts (a frame: the number of its faces; may be 0).
    :param wait: most items in a list whatever their size, which bounds memory where most count 0; default 2 batch.
    """
    group: list[T] = []
    total, wait = 0, wait or 2 * batch
    for item in stream:
        group.append(item)
        total += size(item)
        if total >= batch or len(group) >= wait:
            yield group
            group, total = [], 0
    if group:
        yield group
