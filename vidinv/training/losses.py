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
    align = teachers.alignment
    return similarity_grids(np.stack([align.similarity(align.points68_to_5(p), align.T112) for p in points68]), size)


def similarity_grids(maps: NDArray, size: int) -> Tensor:
    """Maps from pixels of a ``size`` x ``size`` crop to pixels of a 112 x 112 view, as ``affine_grid`` wants them.

    :param maps: [N, 2, 3]. :return: [N, 2, 3] float32, from the view's -1..1 to the crop's.
    """
    # affine_grid's -1..1 spans the pixels' outer edges, on both sides.
    view = np.array([[56, 0, 55.5], [0, 56, 55.5], [0, 0, 1]])
    crop = np.linalg.inv(np.array([[size / 2, 0, (size - 1) / 2], [0, size / 2, (size - 1) / 2], [0, 0, 1]]))
    back = [np.linalg.inv(np.vstack([m, [0, 0, 1]])) for m in maps]
    return torch.from_numpy(np.stack([(crop @ b @ view)[:2] for b in back])).float()


def identity_view(pictures: Tensor, grids: Tensor) -> Tensor:
    """What the identity network looks at: [N, 3, 112, 112] of pictures [N, 3, S, S], through grids [N, 2, 3]."""
    where = F.affine_grid(grids.to(pictures), [len(grids), 3, 112, 112], align_corners=False)
    return F.grid_sample(pictures, where, mode="bilinear", padding_mode="border", align_corners=False)


def identity_embedding(teachers: Teachers, pictures: Tensor, grids: Tensor) -> Tensor:
    """Unit embeddings [N, 128] of pictures [N, 3, S, S] in -1..1, with gradients.

    Without the mirrored pass of the labeller: half the work, and the mean of both is what the card reports.
    """
    return F.normalize(teachers.labeller.embed.raw((identity_view(pictures, grids) + 1) / 2), dim=1)


def identity_distance(teachers: Teachers, a: Tensor, b: Tensor, grids: Tensor) -> Tensor:
    """1 - cosine, [N]; the gradient flows into ``a`` alone."""
    with torch.no_grad():
        target = identity_embedding(teachers, b, grids)
    return 1 - (identity_embedding(teachers, a, grids) * target).sum(1)
