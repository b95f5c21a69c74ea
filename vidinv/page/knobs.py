"""A slider for every edit of a pack: its ends, its unit and its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor

from vidinv.edits.parse import EditRequest
from vidinv.edits.revise import amount_at
from vidinv.packs.spec import EditSpec

SEEN_BY = ", as the labelling network sees it"
UNTRIED = 3.0  # steps to either side, of an edit that nobody measured


@dataclass(frozen=True)
class Knob:
    """One slider."""

    name: str
    spec: EditSpec
    least: float
    most: float
    step: float
    in_years: bool

    @property
    def label(self) -> str:
        return f"{self.name} ({'years' if self.in_years else 'steps'})"

    @property
    def info(self) -> str:
        step = "" if self.in_years else f". One step: {self.spec.step.removesuffix(SEEN_BY).replace(' a step', '')}"
        return f"{self.spec.text or self.name}{step}"

    @property
    def zero(self) -> float:
        """Where nothing is changed, from 0, the least, to 1, the most."""
        return -self.least / (self.most - self.least)

    def shows(self, request: EditRequest | None, time: float) -> float:
        """What the slider stands at for a request at a time (seconds), in its own unit and within its ends."""
        amount = amount_at(request, time)
        if request is not None and request.in_years != self.in_years:
            amount = self.converted(amount)
        return min(max(amount, self.least), self.most)

    def converted(self, amount: float) -> float:
        """An amount of the other unit in this slider's."""
        measured = self.spec.measured
        return measured.amount(amount) if self.in_years else measured.steps(amount)


def knobs(edits: Mapping[str, EditSpec]) -> list[Knob]:
    """By name, experimental ones last; from end to end of what was tried."""
    found = [_knob(name, spec) for name, spec in sorted(edits.items())]
    return sorted(found, key=lambda knob: knob.spec.experimental)


def _knob(name: str, spec: EditSpec) -> Knob:
    if spec.unit == "years" and spec.effects and ceil(min(spec.effects)) < floor(max(spec.effects)):
        return Knob(name, spec, ceil(min(spec.effects)), floor(max(spec.effects)), 1.0, True)
    tried = spec.strengths or (-UNTRIED, UNTRIED)
    return Knob(name, spec, min(*tried, 0.0), max(*tried, 0.0), 0.1, False)
