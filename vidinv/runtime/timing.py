"""Where the time goes in a chain of generators."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from vidinv.runtime.closing import close

T = TypeVar("T")


@dataclass
class StageTime:
    seconds: float = 0.0  # wall time in this stage, without the stages it pulls from in the same thread
    items: int = 0


@dataclass
class Stopwatch:
    """Wall seconds and items per stage.

    A stage pulls from the stage before it, so its ``next`` includes theirs; what stages nested in the same thread
    took is subtracted. Stages in other threads overlap: their seconds may add up to more than the run.
    """

    stages: dict[str, StageTime] = field(default_factory=dict)
    _nested: threading.local = field(default_factory=threading.local, repr=False)

    def measure(self, name: str, stream: Iterable[T]) -> Generator[T, None, None]:
        """Pass ``stream`` on and book its time under ``name``."""
        return self._timed(stream, self.stages.setdefault(name, StageTime()))

    def elsewhere(self, stream: Iterable[T]) -> Generator[T, None, None]:
        """Pass ``stream`` on and book its time nowhere: waiting for another thread is not a stage's work."""
        return self._timed(stream, StageTime())

    def _timed(self, stream: Iterable[T], mine: StageTime) -> Generator[T, None, None]:
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
                mine.items += 1
                yield item
        finally:
            close(iterator)
