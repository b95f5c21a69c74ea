"""How near both inversions come to faces that were not trained on; quick enough for every checkpoint."""

from __future__ import annotations

import torch
from torch import Tensor

from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.synthesis import StyleGenerator
from vidinv.training.losses import identity_distance
from vidinv.training.teachers import Teachers


@torch.no_grad()
def invert(
    generator: StyleGenerator, encoder: FeatureStyleEncoder, pictures: Tensor, feature_branch: bool = True
) -> tuple[Tensor, Tensor]:
    """G(w, F) and G(w), each [N, 3, S, S] in -1..1, of pictures [N, 3, S, S].

    :param feature_branch: False: F was not trained, and the inversion is G(w) both times.
    """
    parts = []
    for x in pictures.split(32):
        w, feature = encoder(x)
        styled = generator(w).clamp(-1, 1)
        parts.append((generator(w, feature).clamp(-1, 1) if feature_branch else styled, styled))
    full, styled = (torch.cat(p) for p in zip(*parts, strict=True))
    return full, styled


@torch.no_grad()
def inversion_figures(
    teachers: Teachers, pictures: Tensor, full: Tensor, styled: Tensor, grids: Tensor
) -> dict[str, float]:
    """PSNR (dB), LPIPS-squeeze and identity (cosine) of G(w, F), and the last two of G(w) under names with ``_w``.

    :param grids: identity grids of the pictures, [N, 2, 3].
    """
    error = ((full - pictures) / 2).square().mean((1, 2, 3))
    figures = {"psnr": float((-10 * error.log10()).mean())}
    for name, made in (("", full), ("_w", styled)):
        figures["val_lpips" + name] = float(teachers.labeller.lpips(made, pictures).mean())
        figures["val_identity" + name] = 1 - float(identity_distance(teachers, made, pictures, grids).mean())
    return figures
