"""What all stages of one call share: the frame rate, the clock, and the states to go on from."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from vidinv.runtime.steps import run
from vidinv.runtime.timing import Stopwatch

S = TypeVar("S")
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Way:
    """A chain of stages from one source to one end."""

    rate: float  # frames per second
    watch: Stopwatch = field(default_factory=Stopwatch)
    states: dict[str, Any] = field(default_factory=dict)  # by stage; of a snapshot: see vidinv.runtime.steps

    def stage(
        self,
        name: str,
        step: Callable[[S, T | None], tuple[S, Iterable[U]]],
        start: S,
        stream: Iterable[T],
        tell: Callable[[S], None] = lambda state: None,
    ) -> Generator[U, None, None]:
        """A stage at work, on the clock: see :func:`vidinv.runtime.steps.run`.

        The state that it goes on from is its own from then on: kept here, it would hold its frames to the end.

        :param start: its state, where there is none to go on from.
        """
        return self.watch.measure(name, run(name, step, self.states.pop(name, start), stream, tell))
