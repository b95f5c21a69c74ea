"""Structural similarity of pictures in the tensors' own range."""

from __future__ import annotations

import torch
from torch import Tensor


def structural(made: Tensor, pictures: Tensor) -> Tensor:
    """SSIM (Wang et al. 2004, Gaussian window of 1.5 pixels) of each of two batches [N, 3, S, S] in -1..1; [N]."""
    from skimage.metrics import structural_similarity  # where only training runs, it may be absent

    pairs = zip((made.cpu() + 1) / 2, (pictures.cpu() + 1) / 2, strict=True)
    found = [
        structural_similarity(
            a.permute(1, 2, 0).numpy(),
            b.permute(1, 2, 0).numpy(),
            channel_axis=2,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for a, b in pairs
    ]
    return torch.tensor(found)
