"""Fréchet distances of what the generator makes, on squeezenet features of the labelling networks' LPIPS trunk."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.metrics.frechet import frechet_distance
from vidinv.models.synthesis import StyleGenerator
from vidinv.training.directions import Faces
from vidinv.training.teachers import Teachers


@torch.inference_mode()
def squeeze_features(teachers: Teachers, pictures: Tensor) -> NDArray:
    """Mean of the trunk's last activations, [N, 512], of pictures [N, 3, S, S] in -1..1."""
    lpips, found = teachers.labeller.lpips, []
    for x in pictures.split(32):
        found.append(lpips.features((x - lpips.shift) / lpips.scale).mean((2, 3)).cpu().numpy())
    return np.concatenate(found)


@torch.inference_mode()
def frechet_figures(
    generator: StyleGenerator, faces: Faces, pictures: Tensor, train: Tensor, teachers: Teachers
) -> dict[str, float]:
    """Of the inversions G(w, F) against their pictures, and of samples G(w), w ~ N(mean, cov of codes), against
    training faces."""
    made = torch.cat(
        [generator(w, f).clamp(-1, 1) for w, f in zip(faces.w.split(32), faces.feature.split(32), strict=True)]
    )
    flat = faces.w.flatten(1)
    rng = torch.Generator().manual_seed(0)
    mix = torch.randn(len(train), len(flat), generator=rng) / len(flat) ** 0.5
    w = (flat.mean(0) + mix @ (flat - flat.mean(0))).view(-1, *faces.w.shape[1:])
    samples = torch.cat([generator(part).clamp(-1, 1) for part in w.split(32)])
    return {
        "inversions": frechet_distance(squeeze_features(teachers, made), squeeze_features(teachers, pictures)),
        "samples": frechet_distance(squeeze_features(teachers, samples), squeeze_features(teachers, train)),
    }
