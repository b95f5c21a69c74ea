"""Edited -> Rendered: the two pictures whose difference is the edit, G(w, F) and G(w~, F~), in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from numpy.typing import NDArray

from vidinv.models.generator import render_pair
from vidinv.models.pictures import to_levels
from vidinv.models.synthesis import StyleGenerator
from vidinv.runtime.batching import groups
from vidinv.runtime.compute import Compute
from vidinv.types import Edited, Rendered


@dataclass(frozen=True)
class SynthesiseOptions:
    batch: int = 8  # faces per pass


def synthesise(
    stream: Iterable[Edited],
    generator: StyleGenerator,
    compute: Compute,
    options: SynthesiseOptions = SynthesiseOptions(),
) -> Iterator[Rendered]:
    """Render every edited face; faces without an edit are not rendered at all."""
    for group in groups(stream, lambda e: sum(c is not None for c in e.codes), options.batch):
        pairs = [(s, c) for e in group for s, c in zip(e.sources, e.codes, strict=True) if c is not None]
        pictures: list[tuple[NDArray, NDArray]] = []
        for start in range(0, len(pairs), options.batch):
            chunk = pairs[start : start + options.batch]
            w, w_edited = torch.stack([s.w for s, _ in chunk]), torch.stack([c.w for _, c in chunk])
            feature, moved = torch.stack([s.feature for s, _ in chunk]), torch.stack([c.feature for _, c in chunk])
            with torch.inference_mode(), compute.autocast():
                before, after = render_pair(generator, w, w_edited, feature, moved)
            pictures += zip(to_levels(before), to_levels(after), strict=True)
        at = iter(pictures)
        for edited in group:
            both = [next(at) if c is not None else (None, None) for c in edited.codes]
            yield Rendered(edited, tuple(b[0] for b in both), tuple(b[1] for b in both))
