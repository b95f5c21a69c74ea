"""Somebody's expression on the faces of a video: w + l (w_expressive - w_neutral), Abdal et al. 2019, section 5.3.

There it is said of styles alone. Here F knows most of a face, so what F differs in goes along: the part that Eq. 1 of
Yao et al. 2022 would not add by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from vidinv.edits.linear import Linear
from vidinv.edits.parse import EditRequest
from vidinv.edits.strength import Part, Span, Strength
from vidinv.models.synthesis import StyleGenerator
from vidinv.types import Code, Displacement


@dataclass(frozen=True)
class Transfer(Linear):
    """The expression of one picture over another of the same person, on whoever is edited."""

    pictures: str
    """What both are called."""
    how: EditRequest
    """How much of it, when and on whom."""
    pack_hash: str  # Pack.codes_hash
    """Of the pack whose codes they were."""

    @property
    def persons(self) -> frozenset[int | str] | None:
        """Whom it is for, by id or name; None: everybody."""
        return self.how.persons

    @property
    def changes(self) -> bool:
        """Does it change with time?"""
        return self.how.changes

    def __str__(self) -> str:
        return str(replace(self.how, name=self.pictures))


@torch.inference_mode()
def transfer_of(
    neutral: Code, expressive: Code, generator: StyleGenerator, how: EditRequest, pictures: str, pack_hash: str
) -> Transfer:
    """The edit that puts the difference of two codes on every face, as often as ``how`` says."""
    native = generator.features(torch.stack([neutral.w, expressive.w])).float()
    feature = (expressive.feature - native[1]) - (neutral.feature - native[0])
    step = Displacement(expressive.w - neutral.w, feature)
    part = Part(step, Strength(how.amount, Span(how.start, how.end, how.ease)), how.persons)
    return Transfer((part,), pictures, how, pack_hash)
