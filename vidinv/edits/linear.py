"""Edits of the kind "linear": one displacement for all faces, as InterFaceGAN, SeFa and GANSpace find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from vidinv.edits.parse import EditRequest
from vidinv.edits.strength import Span, share
from vidinv.faces.regions import together
from vidinv.packs.load import Pack
from vidinv.types import Code, Displacement, Face


@dataclass(frozen=True)
class Step:
    """One displacement with its length, its time and its people."""

    displacement: Displacement  # at full strength
    steps: float  # how long that is
    span: Span = Span()
    persons: frozenset[int] | None = None  # None: everybody
    region: str = "face"  # of vidinv.faces.regions

    def share(self, person: int, time: float) -> float:
        """0..1: how much of it acts on a person at a time (seconds)."""
        return share(self.steps, self.span, self.persons, person, time)


@dataclass(frozen=True)
class Linear:
    """All linear edits of a run. Displacements are added up before they meet the code, so that their order is of no
    account."""

    parts: tuple[Step, ...]

    def acts(self, face: Face, time: float) -> bool:
        """See :class:`vidinv.edits.base.Edit`."""
        return any(step.share(face.person, time) > 0 for step in self.parts)

    def apply(self, code: Code, face: Face, time: float) -> tuple[Code, float]:
        """See :class:`vidinv.edits.base.Edit`."""
        acting = [(step, some) for step in self.parts if (some := step.share(face.person, time)) > 0]
        if not acting:
            return code, 0.0
        displacement = reduce(add, (step.displacement * some for step, some in acting))
        return displacement.of(code), sum(abs(step.steps) * some for step, some in acting)

    def regions(self, face: Face, time: float) -> Mapping[str, float]:
        """See :class:`vidinv.edits.base.Edit`."""
        return together((step.region, step.share(face.person, time)) for step in self.parts)


def build(requests: Sequence[tuple[EditRequest, float]], pack: Pack) -> Linear:
    """Requests with their steps to the edit that does all of them, by the pack's displacements of one step."""
    return Linear(
        tuple(
            Step(
                pack.directions[request.name] * steps,
                steps,
                Span(request.start, request.end),
                request.persons,
                pack.spec.edits[request.name].region,
            )
            for request, steps in requests
        )
    )
