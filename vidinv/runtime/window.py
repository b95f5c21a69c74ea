"""A bounded view of what was and what comes, as a state that is handed in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Generic, TypeVar

T = TypeVar("T")
M = TypeVar("M")


@dataclass(frozen=True)
class Memory(Generic[M]):
    """What is remembered of one item: a value for each of those who are in it, by their numbers."""

    of: Mapping[int, M] = field(default_factory=dict)
    first: bool = False  # nothing before it belongs to it: a new shot


@dataclass(frozen=True)
class View(Generic[M]):
    """What is remembered of the items around one of them, which stands at index ``at``."""

    around: tuple[Memory[M], ...]
    at: int

    def shot(self) -> tuple[int, int]:
        """Places, from the middle on, of the first and last item that belong together with the middle."""
        first = next((i for i in range(self.at, 0, -1) if self.around[i].first), 0)
        last = next((i - 1 for i in range(self.at + 1, len(self.around)) if self.around[i].first), len(self.around) - 1)
        return first - self.at, last - self.at

    def track(self, number: int, gap: float = 0) -> list[tuple[int, M]]:
        """Where ``number`` is in the items of the middle's shot, without a gap of more than ``gap`` items.

        :return: places from the middle on (0 is the middle, below it the past) and values, in order; empty where the
            middle lies in no such run.
        """
        first, last = self.shot()
        places = [i for i in range(first, last + 1) if number in self.around[self.at + i].of]
        breaks = [k for k, (a, b) in enumerate(pairwise(places), 1) if b - a > gap + 1]
        for start, end in pairwise([0, *breaks, len(places)]):
            run = places[start:end]
            if run and run[0] <= 0 <= run[-1]:
                return [(i, self.around[self.at + i].of[number]) for i in run]
        return []


@dataclass(frozen=True)
class Window(Generic[T, M]):
    """Items that wait for those after them, and what is remembered of those that went before.

    Whole items are held only for the reach ahead; of those behind, only what was remembered.
    """

    waiting: tuple[T, ...] = ()
    memory: tuple[Memory[M], ...] = ()

    def push(self, item: T, memory: Memory[M], reach: int) -> tuple[Window[T, M], list[tuple[T, View[M]]]]:
        """Take the next item; returns that whose turn has come, with the view of ``reach`` items on either side.

        Whatever depends on no more than ``reach`` neighbours comes out exactly as if the whole stream had been at hand.
        """
        waiting, kept = (*self.waiting, item), (*self.memory, memory)[-2 * reach - 1 :]
        if len(waiting) <= reach:
            return Window(waiting, kept), []
        return Window(waiting[1:], kept), [(waiting[0], View(kept, len(kept) - 1 - reach))]

    def drain(self, reach: int) -> Iterator[tuple[T, View[M]]]:
        """At the end of the stream: all that still wait, with views that are shorter there."""
        window = self
        while window.waiting:
            at = len(window.memory) - len(window.waiting)
            yield window.waiting[0], View(window.memory[max(at - reach, 0) :], min(at, reach))
            window = replace(window, waiting=window.waiting[1:])


def advance(
    window: Window[T, M], items: Iterable[T], remember: Callable[[T], Memory[M]], reach: int, *, ended: bool
) -> tuple[Window[T, M], list[tuple[T, View[M]]]]:
    """:meth:`Window.push` for each of the next items; at the end of the stream also :meth:`Window.drain`."""
    due: list[tuple[T, View[M]]] = []
    for item in items:
        window, now = window.push(item, remember(item), reach)
        due += now
    return (Window(), [*due, *window.drain(reach)]) if ended else (window, due)


def advance_one(
    window: Window[T, M], item: T | None, remember: Callable[[T], Memory[M]], reach: int
) -> tuple[Window[T, M], list[tuple[T, View[M]]]]:
    """:func:`advance` by what a stage is given: the next item, or None at the end of the stream."""
    return advance(window, () if item is None else (item,), remember, reach, ended=item is None)
