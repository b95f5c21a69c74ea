"""Figures over a stream of unknown length in a bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


@dataclass
class Running:
    """Mean and standard deviation of the numbers added so far (Welford's recurrence)."""

    count: int = 0
    mean_: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """NaN says that there was nothing to measure, and is passed over."""
        if math.isnan(value):
            return
        self.count += 1
        step = value - self.mean_
        self.mean_ += step / self.count
        self.squares += step * (value - self.mean_)

    @property
    def mean(self) -> float | None:
        return self.mean_ if self.count else None

    @property
    def deviation(self) -> float | None:
        """Over the numbers, not an estimate for more of them; None with fewer than two."""
        return math.sqrt(self.squares / self.count) if self.count > 1 else None


@dataclass
class Thinned(Generic[T]):
    """At most ``capacity`` of the items offered, evenly spread over all: every 1st, then every 2nd, 4th, ..."""

    capacity: int
    every: int = 1
    offered: int = 0
    items: list[T] = field(default_factory=list)

    def add(self, make: Callable[[], T]) -> None:
        """``make`` is called only if the item is kept."""
        if self.offered % self.every == 0:
            if len(self.items) == self.capacity:
                self.items, self.every = self.items[::2], 2 * self.every
            if self.offered % self.every == 0:
                self.items.append(make())
        self.offered += 1

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass
class RunningMotion:
    """:func:`vidinv.metrics.landmarks.motion_kept` of two tracks, point by point [P, 2], without keeping them."""

    count: int = 0
    source: NDArray | float = 0.0  # means so far
    output: NDArray | float = 0.0
    moved: float = 0.0
    both: float = 0.0

    def add(self, source: NDArray, output: NDArray) -> None:
        self.count += 1
        step = source - self.source
        self.source = self.source + step / self.count
        self.output = self.output + (output - self.output) / self.count
        self.moved += float((step * (source - self.source)).sum())
        self.both += float((step * (output - self.output)).sum())

    @property
    def kept(self) -> float | None:
        return self.both / self.moved if self.moved > 0 else None


def finite(value: float | None) -> float | None:
    """JSON knows no NaN and no infinity."""
    return None if value is None or not np.isfinite(value) else float(value)
