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
from vidinv.types import Code


@dataclass(frozen=True)
class NetworkEdit(Parts[int]):
    """All edits of a run that the network makes, in one look at the face: it was trained to make two at once.

    Of its parts each is told by its number among the network's edits.
    """

    network: EditNetwork

    def _made(self, code: Code, acting: Sequence[tuple[int, float]]) -> Code:
        steps = torch.zeros(len(self.network.steps))
        for number, some in acting:
            steps[number] += some
        feature, styles = self._changes(code, steps.to(self.network.steps))
        return replace(code, w=code.w + styles, feature=code.feature + feature)

    @torch.inference_mode()
    def _changes(self, code: Code, steps: Tensor) -> tuple[Tensor, Tensor]:
        amounts = steps * self.network.steps
        feature, styles = self.network(code.feature[None], code.w[None], amounts[None])
        return feature[0], styles[0]


def build(requests: Sequence[tuple[EditRequest, Strength]], pack: Pack) -> NetworkEdit:
    """Requests with their strengths to the edit that does all of them.

    :raises DamagedPack: the pack's network does not know one of its edits.
    """
    parts = tuple(part(request, pack.edit_number(request.name), strength, pack) for request, strength in requests)
    return NetworkEdit(parts, pack.edit_network)
