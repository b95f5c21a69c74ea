"""The labelling networks asked about pictures that are made, at places known from the faces they were made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vidinv.training.losses import similarity_grids
from vidinv.training.scores import SCORES, shapes
from vidinv.training.teachers import Teachers

CLOSER = 0.95  # side of the attribute networks' view over that of the landmark network's


@dataclass(frozen=True)
class Judge:
    """Scores of pictures, in standard deviations."""

    teachers: Teachers
    scale: dict[str, float]  # standard deviation of each score over the training faces

    @torch.no_grad()
    def __call__(self, pictures: Tensor, grids: Tensor) -> Tensor:
        """[N, len(SCORES)].

        :param pictures: [N, 3, S, S] in -1..1. :param grids: [N, 2, 3] from :func:`attribute_grids`.
        """
        lab, crops = self.teachers.labeller, _view(pictures, grids)
        features = lab.attributes.features(crops)
        sex, expression = lab.attributes.fc(features, "fc/gender"), lab.expression.logits(crops)
        rest = torch.cat([expression[:, :1], expression[:, 2:]], 1).logsumexp(1)
        wider = torch.cat([grids[:, :, :2] / CLOSER, grids[:, :, 2:]], 2)
        raw = {
            "age": lab.attributes.fc(features, "fc/age")[:, 0],
            "smile": expression[:, 1] - rest,
            "gender": sex[:, 0] - sex[:, 1],
            **{k: torch.from_numpy(v).float() for k, v in shapes(lab.points(_view(pictures, wider)).numpy()).items()},
        }
        return torch.stack([raw[a] / self.scale[a] for a in SCORES], 1)


def _view(pictures: Tensor, grids: Tensor) -> Tensor:
    where = F.affine_grid(grids, (len(grids), 3, 112, 112), align_corners=False)
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
