"""Edits of the kind "linear": one displacement for all faces, as InterFaceGAN, SeFa and GANSpace find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from vidinv.edits.parse import EditRequest
from vidinv.edits.strength import Part, Parts, Strength, part
from vidinv.packs.load import Pack
from vidinv.types import Code, Displacement

Step = Part[Displacement]
"""One displacement, of one step."""


@dataclass(frozen=True)
class Linear(Parts[Displacement]):
    """All linear edits of a run. Displacements are added up before they meet the code, so that their order is of no
    account."""

    def _made(self, code: Code, acting: Sequence[tuple[Displacement, float]]) -> Code:
        return reduce(add, (one_step * steps for one_step, steps in acting)).of(code)


def build(requests: Sequence[tuple[EditRequest, Strength]], pack: Pack) -> Linear:
    """Requests with their strengths to the edit that does all of them, by the pack's displacements of one step."""
    return Linear(tuple(part(r, pack.displacement(r.name), strength, pack) for r, strength in requests))


def along(displacement: Displacement, steps: float, region: str = "face") -> Linear:
    """A displacement that no pack knows as an edit, on everybody and always: ``draw(codes, [along(mine, 2)])``."""
    return Linear((Part(displacement, Strength(steps), region=region),))
