"""The one generator that runs every stage, and the snapshot by which all of them can be saved and go on elsewhere.

A stage is a plain function ``step(state, item) -> (state, items)`` on a frozen state: it is given the state that it
returned last and the next item, and returns whatever is finished by now; at the end of the stream it is called once
more, with None for the item, and returns what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar, cast

from vidinv.runtime.closing import close

S = TypeVar("S")
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Snapshot:
    """Put into a stream between two items, it takes along the state of every stage that it passes.

    It overtakes what waits in a stage, which is part of that stage's state. So the states in it, given to the same
    stages on another machine, go on with the next item as if nothing had happened, whatever threads lie between.
    Only stages know what to do with one: who puts it in takes it out behind the last of them.
    """

    states: Mapping[str, Any] = field(default_factory=dict)
    spent: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    """By stage, seconds and items up to here: see :class:`vidinv.runtime.timing.Stopwatch`."""


@dataclass
class Latest(Generic[S]):
    """Holds the state that a stage has now; for :func:`run` to tell."""

    state: S

    def __call__(self, state: S) -> None:
        self.state = state


def run(
    name: str,
    step: Callable[[S, T | None], tuple[S, Iterable[U]]],
    state: S,
    stream: Iterable[T],
    tell: Callable[[S], None] = lambda state: None,
) -> Generator[U, None, None]:
    """A stage at work, from its state on: everything that comes of ``stream``, in order.

    A :class:`Snapshot` in the stream comes out with the state added under ``name``. Closing the generator closes the
    stream.

    :param tell: is told the state after every step, also after the last one.
    """
    try:
        for item in stream:
            if isinstance(item, Snapshot):
                yield cast(U, replace(item, states={**item.states, name: state}))
                continue
            state, items = step(state, item)
            tell(state)
            del item  # nothing is held that has been handed on, while the next one is waited for
            yield from items
            del items
        state, items = step(state, None)
        tell(state)
        yield from items
    finally:
        close(stream)
