"""What is done in the frame itself, where the face's landmarks are: eyeglasses put on, lips moved to a smile or apart.

A code has no room for a rim, which is thinner than a pixel of what the generator draws, and teeth that it draws are as
soft as its pictures. What moves in the frame stays as sharp as the footage is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.edits.drive import landmarks_of
from vidinv.edits.parse import EditRequest
from vidinv.edits.strength import Parts, Strength, part
from vidinv.faces.eyeglasses import fitted
from vidinv.faces.regions import Touch
from vidinv.faces.tones import skin_colour
from vidinv.models.attributes import AttributeNet
from vidinv.models.landmarks import LandmarkNet, to_pixels
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import Pack
from vidinv.types import Code, Eyeglasses, Face, Lips, known

OPAQUE = 0.5  # steps from which on eyeglasses are
STEPS, BOLD = (1.0, 2.0, 3.0), (0.6, 1.0, 1.5)  # how thick their frame is, over the usual
SMILE, OPEN = 0.42, 0.25  # of a broad smile, and of a mouth that says "ah", one step


@dataclass(frozen=True)
class DrawnEdit(Parts[str]):
    """All requests of a run that are drawn into the frame; of its parts each is one of vidinv.packs.spec.DRAWN."""

    landmarks: LandmarkNet
    attributes: AttributeNet | None  # says who wears eyeglasses, or smiles, already; None: nobody is asked

    def apply(self, code: Code, face: Face, time: float) -> tuple[Code, float]:
        """See :class:`vidinv.edits.base.Edit`; w and F stay."""
        return self.apply_together([code], [face], [time])[0]

    def apply_together(
        self, codes: Sequence[Code], faces: Sequence[Face], times: Sequence[float]
    ) -> list[tuple[Code, float]]:
        """See :class:`vidinv.edits.base.AppliesTogether`."""
        asked = [self._asked(face, time) for face, time in zip(faces, times, strict=True)]
        found = self._found([known(face.crop) for face, some in zip(faces, asked, strict=True) if some])
        return [
            (next(found).marked(code, some, face.person), sum(some.values())) if some else (code, 0.0)
            for code, face, some in zip(codes, faces, asked, strict=True)
        ]

    def touches(self, face: Face, time: float) -> Sequence[Touch]:
        """See :class:`vidinv.edits.base.Edit`. What is put on changes nothing of the face, and what moves has its own
        pixels and colours: other edits go on in theirs."""
        return [Touch("face", 1.0, 0.0, moves=False)] if self._asked(face, time).keys() - {"eyeglasses"} else []

    def _asked(self, face: Face, time: float) -> dict[str, float]:
        """Steps of what acts, above 0."""
        some: dict[str, float] = {}
        for one, steps in zip(self.parts, self.steps(face, time), strict=True):
            if steps > 0:
                some[one.what] = some.get(one.what, 0.0) + steps
        return some

    def _found(self, crops: list[NDArray[np.uint8]]) -> Iterator[Seen]:
        if not crops:
            return
        places = to_pixels(torch.from_numpy(landmarks_of(self.landmarks, crops)), len(crops[0])).numpy()
        yield from map(Seen, crops, places, *self._read(crops))

    def _read(self, crops: list[NDArray[np.uint8]]) -> Iterator[list[float]]:
        """P(glasses) of each, and P(happy); what nobody reads is 0."""
        nothing = [0.0] * len(crops)
        if self.attributes is None:
            yield from (nothing, nothing)
            return
        device = next(self.attributes.parameters()).device
        with torch.inference_mode(), torch.autocast(device.type, enabled=False):
            said = self.attributes(to_tensor(np.stack(crops), str(device)))
        for name in ("glasses", "smile"):
            yield said.score(name).float().tolist() if name in self.attributes.config.scores else nothing

    def _made(self, code: Code, acting: Sequence[tuple[str, float]]) -> Code:
        return code


@dataclass(frozen=True)
class Seen:
    """A face as it is."""

    crop: NDArray[np.uint8]
    points: NDArray[np.float32]  # [68, 2] pixels of the crop
    wearing: float  # P(glasses)
    smiling: float  # P(happy)

    def marked(self, code: Code, steps: Mapping[str, float], person: int = 0) -> Code:
        """The code, with what is to be done in the frame by so many steps; everybody has a frame of their own."""
        if "eyeglasses" in steps:
            usual = replace(fitted(self.crop, self.points), style=max(person, 0), wearing=self.wearing)
            code = replace(code, worn=worn_at(usual, steps["eyeglasses"]))
        if steps.keys() & {"smile", "open"}:
            lips = Lips(self.points, skin_colour(self.crop, self.points), smiling=self.smiling)
            code = replace(code, lips=lips_at(lips, steps.get("smile", 0.0), steps.get("open", 0.0)))
        return code


def worn_at(usual: Eyeglasses, steps: float) -> Eyeglasses:
    """How they are at some steps, above 0: a thin frame at one, a thick one at three."""
    return replace(usual, share=min(1.0, steps / OPAQUE), bold=float(np.interp(steps, STEPS, BOLD)))


def lips_at(lips: Lips, smile: float = 0.0, open: float = 0.0) -> Lips:
    """How far they go at some steps of either, from 0 on."""
    return replace(lips, smile=SMILE * smile, open=OPEN * open)


def build(requests: Sequence[tuple[EditRequest, Strength]], pack: Pack) -> DrawnEdit:
    """Requests with their strengths to the edit that does all of them.

    :raises DamagedPack: the pack has no landmark network.
    """
    parts = tuple(part(request, pack.spec.edits[request.name].drawn, strength, pack) for request, strength in requests)
    return DrawnEdit(parts, pack.landmarks, pack.attributes if pack.has("attributes") else None)
