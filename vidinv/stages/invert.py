"""Aligned -> Coded: crops to points of the Feature-Style space, in batches over frames and people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vidinv.inversion import feature_style
from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.pictures import to_tensor
from vidinv.runtime.batching import groups
from vidinv.runtime.compute import Compute
from vidinv.types import Aligned, Code, Coded


@dataclass(frozen=True)
class InvertOptions:
    batch: int = 8  # crops per pass


def invert(
    stream: Iterable[Aligned], encoder: FeatureStyleEncoder, compute: Compute, options: InvertOptions = InvertOptions()
) -> Iterator[Coded]:
    """Encode every crop. Frames without a face pass through and are waited for no longer than two batches."""
    for group in groups(stream, lambda a: len(a.crops), options.batch):
        crops = [c.image for a in group for c in a.crops]
        codes: list[Code] = []
        for start in range(0, len(crops), options.batch):
            pictures = to_tensor(crops[start : start + options.batch], compute.device)
            with compute.autocast():
                w, feature = feature_style.invert(encoder, pictures)
            codes += [Code(*pair) for pair in zip(w, feature, strict=True)]
        at = 0
        for aligned in group:
            yield Coded(aligned, tuple(codes[at : at + len(aligned.crops)]))
            at += len(aligned.crops)
