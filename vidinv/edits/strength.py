"""How much of an edit acts when: always, or between two times with a ramp at either end."""

from __future__ import annotations

import math
from dataclasses import dataclass

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


def share(steps: float, span: Span, persons: frozenset[int] | None, person: int, time: float) -> float:
    """0..1: how much of an edit of so many steps acts on a person at a time (seconds).

    :param persons: whom it is for; None: everybody.
    """
    if steps == 0 or not (persons is None or person in persons):
        return 0.0
    return span.at(time)
