"""Feature-Style inversion (Yao et al. 2022): one pass of the encoder."""

from __future__ import annotations

import torch
from torch import Tensor

from vidinv.models.feature_style_encoder import FeatureStyleEncoder


@torch.inference_mode()
def invert(encoder: FeatureStyleEncoder, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """:param pictures: [B, 3, S, S] RGB, -1..1.

    :return: w [B, L, D] and F [B, C, h, h], float32.
    """
    w, feature = encoder(pictures)
    return w.float(), feature.float()
