"""What a picture is compared by while training: perceptual and identity distance through the labelling networks."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vidinv.training.teachers import Teachers


def identity_grids(teachers: Teachers, points68: NDArray, size: int) -> Tensor:
    """Sampling grids from the pack's crop to the identity network's 112 x 112 template.

    :param points68: [N, 68, 2] landmarks in crop pixels.
    :return: [N, 2, 3] affine maps for ``affine_grid`` (float32).
    """
    align, maps = teachers.alignment, []
    for points in points68:
        to_face = align.similarity(align.points68_to_5(points), align.T112)
        full = np.linalg.inv(np.vstack([to_face, [0, 0, 1]]))
        # From pixel centres to affine_grid's -1..1 over the pixels' outer edges, on both sides.
        face = np.array([[56, 0, 55.5], [0, 56, 55.5], [0, 0, 1]])
        crop = np.linalg.inv(np.array([[size / 2, 0, (size - 1) / 2], [0, size / 2, (size - 1) / 2], [0, 0, 1]]))
        maps.append((crop @ full @ face)[:2])
    return torch.from_numpy(np.stack(maps)).float()


def identity_embedding(teachers: Teachers, pictures: Tensor, grids: Tensor) -> Tensor:
    """Unit embeddings [N, 128] of pictures [N, 3, S, S] in -1..1, with gradients.

    Without the mirrored pass of the labeller: half the work, and the mean of both is what the card reports.
    """
    where = F.affine_grid(grids.to(pictures), (len(grids), 3, 112, 112), align_corners=False)
    faces = F.grid_sample(pictures, where, mode="bilinear", padding_mode="border", align_corners=False)
    return F.normalize(teachers.labeller.embed.raw((faces + 1) / 2), dim=1)


def identity_distance(teachers: Teachers, a: Tensor, b: Tensor, grids: Tensor) -> Tensor:
    """1 - cosine, [N]; the gradient flows into ``a`` alone."""
    with torch.no_grad():
        target = identity_embedding(teachers, b, grids)
    return 1 - (identity_embedding(teachers, a, grids) * target).sum(1)
