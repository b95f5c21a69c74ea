"""The edits that a pack knows, by name: what one step does, measured, and how years become steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidinv.edits.parse import EditRequest
from vidinv.errors import MalformedEdit, UnknownEdit
from vidinv.packs.load import Pack
from vidinv.types import Displacement


@dataclass(frozen=True)
class NamedEdit:
    """A direction of the pack with its calibration."""

    name: str
    unit: str  # of the attribute's score: "years", "P(happy)", ...
    step: str  # what a step means, for people
    strengths: tuple[float, ...]  # steps at which the effect was measured, ascending; none for imported directions
    effects: tuple[float, ...]  # mean change of the score at those strengths, in units
    displacement: Displacement  # one step

    def steps_for(self, amount: float) -> float:
        """Strength whose measured mean effect is ``amount`` units, linear between measurements.

        :raises MalformedEdit: beyond what was measured to be reachable.
        """
        low, high = min(self.effects), max(self.effects)
        if not low <= amount <= high:
            raise MalformedEdit(
                f"{self.name}: {amount:+g} {self.unit} is out of reach; this pack was measured from {low:+.0f} to "
                f"{high:+.0f} {self.unit}"
            )
        order = np.argsort(self.effects)
        return float(np.interp(amount, np.array(self.effects)[order], np.array(self.strengths)[order]))


def edits_of(pack: Pack) -> dict[str, NamedEdit]:
    """Every edit that the pack holds a direction for."""
    directions = pack.directions
    return {
        name: NamedEdit(
            name,
            edit.unit,
            edit.step,
            edit.strengths,
            edit.effects,
            directions[name],
        )
        for name, edit in pack.spec.edits.items()
    }


@dataclass(frozen=True)
class TimedDisplacement:
    """A displacement that acts between two times."""

    displacement: Displacement  # at full strength
    steps: float
    start: float
    end: float


def resolve(requests: tuple[EditRequest, ...], edits: dict[str, NamedEdit]) -> tuple[TimedDisplacement, ...]:
    """Requests to displacements.

    :raises UnknownEdit: a name that the pack does not know. :raises MalformedEdit: years of what has no years.
    """
    resolved = []
    for request in requests:
        edit = edits.get(request.name)
        if edit is None:
            listed = ", ".join(sorted(edits))
            known = f"it knows {listed}" if edits else "it has none: import it with --directions or --sefa"
            raise UnknownEdit(f"this pack knows no edit {request.name!r}; {known}")
        if request.in_years and edit.unit != "years":
            raise MalformedEdit(f"{request.name} is not measured in years; write {request.name}={request.amount:+g}")
        steps = edit.steps_for(request.amount) if request.in_years else request.amount
        resolved.append(TimedDisplacement(edit.displacement * steps, steps, request.start, request.end))
    return tuple(resolved)
