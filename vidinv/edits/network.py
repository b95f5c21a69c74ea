"""Edits of the kind "network": the pack's edit network looks at each face and answers with the change that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vidinv.edits.parse import EditRequest
from vidinv.edits.strength import Span, share
from vidinv.faces.regions import together
from vidinv.models.edit_network import EditNetwork
from vidinv.packs.load import Pack
from vidinv.types import Code, Face


@dataclass(frozen=True)
class Asked:
    """One edit of the network, with its time and its people."""

    number: int  # among the network's edits
    steps: float
    span: Span = Span()
    persons: frozenset[int] | None = None  # None: everybody
    region: str = "face"  # of vidinv.faces.regions

    def share(self, person: int, time: float) -> float:
        """0..1: how much of it acts on a person at a time (seconds)."""
        return share(self.steps, self.span, self.persons, person, time)


@dataclass(frozen=True)
class NetworkEdit:
    """All edits of a run that the network makes, in one look at the face: it was trained to make two at once."""

    network: EditNetwork
    parts: tuple[Asked, ...]

    def acts(self, face: Face, time: float) -> bool:
        """See :class:`vidinv.edits.base.Edit`."""
        return any(part.share(face.person, time) > 0 for part in self.parts)

    def apply(self, code: Code, face: Face, time: float) -> tuple[Code, float]:
        """See :class:`vidinv.edits.base.Edit`."""
        steps, total = torch.zeros(len(self.network.steps)), 0.0
        for part in self.parts:
            now = part.steps * part.share(face.person, time)
            steps[part.number] += now
            total += abs(now)
        if not total:
            return code, 0.0
        feature, styles = self._changes(code, steps.to(self.network.steps))
        return Code(code.w + styles, code.feature + feature), total

    def regions(self, face: Face, time: float) -> Mapping[str, float]:
        """See :class:`vidinv.edits.base.Edit`."""
        return together((part.region, part.share(face.person, time)) for part in self.parts)

    @torch.inference_mode()
    def _changes(self, code: Code, steps: Tensor) -> tuple[Tensor, Tensor]:
        amounts = steps * self.network.steps
        feature, styles = self.network(code.feature[None], code.w[None], amounts[None])
        return feature[0], styles[0]


def build(requests: Sequence[tuple[EditRequest, float]], pack: Pack) -> NetworkEdit:
    """Requests with their steps to the edit that does all of them.

    :raises DamagedPack: the pack's network does not know one of its edits.
    """
    parts = tuple(
        Asked(
            pack.edit_number(request.name),
            steps,
            Span(request.start, request.end),
            request.persons,
            pack.spec.edits[request.name].region,
        )
        for request, steps in requests
    )
    return NetworkEdit(pack.edit_network, parts)
