"""Principal components of codes, after GANSpace (Härkönen et al. 2020, arXiv:2004.02546), and what F does with a score.

There the components are those of styles that a mapping makes of noise; here, of the codes of pictures.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.errors import UsageError

Rows = NDArray[np.floating]
TOGETHER = 32  # feature codes that are held as float32


def principal(x: Rows, component: int) -> tuple[Rows, float]:
    """The unit vector [D] along which codes [N, D] vary most (component 0), second most, ..., and its share of the
    variance. Its sign is open; the larger side becomes the positive one.

    :raises UsageError: a component that so few codes have not.
    """
    if not 0 <= component < len(x) - 1:
        raise UsageError(f"component {component}: {len(x)} pictures have the components 0 to {len(x) - 2}")
    _, sizes, vectors = np.linalg.svd((x - x.mean(0)).astype(np.float64), full_matrices=False)
    vector = vectors[component]
    share = float(sizes[component] ** 2 / np.square(sizes).sum())
    return vector * np.sign(vector[np.abs(vector).argmax()]), share


def following(feature: Tensor, scores: Rows) -> Tensor:
    """What F does while the first score rises by one and the others stay: its row of a linear regression, [C, h, h].

    Eq. 1 of Yao et al. 2022 moves F by what the styles do below layer K. Where F knows most of the face, as with small
    generators, that is next to nothing, and the rest is here: crops are aligned, so that glasses lie in F where all
    glasses lie.

    :param feature: [N, C, h, h], of any precision. :param scores: [N, K].
    """
    columns = np.column_stack([scores - scores.mean(0), np.ones(len(scores))])
    shares = torch.from_numpy(np.linalg.pinv(columns)[0]).float()
    found = torch.zeros(feature.shape[1:])
    for share, some in zip(shares.split(TOGETHER), feature.split(TOGETHER), strict=True):
        found += torch.tensordot(share, some.float().cpu(), 1)
    return found
