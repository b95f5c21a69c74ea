"""Edits of the kind "network": the pack's edit network looks at each face and answers with the change that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vidinv.edits.parse import EditRequest
from vidinv.edits.strength import Parts, Strength, part
from vidinv.models.edit_network import EditNetwork
from vidinv.packs.load import Pack
from vidinv.types import Code, Face


@dataclass(frozen=True)
class NetworkEdit(Parts[int]):
    """All edits of a run that the network makes, in one look at the face: it was trained to make two at once.

    Of its parts each is told by its number among the network's edits.
    """

    network: EditNetwork

    def apply_together(
        self, codes: Sequence[Code], faces: Sequence[Face], times: Sequence[float]
    ) -> list[tuple[Code, float]]:
        """See :class:`vidinv.edits.base.AppliesTogether`."""
        steps = [self.steps(face, time) for face, time in zip(faces, times, strict=True)]
        acting = [at for at, some in enumerate(steps) if any(some)]
        made, numbers = list(codes), [part.what for part in self.parts]
        if acting:
            amounts = [list(zip(numbers, steps[at], strict=True)) for at in acting]
            for at, code in zip(acting, self._all_made([codes[at] for at in acting], amounts), strict=True):
                made[at] = code
        return [(code, sum(map(abs, some))) for code, some in zip(made, steps, strict=True)]

    def _made(self, code: Code, acting: Sequence[tuple[int, float]]) -> Code:
        return self._all_made([code], [acting])[0]

    def _all_made(self, codes: Sequence[Code], acting: Sequence[Sequence[tuple[int, float]]]) -> list[Code]:
        steps = torch.zeros(len(codes), len(self.network.steps))
        for row, mine in zip(steps, acting, strict=True):
            for number, some in mine:
                row[number] += some
        features, styles = self._changes(codes, steps.to(self.network.steps))
        return [
            replace(code, w=code.w + style, feature=code.feature + feature)
            for code, style, feature in zip(codes, styles, features, strict=True)
        ]

    @torch.inference_mode()
    def _changes(self, codes: Sequence[Code], steps: Tensor) -> tuple[Tensor, Tensor]:
        features, styles = (torch.stack(parts) for parts in zip(*((c.feature, c.w) for c in codes), strict=True))
        change, tint = self.network(features, styles, steps * self.network.steps)
        return change, tint


def build(requests: Sequence[tuple[EditRequest, Strength]], pack: Pack) -> NetworkEdit:
    """Requests with their strengths to the edit that does all of them.

    :raises DamagedPack: the pack's network does not know one of its edits.
    """
    parts = tuple(part(request, pack.edit_number(request.name), strength, pack) for request, strength in requests)
    return NetworkEdit(parts, pack.edit_network)
