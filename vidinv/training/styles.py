"""Styles of faces that exist, to draw new ones from: for a generator whose mapping from noise was never trained.

A generator that was trained as an autoencoder draws blobs from noise. The codes that its own encoder finds for real
faces lie where it does draw faces; a Gaussian through them is the W+ of In-Domain inversion's semantic prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vidinv.runtime.compute import Compute
from vidinv.training.bank import FaceFolder

BATCH = 32
MEASURED = 3000  # faces


@dataclass(frozen=True)
class StyleGaussian:
    """A Gaussian in W+ with the mean and the covariance of codes."""

    mean: Tensor  # [L, D] float32
    spread: Tensor  # [N, L * D] float32, the codes about their mean over sqrt(N): no matrix of (L * D)^2 is needed

    def draw(self, count: int, rng: torch.Generator) -> Tensor:
        """Styles [count, L, D] float32, on the codes' device."""
        weights = torch.randn(count, len(self.spread), generator=rng, device=self.spread.device)
        return self.mean + (weights @ self.spread).unflatten(1, self.mean.shape)


def gaussian_of(w: Tensor) -> StyleGaussian:
    """:param w: codes [N, L, D] of faces. :raises ValueError: one code has no spread."""
    if len(w) < 2:
        raise ValueError(f"a Gaussian of styles needs the codes of two faces or more, not of {len(w)}")
    w, mean = w.float(), w.float().mean(0)
    return StyleGaussian(mean, (w - mean).flatten(1) / len(w) ** 0.5)


@torch.inference_mode()
def encoded(encoder: nn.Module, faces: FaceFolder, count: int, compute: Compute) -> Tensor:
    """Styles [count, L, D] float32, on the CPU, of the first so many faces to train on.

    :param encoder: of a pack, on ``compute``'s device.
    """
    rows, found = np.sort(faces.train[:count]), []
    for part in np.array_split(rows, -(-len(rows) // BATCH)):
        with compute.autocast():
            found.append(encoder(faces.tensor(part).to(compute.device))[0].float().cpu())
    return torch.cat(found)


def styles_of(pack: str | Path, faces: FaceFolder, compute: Compute) -> StyleGaussian:
    """Styles like those that a pack's own encoder finds in ``faces``, on ``compute``'s device.

    :raises UnknownPack: there is no such pack. :raises DamagedPack: it has no encoder.
    """
    from vidinv.packs.load import load_pack  # safetensors, which a GPU's machine may lack

    found = encoded(load_pack(pack, compute.device).encoder, faces, MEASURED, compute)
    return gaussian_of(found.to(compute.device))
