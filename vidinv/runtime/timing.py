"""Where the time goes in a chain of generators."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar, cast

from vidinv.runtime.closing import close
from vidinv.runtime.steps import Snapshot

T = TypeVar("T")


@dataclass
class StageTime:
    seconds: float = 0.0  # wall time in this stage, without the stages it pulls from in the same thread
    items: int = 0


@dataclass
class Stopwatch:
    """Wall seconds and items per stage.

    A stage pulls from the stage before it, so its ``next`` includes theirs; what stages nested in the same thread
    took is subtracted. Stages in other threads overlap: their seconds may add up to more than the run. A snapshot is no
    item, and comes out with what was booked before it.
    """

    stages: dict[str, StageTime] = field(default_factory=dict)
    _nested: threading.local = field(default_factory=threading.local, repr=False)

    @classmethod
    def going_on(cls, spent: Mapping[str, tuple[float, int]]) -> Self:
        """:param spent: of a snapshot."""
        return cls({name: StageTime(*told) for name, told in spent.items()})

    def measure(self, name: str, stream: Iterable[T]) -> Generator[T, None, None]:
        """Pass ``stream`` on and book its time under ``name``."""
        return self._timed(stream, self.stages.setdefault(name, StageTime()), name)

    def elsewhere(self, stream: Iterable[T]) -> Generator[T, None, None]:
        """Pass ``stream`` on and book its time nowhere: waiting for another thread is not a stage's work."""
        return self._timed(stream, StageTime())

    def _timed(self, stream: Iterable[T], mine: StageTime, name: str | None = None) -> Generator[T, None, None]:
        iterator = iter(stream)
        try:
            while True:
                outer = getattr(self._nested, "seconds", 0.0)
                self._nested.seconds, begun = 0.0, time.perf_counter()
                try:
                    item = next(iterator)
                except StopIteration:
                    return
                finally:
                    spent = time.perf_counter() - begun
                    mine.seconds += spent - self._nested.seconds
                    self._nested.seconds = outer + spent
                if isinstance(item, Snapshot):
                    told = {} if name is None else {name: (mine.seconds, mine.items)}
                    yield cast(T, replace(item, spent={**item.spent, **told}))
                    continue
                mine.items += 1
                yield item
        finally:
            close(iterator)
