"""Figures over a stream of unknown length in a bounded memory. All are frozen: adding gives a new one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


@dataclass(frozen=True)
class Running:
    """Mean and standard deviation of the numbers added so far (Welford's recurrence)."""

    count: int = 0
    centre: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> Running:
        """NaN says that there was nothing to measure, and is passed over."""
        if math.isnan(value):
            return self
        step = value - self.centre
        centre = self.centre + step / (self.count + 1)
        return Running(self.count + 1, centre, self.squares + step * (value - centre))

    @property
    def mean(self) -> float | None:
        return self.centre if self.count else None

    @property
    def deviation(self) -> float | None:
        """Over the numbers, not an estimate for more of them; None with fewer than two."""
        return math.sqrt(self.squares / self.count) if self.count > 1 else None


def add_all(figures: Mapping[str, Running], values: Mapping[str, float]) -> dict[str, Running]:
    """The running figures with one more value of some of them."""
    return {**figures, **{name: figures.get(name, Running()).add(value) for name, value in values.items()}}


@dataclass(frozen=True)
class Thinned(Generic[T]):
    """At most ``capacity`` of the items offered, evenly spread over all: every 1st, then every 2nd, 4th, ..."""

    capacity: int
    every: int = 1
    offered: int = 0
    items: tuple[T, ...] = ()

    def add(self, make: Callable[[], T]) -> Thinned[T]:
        """``make`` is called only if the item is kept."""
        items, every = self.items, self.every
        if self.offered % every == 0:
            if len(items) == self.capacity:
                items, every = items[::2], 2 * every
            if self.offered % every == 0:
                items = (*items, make())
        return replace(self, every=every, offered=self.offered + 1, items=items)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class RunningMotion:
    """:func:`vidinv.metrics.landmarks.motion_kept` of two tracks, point by point [P, 2], without keeping them.

    With shots it is the sum over them: each has its own means.
    """

    count: int = 0
    source: NDArray[np.float64] | float = 0.0  # means so far
    output: NDArray[np.float64] | float = 0.0
    moved: float = 0.0
    both: float = 0.0

    def add(self, source: NDArray[np.float64], output: NDArray[np.float64]) -> RunningMotion:
        count, step = self.count + 1, source - self.source
        mean, other = self.source + step / count, self.output + (output - self.output) / count
        moved = self.moved + float((step * (source - mean)).sum())
        return RunningMotion(count, mean, other, moved, self.both + float((step * (output - other)).sum()))

    def finished(self) -> RunningMotion:
        """What comes is of another shot, with means of its own."""
        return RunningMotion(moved=self.moved, both=self.both)

    @property
    def kept(self) -> float | None:
        return self.both / self.moved if self.moved > 0 else None


def finite(value: float | None) -> float | None:
    """JSON knows no NaN and no infinity."""
    return None if value is None or not np.isfinite(value) else float(value)
