"""The labelling networks asked about pictures that are made, at places known from the faces they were made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vidinv.models.pictures import to_levels
from vidinv.training import photometry
from vidinv.training.accessories import Probe, probabilities
from vidinv.training.directions import Faces
from vidinv.training.losses import similarity_grids
from vidinv.training.scores import COLOURS, shapes
from vidinv.training.teachers import Teachers

CLOSER = 0.95  # side of the attribute networks' view over that of the landmark network's


@dataclass(frozen=True)
class Labelling:
    """Scores of pictures, in standard deviations."""

    teachers: Teachers
    scale: dict[str, float]  # standard deviation of each score over the training faces; no others are given
    probe: Probe | None = None  # of accessories; None: they are not among the scores

    @torch.no_grad()
    def __call__(self, pictures: Tensor, faces: Faces) -> dict[str, Tensor]:
        """Every score that has a scale, [N] each; NaN where the face does not show it.

        :param pictures: [N, 3, S, S] in -1..1. :param faces: what they were made of: where things are in them.
        """
        lab, grids = self.teachers.labeller, faces.attribute_grids
        crops = _view(pictures, grids)
        features = lab.attributes.features(crops)
        sex, expression = lab.attributes.fc(features, "fc/gender"), lab.expression.logits(crops)
        rest = torch.cat([expression[:, :1], expression[:, 2:]], 1).logsumexp(1)
        wider = torch.cat([grids[:, :, :2] / CLOSER, grids[:, :, 2:]], 2)
        raw = {
            "age": lab.attributes.fc(features, "fc/age")[:, 0],
            "smile": expression[:, 1] - rest,
            "gender": sex[:, 0] - sex[:, 1],
            **_tensors(shapes(lab.points(_view(pictures, wider)).numpy())),
        }
        if not self.scale.keys().isdisjoint(COLOURS):
            levels = to_levels(pictures)
            cheeks = photometry.cheeks(faces.points68, levels.shape[1])
            # The same pixels before and after: hair that is looked for anew would lose what has come near to skin.
            colours = {"hair": photometry.lightness(levels, faces.hair), "skin": photometry.tone(levels, cheeks)}
            raw |= _tensors(colours)
        if self.probe is not None:
            found = probabilities(self.probe, self.teachers, pictures, faces.points68)
            raw |= {k: v.clamp(0.002, 0.998).logit() for k, v in found.items()}
        return {name: raw[name] / scale for name, scale in self.scale.items()}


def _tensors(arrays: dict[str, NDArray]) -> dict[str, Tensor]:
    return {k: torch.from_numpy(v).float() for k, v in arrays.items()}


def _view(pictures: Tensor, grids: Tensor) -> Tensor:
    where = F.affine_grid(grids, [len(grids), 3, 112, 112], align_corners=False)
    return (F.grid_sample(pictures, where, padding_mode="border", align_corners=False) + 1) / 2


def attribute_grids(points68: NDArray, size: int) -> Tensor:
    """Sampling grids from the pack's crop to the view that the attribute networks want, [N, 2, 3]."""
    low, high = points68.min(1), points68.max(1)
    side = CLOSER * np.maximum((high - low)[:, 0] / 0.842, (high - low)[:, 1] / 0.759)
    corner = (low + high) / 2 - np.array([0.493, 0.614]) * side[:, None]
    maps = np.zeros((len(points68), 2, 3))
    maps[:, 0, 0] = maps[:, 1, 1] = 112 / side
    maps[:, :, 2] = -corner * (112 / side)[:, None]
    return similarity_grids(maps, size)
