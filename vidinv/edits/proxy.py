"""Edits of the kind "proxy": along an attribute's normal in W*, the pack's latent flow's space, and back to W+.

Semantic unfolding (Shukor et al. 2022, arXiv:2206.14892). Only w is moved; F follows by Eq. 1 of Yao et al. 2022, as it
does in every edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vidinv.edits.parse import EditRequest
from vidinv.edits.strength import Parts, Strength, part
from vidinv.models.latent_flow import LatentFlow
from vidinv.packs.load import Pack
from vidinv.types import Code


@dataclass(frozen=True)
class ProxyEdit(Parts[int]):
    """All proxy edits of a run, in one walk through W*: there they add up, so that their order is of no account.

    Of its parts each is told by its number among the flow's attributes.
    """

    flow: LatentFlow

    def _made(self, code: Code, acting: Sequence[tuple[int, float]]) -> Code:
        steps = torch.zeros(len(self.flow.steps))
        for number, some in acting:
            steps[number] += some
        return replace(code, w=self._moved(code.w, steps.to(self.flow.steps)))

    @torch.inference_mode()
    def _moved(self, w: Tensor, steps: Tensor) -> Tensor:
        # What half precision rounds off on the way there would not come back.
        with torch.autocast(w.device.type, enabled=False):
            return self.flow.moved(w[None], (steps * self.flow.steps)[None])[0]


def build(requests: Sequence[tuple[EditRequest, Strength]], pack: Pack) -> ProxyEdit:
    """Requests with their strengths to the edit that does all of them.

    :raises DamagedPack: the pack's flow was not trained with one of its edits.
    """
    parts = tuple(part(request, pack.attribute_number(request.name), strength, pack) for request, strength in requests)
    return ProxyEdit(parts, pack.latent_flow)
