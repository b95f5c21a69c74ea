"""How much of an edit acts when: always, or between two times with a ramp at either end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from vidinv.edits.parse import EditRequest
from vidinv.faces.regions import together
from vidinv.packs.load import Pack
from vidinv.types import Face

What = TypeVar("What")

RAMP = 0.2  # seconds over which an edit with a time range comes and goes


@dataclass(frozen=True)
class Span:
    """From ``start`` to ``end``, seconds. The default is always."""

    start: float = 0.0
    end: float = math.inf
    ramp: float = RAMP  # seconds

    def at(self, time: float) -> float:
        """0..1: the share of the edit that acts at ``time`` (seconds). It comes and goes linearly over the ramp inside
        the range; an end that is the video's own start or end has no ramp."""
        if not self.start <= time < self.end:
            return 0.0
        rise = 1.0 if self.start == 0 or self.ramp <= 0 else (time - self.start) / self.ramp
        fall = 1.0 if self.ramp <= 0 else (self.end - time) / self.ramp
        return max(0.0, min(1.0, rise, fall))


@dataclass(frozen=True)
class Part(Generic[What]):
    """One of the edits that a kind does together: what it does, how much of it, when, to whom and where."""

    what: What  # the kind's own
    steps: float
    span: Span = Span()
    persons: frozenset[int] | None = None  # None: everybody
    region: str = "face"  # of vidinv.faces.regions

    def share(self, face: Face, time: float) -> float:
        """0..1: how much of it acts on a face at a time (seconds)."""
        if self.steps == 0 or not (self.persons is None or face.person in self.persons):
            return 0.0
        return self.span.at(time)


@dataclass(frozen=True)
class Parts(Generic[What]):
    """What every kind of edit says of its parts alike; see :class:`vidinv.edits.base.Edit`."""

    parts: tuple[Part[What], ...]

    def acts(self, face: Face, time: float) -> bool:
        """See :class:`vidinv.edits.base.Edit`."""
        return any(part.share(face, time) > 0 for part in self.parts)

    def acting(self, face: Face, time: float) -> list[tuple[Part[What], float]]:
        """The parts that act, with their shares."""
        return [(part, some) for part in self.parts if (some := part.share(face, time)) > 0]

    def regions(self, face: Face, time: float) -> Mapping[str, float]:
        """See :class:`vidinv.edits.base.Edit`."""
        return together((part.region, part.share(face, time)) for part in self.parts)


def part(request: EditRequest, what: What, steps: float, pack: Pack) -> Part[What]:
    """What was asked for, as a part of its kind's edit."""
    span, spec = Span(request.start, request.end), pack.edit(request.name)
    return Part(what, steps, span, request.persons, "face" if spec is None else spec.region)
