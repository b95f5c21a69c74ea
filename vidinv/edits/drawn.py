"""What is drawn into the frame itself, where the face's landmarks are: eyeglasses.

A code has no room for them: a rim is thinner than a pixel of what the generator draws, and of one shape whoever wears
it. In the frame it is as sharp as the footage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.edits.drive import landmarks_of
from vidinv.edits.parse import EditRequest
from vidinv.edits.strength import Parts, Strength, part
from vidinv.faces.eyeglasses import fitted
from vidinv.faces.regions import Touch
from vidinv.models.attributes import AttributeNet
from vidinv.models.landmarks import LandmarkNet, to_pixels
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import Pack
from vidinv.types import Code, Eyeglasses, Face, known

OPAQUE = 0.5  # steps from which on they are
STEPS, BOLD = (1.0, 2.0, 3.0), (0.6, 1.0, 1.5)  # how thick their frame is, over the usual


@dataclass(frozen=True)
class DrawnEdit(Parts[None]):
    """All requests of a run that put eyeglasses on somebody."""

    landmarks: LandmarkNet
    attributes: AttributeNet | None  # says who wears some already; None: nobody is asked

    def apply(self, code: Code, face: Face, time: float) -> tuple[Code, float]:
        """See :class:`vidinv.edits.base.Edit`; w and F stay."""
        return self.apply_together([code], [face], [time])[0]

    def apply_together(
        self, codes: Sequence[Code], faces: Sequence[Face], times: Sequence[float]
    ) -> list[tuple[Code, float]]:
        """See :class:`vidinv.edits.base.AppliesTogether`. Everybody has a frame of their own."""
        steps = [sum(self.steps(face, time)) for face, time in zip(faces, times, strict=True)]
        found = iter(self._found([known(face.crop) for face, some in zip(faces, steps, strict=True) if some > 0]))
        made = [
            code if some <= 0 else replace(code, worn=replace(worn_at(next(found), some), style=max(face.person, 0)))
            for code, face, some in zip(codes, faces, steps, strict=True)
        ]
        return [(code, 0.0) for code in made]

    def touches(self, face: Face, time: float) -> Sequence[Touch]:
        """See :class:`vidinv.edits.base.Edit`: nothing of the face changes, and other edits keep to their regions."""
        return []

    def _found(self, crops: list[NDArray[np.uint8]]) -> list[Eyeglasses]:
        """The usual ones for each face."""
        if not crops:
            return []
        places = to_pixels(torch.from_numpy(landmarks_of(self.landmarks, crops)), len(crops[0])).numpy()
        told = zip(crops, places, self._wearing(crops), strict=True)
        return [replace(fitted(crop, points), wearing=wearing) for crop, points, wearing in told]

    def _wearing(self, crops: list[NDArray[np.uint8]]) -> list[float]:
        """P(glasses) of each; 0 where nobody reads it."""
        if self.attributes is None or "glasses" not in self.attributes.config.scores:
            return [0.0] * len(crops)
        device = next(self.attributes.parameters()).device
        with torch.inference_mode(), torch.autocast(device.type, enabled=False):
            return list(self.attributes(to_tensor(np.stack(crops), str(device))).score("glasses").float().tolist())

    def _made(self, code: Code, acting: Sequence[tuple[None, float]]) -> Code:
        return code


def worn_at(usual: Eyeglasses, steps: float) -> Eyeglasses:
    """How they are at some steps, above 0: a thin frame at one, a thick one at three."""
    return replace(usual, steps=steps, share=min(1.0, steps / OPAQUE), bold=float(np.interp(steps, STEPS, BOLD)))


def build(requests: Sequence[tuple[EditRequest, Strength]], pack: Pack) -> DrawnEdit:
    """Requests with their strengths to the edit that does all of them.

    :raises DamagedPack: the pack has no landmark network.
    """
    parts = tuple(part(request, None, strength, pack) for request, strength in requests)
    return DrawnEdit(parts, pack.landmarks, pack.attributes if pack.has("attributes") else None)
