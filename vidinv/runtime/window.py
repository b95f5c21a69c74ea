"""A stream with a bounded view of what was and what comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
M = TypeVar("M")


@dataclass(frozen=True)
class View(Generic[M]):
    """What is remembered of the frames around one of them, which stands at index ``at``."""

    around: tuple[M, ...]
    at: int


def windowed(stream: Iterable[T], reach: int, remember: Callable[[T], M]) -> Iterator[tuple[T, View[M]]]:
    """Yield every item, in order, with what ``remember`` kept of up to ``reach`` items on either side of it.

    Whole items are held only for the ``reach`` ahead; of those behind, only what was remembered. At the stream's
    ends the view is shorter. Whatever depends on no more than ``reach`` neighbours comes out exactly as if the whole
    stream had been at hand.
    """
    waiting: deque[T] = deque()
    memory: deque[M] = deque(maxlen=2 * reach + 1)
    for item in stream:
        waiting.append(item)
        memory.append(remember(item))
        if len(waiting) > reach:
            yield waiting.popleft(), View(tuple(memory), len(memory) - 1 - reach)
    while waiting:
        at = len(memory) - len(waiting)
        yield waiting.popleft(), View(tuple(memory)[max(at - reach, 0) :], min(at, reach))
