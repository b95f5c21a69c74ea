"""Linear edits: one displacement for all frames of a person, its strength a function of time."""

from __future__ import annotations

from functools import reduce
from operator import add

from vidinv.edits.library import TimedDisplacement
from vidinv.types import Displacement


def strength_at(edit: TimedDisplacement, time: float, ramp: float) -> float:
    """0..1: how much of the edit acts at ``time`` (seconds). It comes and goes linearly over ``ramp`` seconds inside
    its range; an end that is the video's own start or end has no ramp."""
    if not edit.start <= time < edit.end:
        return 0.0
    rise = 1.0 if edit.start == 0 or ramp <= 0 else (time - edit.start) / ramp
    fall = 1.0 if ramp <= 0 else (edit.end - time) / ramp
    return max(0.0, min(1.0, rise, fall))


def steps_at(edits: tuple[TimedDisplacement, ...], time: float, ramp: float) -> float:
    """Steps of all edits that act at ``time``, without their signs."""
    return sum(abs(e.steps) * strength_at(e, time, ramp) for e in edits)


def displacement_at(edits: tuple[TimedDisplacement, ...], time: float, ramp: float) -> Displacement | None:
    """Sum of the displacements that act at ``time``; None where that is nothing at all."""
    parts = [e.displacement * s for e in edits if e.steps != 0 and (s := strength_at(e, time, ramp)) > 0]
    return reduce(add, parts) if parts else None
