"""Crops become points of the Feature-Style space, in batches over frames and people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from vidinv.inversion.base import Method, Networks
from vidinv.models.pictures import to_tensor
from vidinv.runtime.batching import Collected, collect, in_batches
from vidinv.runtime.compute import Compute
from vidinv.types import Code, Face, Faces, known


@dataclass(frozen=True)
class InvertOptions:
    batch: int = 8  # crops per pass


InvertState = Collected[Faces]


def invert(
    state: InvertState,
    faces: Faces | None,
    method: Method,
    networks: Networks,
    compute: Compute,
    options: InvertOptions = InvertOptions(),
) -> tuple[InvertState, list[Faces]]:
    """Invert every crop. Frames without a face pass through and are waited for no longer than two batches."""

    def codes_of(some: Sequence[Face]) -> list[Code]:
        pictures = to_tensor([known(face.crop) for face in some], compute.device)
        with torch.inference_mode(not method.gradients), compute.autocast():
            w, feature = method.invert(pictures, networks)
        return [Code(*pair) for pair in zip(w, feature, strict=True)]

    state, group = collect(state, faces, lambda one: len(one.faces), options.batch)
    codes = iter(in_batches([face for one in group for face in one.faces], options.batch, codes_of))
    return state, [one.each(lambda face: replace(face, code=next(codes))) for one in group]
