"""The four things that are measured: distances of sets, disentanglement, equivariance."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.metrics.disentanglement import dci
from vidinv.metrics.equivariance import rotation_equivariance, translation_equivariance
from vidinv.metrics.frechet import frechet_distance
from vidinv.metrics.sliced_wasserstein import sliced_wasserstein
from vidinv.models.attributes import SCORES
from vidinv.models.generator3 import AliasFreeGenerator
from vidinv.models.lpips import Lpips
from vidinv.packs.load import Pack

Features = Callable[[Tensor], Tensor]  # pictures [B, 3, S, S] in -1..1 to [B, D]
BATCH = 16


def in_batches(make: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return torch.cat([make(part) for part in x.split(BATCH)])


def named_features(pack: Pack, lpips: Lpips | None) -> tuple[Features, str]:
    """A network's features and what it is called: LPIPS' trunk where it is given, else the pack's identity network."""
    if lpips is None:
        return (lambda x: pack.identity(x).float()), pack.label("identity")
    last = lambda x: lpips.distance.net(lpips.distance.scaling_layer(x))[-1].mean((2, 3))  # noqa: E731
    return last, f"last layer of LPIPS-{lpips.trunk}'s trunk, averaged over the picture"


def drawn_like(codes: Tensor, seed: int) -> Tensor:
    """As many styles [N, L, D] from the Gaussian with the codes' mean and covariance."""
    flat = codes.flatten(1)
    mix = torch.randn(len(flat), len(flat), generator=torch.Generator().manual_seed(seed)) / len(flat) ** 0.5
    return (flat.mean(0) + mix @ (flat - flat.mean(0))).view_as(codes)


@torch.inference_mode()
def distances(pack: Pack, real: Tensor, w: Tensor, feature: Tensor, look: Features, seed: int) -> dict[str, dict]:
    """Fréchet and sliced Wasserstein distance to the real faces, of their inversions and of random faces.

    The distance of the two halves of the real faces says how small either can become with so few.
    """
    generator, layers = pack.generator, w.shape[1]
    noise = torch.randn(len(w), w.shape[2], generator=torch.Generator().manual_seed(seed))
    draw: Features = lambda v: look(generator(v).clamp(-1, 1))  # noqa: E731
    inverted = torch.cat(
        [look(generator(a, b).clamp(-1, 1)) for a, b in zip(w.split(BATCH), feature.split(BATCH), strict=True)]
    )
    faces = in_batches(look, real).numpy()
    sets = {
        "G(w, F) of the faces": inverted.numpy(),
        "G(w) of the faces": in_batches(draw, w).numpy(),
        "G(w), w drawn like the faces' codes": in_batches(draw, drawn_like(w, seed)).numpy(),
        "G(w), w mapped from noise": in_batches(
            draw, in_batches(generator.map, noise)[:, None].repeat(1, layers, 1)
        ).numpy(),
    }
    rows = {name: _both(faces, made) for name, made in sets.items()}
    return {"one half of the faces, to the other": _both(faces[::2], faces[1::2]), **rows}


def _both(a: NDArray, b: NDArray) -> dict[str, float]:
    return {"frechet": frechet_distance(a, b), "sliced_wasserstein": sliced_wasserstein(a, b)}


@torch.inference_mode()
def disentangled(pack: Pack, real: Tensor, w: Tensor, seed: int) -> dict[str, object]:
    """DCI of the codes over the attribute network's scores, each cut at its median.

    A face's code is its style averaged over the layers: a forest over all L x D numbers would need far more faces.
    """
    made = [pack.attributes(part) for part in real.split(BATCH)]
    scores = torch.stack([torch.cat([m.score(name) for m in made]) for name in SCORES], 1).numpy()
    labels = (scores > np.median(scores, 0)).astype(int)
    found = dci(w.mean(1).numpy(), labels, seed=seed)
    return {
        "disentanglement": found.disentanglement,
        "completeness": found.completeness,
        "informativeness": found.informativeness,
        "factors": list(SCORES),
        "dimensions": w.shape[2],
        "labelled_by": pack.label("attributes"),
    }


@torch.inference_mode()
def equivariant(pack: Pack, w: Tensor, feature: Tensor) -> dict[str, object]:
    """EQ-T and EQ-R in dB, the mean over faces: does the picture move and turn with what the generator is given?

    An alias-free generator has an input that moves; to one with a constant input the feature code F is what is moved,
    by whole cells, and turned by a quarter. Its layers below K know nothing of that, so it scores low.
    """
    generator, side = pack.generator, pack.resolution
    if isinstance(generator, AliasFreeGenerator):
        shift, degrees, what = (side / 16, -side / 32), 30.0, "the Fourier features' transform"
        still = in_batches(generator, w)
        moved = _transformed(generator, w, [[1, 0, -shift[0] / side], [0, 1, -shift[1] / side], [0, 0, 1]])
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        turned = _transformed(generator, w, [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    else:
        cell = side // feature.shape[-1]
        shift, degrees, what = (float(cell), float(-cell)), 90.0, "the feature code F, by one cell and a quarter turn"
        still, moved, turned = (
            torch.cat([generator(a, b) for a, b in zip(w.split(BATCH), f.split(BATCH), strict=True)])
            for f in (feature, feature.roll((-1, 1), (2, 3)), feature.rot90(1, (2, 3)))
        )
    pairs = lambda other: zip(still.split(1), other.split(1), strict=True)  # noqa: E731
    return {
        "eq_t": float(np.mean([translation_equivariance(a, b, shift) for a, b in pairs(moved)])),
        "eq_r": float(np.mean([rotation_equivariance(a, b, degrees) for a, b in pairs(turned)])),
        "moved": what,
        "pixels": list(shift),
        "degrees": degrees,
        "pictures": len(w),
    }


def _transformed(generator: AliasFreeGenerator, w: Tensor, rows: list[list[float]]) -> Tensor:
    before = generator.input.transform.clone()
    generator.input.transform.copy_(torch.tensor(rows))
    try:
        return in_batches(generator, w)
    finally:
        generator.input.transform.copy_(before)
