"""Edited codes become the two pictures whose difference is the edit, G(w, F) and G(w~, F~), in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.inversion.base import batch_of
from vidinv.models.generator import render_pair
from vidinv.models.pictures import to_levels
from vidinv.models.synthesis import StyleGenerator
from vidinv.runtime.batching import Collected, collect, in_batches
from vidinv.runtime.compute import Compute
from vidinv.types import Face, Faces, known

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class SynthesiseOptions:
    batch: int = 8  # faces per pass


SynthesiseState = Collected[Faces]


def synthesise(
    state: SynthesiseState,
    faces: Faces | None,
    generator: StyleGenerator,
    compute: Compute,
    options: SynthesiseOptions = SynthesiseOptions(),
) -> tuple[SynthesiseState, list[Faces]]:
    """Render every edited face; faces without an edit are not rendered at all."""

    def pairs_of(some: Sequence[Face]) -> Iterator[Pair]:
        before = batch_of([known(face.smooth_code) for face in some])
        after = batch_of([known(face.edited_code) for face in some])
        with torch.inference_mode(), compute.autocast():
            pictures = render_pair(generator, before.w, after.w, before.feature, after.feature, before.noise)
        return zip(*map(_levels, pictures), strict=True)

    state, group = collect(state, faces, lambda one: len(_edited(one)), options.batch)
    pairs = iter(in_batches([face for one in group for face in _edited(one)], options.batch, pairs_of))
    return state, [one.each(lambda face: _drawn(face, pairs)) for one in group]


def _levels(pictures: Tensor) -> NDArray[np.float32]:
    """What is infinite would be clipped to white and pass for a picture."""
    levels = to_levels(pictures)
    levels[~pictures.isfinite().flatten(1).all(1).cpu().numpy()] = np.nan
    return levels


def _edited(faces: Faces) -> list[Face]:
    return [face for face in faces.faces if face.edited_code is not None]


def _drawn(face: Face, pairs: Iterator[Pair]) -> Face:
    if face.edited_code is None:
        return face
    inversion, edited = next(pairs)
    return replace(face, inversion=inversion, edited=edited)
