"""Rendered -> Rendered: what can be seen of every drawn face in its own frame, before the change goes in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.faces.masks import oval
from vidinv.faces.pose import pose_from_points
from vidinv.models.identity import IdentityNet
from vidinv.runtime.batching import groups
from vidinv.runtime.compute import Compute
from vidinv.types import Appraisal, Rendered

VIEWS = ("source", "inversion", "edit")


@dataclass(frozen=True)
class AppraiseOptions:
    batch: int = 8  # faces per pass


def appraise(
    stream: Iterable[Rendered],
    identity: IdentityNet | None,
    compute: Compute,
    options: AppraiseOptions = AppraiseOptions(),
) -> Iterator[Rendered]:
    """Add an Appraisal for every edited face. The only doubt it raises is "missed": others need the frames around.

    :param identity: None leaves ``identities`` empty.
    """
    for group in groups(stream, lambda r: sum(e is not None for e in r.edits), options.batch):
        drawn = [_views(r, i) for r in group for i, e in enumerate(r.edits) if e is not None]
        embeddings = iter(_embedded(drawn, identity, compute, options.batch))
        for rendered in group:
            appraisals = tuple(
                None if e is None else _appraisal(rendered, i, next(embeddings)) for i, e in enumerate(rendered.edits)
            )
            yield replace(rendered, appraisals=appraisals)


def _views(rendered: Rendered, i: int) -> NDArray[np.float32]:
    """[3, S, S, 3] in the order of VIEWS, 0..255."""
    source = rendered.edited.coded.aligned.crops[i].image.astype(np.float32)
    return np.stack([source, rendered.inversions[i], rendered.edits[i]])


def _embedded(
    drawn: list[NDArray], identity: IdentityNet | None, compute: Compute, batch: int
) -> list[dict[str, NDArray[np.float32]]]:
    if identity is None:
        return [{} for _ in drawn]
    found = []
    for start in range(0, len(drawn), batch):
        views = torch.from_numpy(np.concatenate(drawn[start : start + batch])).to(compute.device)
        with torch.inference_mode(), compute.autocast():
            embeddings = identity(views.permute(0, 3, 1, 2) / 127.5 - 1).float().cpu().numpy()
        threes = embeddings.reshape(-1, len(VIEWS), embeddings.shape[-1])
        found += [dict(zip(VIEWS, three, strict=True)) for three in threes]
    return found


def _appraisal(rendered: Rendered, i: int, identities: dict[str, NDArray]) -> Appraisal:
    aligned = rendered.edited.coded.aligned
    crop = aligned.crops[i]
    face = next((f for f in aligned.found.faces if f.person == crop.person), None)
    yaw, pitch = pose_from_points(face.points)[:2] if face is not None else (0.0, 0.0)
    mask = oval(len(crop.image))
    error = np.square(crop.image - rendered.inversions[i]).mean(2)
    unexplained = float(np.sqrt((error * mask).sum() / mask.sum()))
    seen = face is not None and face.seen
    return Appraisal(identities, yaw, pitch, unexplained, () if seen else ("missed",))
