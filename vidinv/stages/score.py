"""Blended -> Blended: look at every edited face once more and keep count for the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray

from vidinv.faces.warps import crop
from vidinv.models.attributes import AttributeNet
from vidinv.models.identity import IdentityNet
from vidinv.models.pictures import to_tensor
from vidinv.report import VIEWS, PersonTally, Tally
from vidinv.report.quality import Meter
from vidinv.report.running import Running
from vidinv.runtime.batching import groups
from vidinv.runtime.compute import Compute
from vidinv.types import Blended, Compared

T = TypeVar("T")


@dataclass(frozen=True)
class ScoreOptions:
    batch: int = 8  # faces per pass
    attributes: tuple[str, ...] = ()  # scores to follow: the edited ones
    attributes_every: int = 5  # frames between attribute readings


def compared(blended: Blended) -> Compared:
    """The faces that an edit was made for, also where nothing of it reached the picture."""
    rendered = blended.rendered
    aligned = rendered.edited.coded.aligned
    drawn = [i for i, picture in enumerate(rendered.inversions) if picture is not None]
    known = rendered.assessments or (None,) * len(aligned.crops)
    return Compared(
        rendered.frame,
        blended.frame,
        tuple(aligned.crops[i] for i in drawn),
        tuple(rendered.inversions[i] for i in drawn),
        tuple(known[i] for i in drawn),
        tuple(c.person for c in aligned.crops),
        aligned.found.cut,
    )


def score(
    stream: Iterable[T],
    tally: Tally,
    identity: IdentityNet | None,
    attributes: AttributeNet | None,
    compute: Compute,
    options: ScoreOptions = ScoreOptions(),
    *,
    meter: Meter | None = None,
    view: Callable[[T], Compared] = compared,
) -> Iterator[T]:
    """Add every frame to ``tally``: source crop, inversion, and the face as it is in the finished frame.

    :param identity: None leaves ``tally.persons`` empty.
    :param attributes: may be None where ``options`` name no score.
    :param meter: takes the figures that cost more; None leaves them out.
    :param view: what to look at in an item; by default the items are Blended.
    """
    for group in groups(((item, view(item)) for item in stream), lambda pair: len(pair[1].crops), options.batch):
        faces = [(c, i) for _, c in group for i in range(len(c.crops))]
        for start in range(0, len(faces), options.batch):
            _count_faces(faces[start : start + options.batch], tally, identity, attributes, compute, options)
        if meter is not None:
            meter.add([c for _, c in group])
        for item, seen in group:
            tally.frames += 1
            tally.faces += len(seen.present)
            tally.persons_seen.update(seen.present)
            yield item


def _count_faces(
    faces: list[tuple[Compared, int]],
    tally: Tally,
    identity: IdentityNet | None,
    attributes: AttributeNet | None,
    compute: Compute,
    options: ScoreOptions,
) -> None:
    pictures = [_pictures(c, i) for c, i in faces]
    embeddings = _embeddings(faces, pictures, identity, compute)
    entries = []
    for (seen, i), mine in zip(faces, embeddings, strict=True):
        if mine:
            tally.persons.setdefault(seen.crops[i].person, PersonTally()).add(seen.source.index, mine)
        entries.append(_entry(seen, i, mine))
    tally.series += entries
    read = [at for at, (c, _) in enumerate(faces) if c.source.index % options.attributes_every == 0]
    if not read or not options.attributes:
        return
    tally.attribute_faces += len(read)
    scores = {}
    for view in ("source", "edited"):
        with torch.inference_mode(), compute.autocast():
            scores[view] = attributes(to_tensor([pictures[at][view] for at in read], compute.device))
    for name in options.attributes:
        before, after = (scores[view].score(name).float().tolist() for view in ("source", "edited"))
        sums = tally.attributes.setdefault(name, {"source": 0.0, "edited": 0.0})
        for at, a, b in zip(read, before, after, strict=True):
            sums["source"], sums["edited"] = sums["source"] + a, sums["edited"] + b
            tally.changes.setdefault((name, entries[at]["person"]), Running()).add(b - a)
            entries[at].setdefault("attributes", {})[name] = [round(a, 3), round(b, 3)]


def _pictures(seen: Compared, i: int) -> dict[str, NDArray]:
    """Each view of a face, [S, S, 3] in 0..255."""
    face = seen.crops[i]
    edited = crop(seen.edited.image, face.quad, len(face.image), face.content)
    return {"source": face.image, "inversion": seen.inversions[i], "edited": edited}


def _embeddings(
    faces: list[tuple[Compared, int]],
    pictures: list[dict[str, NDArray]],
    identity: IdentityNet | None,
    compute: Compute,
) -> list[dict[str, NDArray]]:
    """Unit embeddings of the views of each face; those that an assessment brought along are not computed again."""
    if identity is None:
        return [{} for _ in faces]
    known = [c.assessments[i].identities if c.assessments[i] is not None else {} for c, i in faces]
    found = [{view: k[view] for view in VIEWS[:2] if view in k} for k in known]
    todo = [
        (at, view)
        for at in range(len(faces))
        for view in VIEWS
        if view not in found[at] and pictures[at][view] is not None
    ]
    with torch.inference_mode(), compute.autocast():
        made = identity(to_tensor([pictures[at][view] for at, view in todo], compute.device)).float().cpu().numpy()
    for (at, view), embedding in zip(todo, made, strict=True):
        found[at][view] = embedding.copy()  # a row that is kept for the report would keep its whole batch
    return found


def _entry(seen: Compared, i: int, mine: dict[str, NDArray]) -> dict[str, Any]:
    """One line of the report's series."""
    frame, face, assessment = seen.source, seen.crops[i], seen.assessments[i]
    entry = {
        "frame": frame.index,
        "time": None if frame.time is None else round(float(frame.time), 4),
        "person": face.person,
        "weight": round(face.weight, 3),
    }
    entry |= {view: round(float(mine[view] @ mine["source"]), 4) for view in VIEWS[1:] if view in mine}
    if assessment is not None:
        entry |= {"trust": round(assessment.trust, 3), "doubts": list(assessment.doubts)}
        if assessment.covered is not None:
            entry["covered"] = round(assessment.covered, 3)
    return entry
