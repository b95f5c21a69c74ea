"""How much of an edit acts when: always alike, between two times with an ease at either end, or along a curve."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from vidinv.edits.curve import Curve, smooth
from vidinv.edits.parse import EASE, EditRequest
from vidinv.faces.regions import Touch
from vidinv.packs.load import Pack
from vidinv.packs.spec import Scale
from vidinv.types import Code, Face

What = TypeVar("What")


@dataclass(frozen=True)
class Span:
    """From ``start`` to ``end``, seconds. The default is always."""

    start: float = 0.0
    end: float = math.inf
    ease: float = EASE  # seconds

    def at(self, time: float) -> float:
        """0..1: the share of the edit that acts at ``time`` (seconds).

        It comes and goes smoothly over the ease inside the range, which is shorter where the range has no room for it;
        a start that is the video's own has none.
        """
        if not self.start <= time < self.end:
            return 0.0
        comes = 0.0 if self.start == 0 else min(self.ease, (self.end - self.start) / 2)
        goes = min(self.ease, self.end - self.start - comes)
        rise = 1.0 if comes <= 0 else (time - self.start) / comes
        fall = 1.0 if goes <= 0 else (self.end - time) / goes
        return smooth(min(rise, fall))


@dataclass(frozen=True)
class Strength:
    """How many steps of an edit act when, with their sign."""

    amount: float | Curve
    span: Span = Span()
    scale: Scale | None = None  # what the amount is measured on; None: in steps
    way: Literal[-1, 0, 1] = 0  # steps of this sign only, the others are none; 0: of both

    def at(self, time: float) -> float:
        """Steps at a time, seconds."""
        amount = self.amount.at(time) if isinstance(self.amount, Curve) else self.amount
        return self._steps(amount) * self.span.at(time)

    @property
    def most(self) -> float:
        """Steps at the strongest, without their sign."""
        amounts = self.amount.amounts if isinstance(self.amount, Curve) else (self.amount,)
        return max(abs(self._steps(amount)) for amount in amounts)

    def _steps(self, amount: float) -> float:
        steps = amount if self.scale is None else self.scale.steps(amount)
        return steps if self.way == 0 or steps * self.way > 0 else 0.0


@dataclass(frozen=True)
class Part(Generic[What]):
    """One of the edits that a kind does together: what it does, how much of it when, to whom and where."""

    what: What  # the kind's own, of one step
    strength: Strength
    persons: frozenset[int | str] | None = None  # by id or name; None: everybody
    region: str = "face"  # of vidinv.faces.regions
    colours: float = 1.0  # 0..1, how much of the colours it draws in are its own
    moves: bool = True  # does it move parts of the face
    edges: float = 0.0  # how much steeper what it draws is made
    name: str = ""  # of the pack's edit; "": it is none of the pack's

    def steps(self, face: Face, time: float) -> float:
        """How many steps of it act on a face at a time (seconds), with their sign."""
        mine = self.persons is None or face.person in self.persons or face.name in self.persons
        return self.strength.at(time) if mine else 0.0

    def share(self, face: Face, time: float) -> float:
        """0..1: the same, of the most that ever act."""
        steps = abs(self.steps(face, time))
        return min(1.0, steps / self.strength.most) if steps else 0.0

    def touch(self, share: float) -> Touch:
        """Where and how it acts, so much of it."""
        return Touch(self.region, share, self.colours, self.moves, self.edges)


@dataclass(frozen=True)
class Parts(ABC, Generic[What]):
    """What every kind of edit says of its parts alike; see :class:`vidinv.edits.base.Edit`."""

    parts: tuple[Part[What], ...]

    def acts(self, face: Face, time: float) -> bool:
        """See :class:`vidinv.edits.base.Edit`."""
        return any(part.steps(face, time) for part in self.parts)

    def steps(self, face: Face, time: float) -> tuple[float, ...]:
        """How many steps of each part act on a face at a time (seconds), with their sign."""
        return tuple(part.steps(face, time) for part in self.parts)

    def apply(self, code: Code, face: Face, time: float) -> tuple[Code, float]:
        """See :class:`vidinv.edits.base.Edit`."""
        steps = self.steps(face, time)
        return self.at(code, steps), sum(abs(some) for some in steps)

    def at(self, code: Code, steps: Sequence[float]) -> Code:
        """What so many steps of each part, with their sign, make of a code, whoever's it is and whenever."""
        acting = [(part.what, some) for part, some in zip(self.parts, steps, strict=True) if some]
        return self._made(code, acting) if acting else code

    @abstractmethod
    def _made(self, code: Code, acting: Sequence[tuple[What, float]]) -> Code:
        """What the parts that act make of a code: what each does, and how many steps of it; one or more."""

    def touches(self, face: Face, time: float) -> Sequence[Touch]:
        """See :class:`vidinv.edits.base.Edit`."""
        acting = [(part, share) for part in self.parts if (share := part.share(face, time)) > 0]
        return [part.touch(share) for part, share in acting]


def part(request: EditRequest, what: What, strength: Strength, pack: Pack) -> Part[What]:
    """What was asked for, as a part of its kind's edit."""
    spec = pack.edit(request.name)
    if spec is None:
        return Part(what, strength, request.persons, name=request.name)
    return Part(what, strength, request.persons, spec.region, spec.colours, spec.moves, spec.edges, request.name)
