"""Blended -> Blended: look at every edited face once more and keep count for the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vidinv.faces.warps import crop
from vidinv.models.attributes import AttributeNet
from vidinv.models.identity import IdentityNet
from vidinv.report import VIEWS, PersonTally, Tally
from vidinv.runtime.batching import groups
from vidinv.runtime.compute import Compute
from vidinv.types import Blended


@dataclass(frozen=True)
class MeasureOptions:
    batch: int = 8  # faces per pass
    attributes: tuple[str, ...] = ()  # scores to follow: the edited ones
    attributes_every: int = 5  # frames between attribute readings


def measure(
    stream: Iterable[Blended],
    tally: Tally,
    identity: IdentityNet,
    attributes: AttributeNet,
    compute: Compute,
    options: MeasureOptions = MeasureOptions(),
) -> Iterator[Blended]:
    """Add every frame to ``tally``: source crop, inversion, and the face as it is in the finished frame."""
    for group in groups(stream, lambda b: sum(m is not None for m in b.masks), options.batch):
        faces = [(b, i) for b in group for i, m in enumerate(b.masks) if m is not None]
        for start in range(0, len(faces), options.batch):
            _count_faces(faces[start : start + options.batch], tally, identity, attributes, compute, options)
        for blended in group:
            crops = blended.rendered.edited.coded.aligned.crops
            tally.frames += 1
            tally.faces += len(crops)
            tally.persons_seen.update(c.person for c in crops)
            yield blended


def _count_faces(
    faces: list[tuple[Blended, int]],
    tally: Tally,
    identity: IdentityNet,
    attributes: AttributeNet,
    compute: Compute,
    options: MeasureOptions,
) -> None:
    views = {view: _tensor([_picture(b, i, view) for b, i in faces], compute) for view in VIEWS}
    with torch.inference_mode(), compute.autocast():
        embeddings = identity(torch.cat(list(views.values()))).float().cpu().numpy()
    embeddings = dict(zip(VIEWS, np.split(embeddings, len(VIEWS)), strict=True))
    for at, (blended, i) in enumerate(faces):
        crop_, frame = blended.rendered.edited.coded.aligned.crops[i], blended.frame
        mine = {view: embeddings[view][at] for view in VIEWS}
        tally.persons.setdefault(crop_.person, PersonTally()).add(frame.index, mine)
        tally.series.append(
            {
                "frame": frame.index,
                "time": None if frame.time is None else round(float(frame.time), 4),
                "person": crop_.person,
                "weight": round(crop_.weight, 3),
                "inversion": round(float(mine["inversion"] @ mine["source"]), 4),
                "edited": round(float(mine["edited"] @ mine["source"]), 4),
            }
        )
    read = [at for at, (b, _) in enumerate(faces) if b.frame.index % options.attributes_every == 0]
    if not read or not options.attributes:
        return
    tally.attribute_faces += len(read)
    for view in ("source", "edited"):
        with torch.inference_mode(), compute.autocast():
            scores = attributes(views[view][read])
        for name in options.attributes:
            sums = tally.attributes.setdefault(name, {})
            sums[view] = sums.get(view, 0.0) + float(scores.score(name).sum())


def _picture(blended: Blended, i: int, view: str) -> np.ndarray:
    crop_ = blended.rendered.edited.coded.aligned.crops[i]
    if view == "source":
        return crop_.image
    if view == "inversion":
        return blended.rendered.inversions[i]
    return crop(blended.frame.image, crop_.quad, len(crop_.image))


def _tensor(pictures: list[np.ndarray], compute: Compute) -> Tensor:
    batch = torch.from_numpy(np.stack(pictures)).to(compute.device)
    return batch.permute(0, 3, 1, 2).float() / 127.5 - 1
