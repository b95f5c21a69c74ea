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
        grids = faces.attribute_grids
        raw = read_attributes(self.teachers, pictures, grids) | read_expression(self.teachers, pictures, grids)
        raw |= shapes(read_points(self.teachers, pictures, grids))
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


def read_attributes(teachers: Teachers, pictures: Tensor, grids: Tensor) -> dict[str, Tensor]:
    """Age and gender, [N] each, as the scores have them; with gradients, as the two functions below.

    :param pictures: [N, 3, S, S] in -1..1. :param grids: [N, 2, 3], of :func:`attribute_grids`.
    """
    network = teachers.labeller.attributes
    features = network.features(_view(pictures, grids))
    sex = network.fc(features, "fc/gender")
    return {"age": network.fc(features, "fc/age")[:, 0], "gender": sex[:, 0] - sex[:, 1]}


def read_expression(teachers: Teachers, pictures: Tensor, grids: Tensor) -> dict[str, Tensor]:
    """Smile: log of the odds of the happy expression against all others."""
    expression = teachers.labeller.expression.logits(_view(pictures, grids))
    return {"smile": expression[:, 1] - torch.cat([expression[:, :1], expression[:, 2:]], 1).logsumexp(1)}


def read_points(teachers: Teachers, pictures: Tensor, grids: Tensor) -> Tensor:
    """68 landmarks [N, 68, 2], pixels of the pictures."""
    wider = torch.cat([grids[:, :, :2] / CLOSER, grids[:, :, 2:]], 2)
    found = teachers.labeller.points(_view(pictures, wider)) * 2 - 1
    placed = found @ wider[:, :, :2].transpose(1, 2) + wider[:, None, :, 2]
    return (placed + 1) / 2 * pictures.shape[-1] - 0.5


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
