"""Look at every edited face once more, in the finished frame, and keep count for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vidinv.models.attributes import AttributeNet
from vidinv.models.pictures import to_tensor
from vidinv.report.quality import Instruments, Quality, edited_crop, measure, place
from vidinv.report.tally import VIEWS, Embeddings, Tally
from vidinv.runtime.batching import Collected, collect, in_batches
from vidinv.runtime.compute import Compute
from vidinv.types import Face, Faces, Score, known


@dataclass(frozen=True)
class ScoreOptions:
    batch: int = 8  # faces per pass
    attributes: tuple[str, ...] = ()  # scores to follow
    attributes_every: int = 5  # frames between attribute readings
    every_face: bool = False  # also those that no edit was made for, as in a comparison of two videos


@dataclass(frozen=True)
class Scorers:
    """The networks that look."""

    identity: nn.Module | None  # None: no likeness is counted
    attributes: AttributeNet | None  # None: no attribute is followed
    compute: Compute
    instruments: Instruments | None = None  # of a full report; None: only what every run counts


@dataclass(frozen=True)
class ScoreState:
    """The figures of the report so far, and the frames that wait for a batch."""

    tally: Tally = Tally()
    quality: Quality | None = None  # None: only what every run counts
    waiting: Collected[Faces] = Collected()


def score(
    state: ScoreState, faces: Faces | None, scorers: Scorers, options: ScoreOptions = ScoreOptions()
) -> tuple[ScoreState, list[Faces]]:
    """Give every face that is looked at its Score, and count it: source crop, inversion, and the face in ``output``."""
    waiting, group = collect(state.waiting, faces, lambda one: len(_looked_at(one, options)), options.batch)
    looks = [Look(one, face, edited_crop(one, face)) for one in group for face in _looked_at(one, options)]
    tally, scores = state.tally, iter(in_batches(looks, options.batch, lambda some: _scored(some, scorers, options)))
    scored = []
    for one in group:
        tally = tally.cut() if one.frame.cut else tally
        mine = {face.person: next(scores) for face in _looked_at(one, options)}
        for person, seen in mine.items():
            tally = tally.add_identity(person, one.frame.index, seen.embeddings)
            tally = tally.add_amount(person, seen.row.amount, seen.held)
            tally = tally.add_reached(seen.row.weight, seen.row.doubts) if seen.row.amount is not None else tally
            tally = tally.add_attributes(person, seen.attributes) if seen.attributes else tally
        names = {face.person: face.name for face in one.faces if face.name is not None}
        tally = tally.add_frame(frozenset(face.person for face in one.faces), names)
        scored.append(one.each(partial(_scored_face, rows={person: seen.row for person, seen in mine.items()})))
    quality = state.quality
    if quality is not None and scorers.instruments is not None:
        some = [replace(one, faces=tuple(f for f in _looked_at(one, options) if not _broken(f))) for one in group]
        crops = {place(look.faces, look.face): look.edited for look in looks}
        quality = measure(quality, some, scorers.instruments, crops)
    return ScoreState(tally, quality, waiting), scored


@dataclass(frozen=True)
class Look:
    """A face to be looked at."""

    faces: Faces
    face: Face
    edited: NDArray[Any]  # [S, S, 3] the face in the finished frame

    def views(self) -> dict[str, NDArray[Any]]:
        """[S, S, 3] in 0..255 by view; a comparison of two videos has no inversion."""
        found = {"source": known(self.face.crop), "inversion": self.face.inversion, "edited": self.edited}
        return {view: picture for view, picture in found.items() if picture is not None}


def _scored_face(face: Face, rows: Mapping[int, Score]) -> Face:
    return replace(face, score=rows.get(face.person))


def _looked_at(faces: Faces, options: ScoreOptions) -> list[Face]:
    """The faces that an edit was made for, also where nothing of it reached the picture; or all."""
    return [face for face in faces.faces if options.every_face or face.inversion is not None]


def _broken(face: Face) -> bool:
    return face.assessment is not None and "broken" in face.assessment.doubts


@dataclass(frozen=True)
class Seen:
    """What the networks say of a face; the row of the report is rounded."""

    embeddings: Embeddings
    attributes: Mapping[str, tuple[float, float]]
    row: Score
    held: Mapping[str, tuple[float, float]]


def _scored(looks: Sequence[Look], scorers: Scorers, options: ScoreOptions) -> list[Seen]:
    said = zip(_embeddings(looks, scorers), _attributes(looks, scorers, options), strict=True)
    return [Seen(*pair, _row(looks[i], *pair), looks[i].face.held) for i, pair in enumerate(said)]


def _embeddings(looks: Sequence[Look], scorers: Scorers) -> list[dict[str, NDArray[Any]]]:
    """Unit embeddings of the views of each face; those that an assessment brought along are not computed again."""
    if scorers.identity is None:
        return [{} for _ in looks]
    brought = [look.face.assessment.identities if look.face.assessment is not None else {} for look in looks]
    found = [{view: mine[view] for view in VIEWS[:2] if view in mine} for mine in brought]
    todo = [
        (at, view, picture)
        for at, look in enumerate(looks)
        for view, picture in look.views().items()
        if view not in found[at]
    ]
    with torch.inference_mode(), scorers.compute.autocast():
        pictures = to_tensor([picture for *_, picture in todo], scorers.compute.device)
        made = scorers.identity(pictures).float().cpu().numpy()
    for (at, view, _), embedding in zip(todo, made, strict=True):
        found[at][view] = embedding.copy()  # a row that is kept for the report would keep its whole batch
    # A single one that is no number would be in every mean.
    return [views if all(np.isfinite(row).all() for row in views.values()) else {} for views in found]


def _attributes(looks: Sequence[Look], scorers: Scorers, options: ScoreOptions) -> list[dict[str, tuple[float, float]]]:
    """Scores before and after by their names, in the frames in which they are read."""
    found: list[dict[str, tuple[float, float]]] = [{} for _ in looks]
    read = [at for at, look in enumerate(looks) if look.faces.frame.index % options.attributes_every == 0]
    if not read or not options.attributes or scorers.attributes is None:
        return found
    views = [looks[at].views()[view] for view in ("source", "edited") for at in read]
    with torch.inference_mode(), scorers.compute.autocast():
        said = scorers.attributes(to_tensor(views, scorers.compute.device))
    for name in options.attributes:
        told = said.score(name).float().tolist()
        for at, *pair in zip(read, told[: len(read)], told[len(read) :], strict=True):
            found[at][name] = (pair[0], pair[1])
    return found


def _row(look: Look, embeddings: Embeddings, attributes: dict[str, tuple[float, float]]) -> Score:
    frame, face, assessment = look.faces.frame, look.face, look.face.assessment
    alike = {v: round(float(embeddings[v] @ embeddings["source"]), 4) for v in VIEWS[1:] if v in embeddings}
    share = None if assessment is None else assessment.occluded_share
    worn = 0.0 if face.worn is None else face.worn.steps
    return Score(
        frame=frame.index,
        time=None if frame.time is None else round(float(frame.time), 4),
        person=face.person,
        weight=round(face.weight, 3),
        amount=None if face.inversion is None else round(face.amount + worn, 3),
        inversion=alike.get("inversion"),
        edited=alike.get("edited"),
        trust=None if assessment is None else round(assessment.trust, 3),
        doubts=() if assessment is None else assessment.doubts,
        occluded_share=None if share is None else round(share, 3),
        attributes={name: (round(a, 3), round(b, 3)) for name, (a, b) in attributes.items()},
        cut=frame.cut,
    )
