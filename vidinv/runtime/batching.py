"""Collect items until a network can be handed a full batch, without holding the stream up for long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Collected(Generic[T]):
    """Items that wait for a batch to fill."""

    items: tuple[T, ...] = ()
    size: int = 0


def collect(
    waiting: Collected[T], item: T | None, size: Callable[[T], int], batch: int, most: int | None = None
) -> tuple[Collected[T], tuple[T, ...]]:
    """Take the next item (None: the end of the stream); returns the group that is full by it, or nothing.

    :param size: how much an item counts (a frame: the number of its faces; may be 0). A group is full once the sizes
        add up to ``batch`` or a little more.
    :param most: items in a group whatever their size, which bounds memory where most count 0; default 2 batch.
    """
    if item is None:
        return Collected(), waiting.items
    items, total = (*waiting.items, item), waiting.size + size(item)
    if total >= batch or len(items) >= (most or 2 * batch):
        return Collected(), items
    return Collected(items, total), ()


def in_batches(items: Sequence[T], batch: int, network: Callable[[Sequence[T]], Iterable[U]]) -> list[U]:
    """What ``network`` makes of at most ``batch`` items at a time, one after the other."""
    return [made for start in range(0, len(items), batch) for made in network(items[start : start + batch])]
