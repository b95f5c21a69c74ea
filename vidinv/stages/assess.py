"""Rendered -> Rendered: what is known of every drawn face before the change goes in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.faces.masks import covered_share, oval, uncovered
from vidinv.faces.pose import pose_from_points
from vidinv.models.identity import IdentityNet
from vidinv.models.pictures import to_tensor
from vidinv.models.visibility import VisibilityNet
from vidinv.runtime.batching import groups
from vidinv.runtime.compute import Compute
from vidinv.runtime.window import View, windowed
from vidinv.types import Assessment, Rendered

VIEWS = ("source", "inversion", "edit")


@dataclass(frozen=True)
class AssessOptions:
    batch: int = 8  # faces per pass
    sigma: float = 0.08  # seconds; what a face is, is the mean of its inversions over so long: what only passes is not
    cover: float = 0.03  # seconds over which the map of what covers it is smoothed: hands are quick
    rate: float = 30.0  # frames per second


@dataclass(frozen=True)
class _Look:
    """What the networks say of one crop."""

    identities: dict[str, NDArray[np.float32]]  # see Assessment
    maps: NDArray[np.float32] | None  # [2, h, h] face and occluder, 0..1; None: no network looked


@dataclass(frozen=True)
class _Memory:
    """What the window keeps of one face in one frame."""

    inversion: NDArray[np.float32]
    maps: NDArray[np.float32] | None


def assess(
    stream: Iterable[Rendered],
    identity: IdentityNet | None,
    compute: Compute,
    options: AssessOptions = AssessOptions(),
    *,
    visibility: VisibilityNet | None = None,
) -> Iterator[Rendered]:
    """Add an Assessment for every edited face. The only doubt it raises is "missed"; others are :func:`trust`'s.

    The encoder reproduces a hand before a face as well as the face, so a frame's own inversion tells nothing of it.
    A network that looks for such things does, and the mean over the frames around: what comes and goes is not in it.

    :param identity: None leaves ``identities`` empty.
    :param visibility: None leaves ``covered`` and ``visible`` None.
    """
    sigma = options.sigma * options.rate
    looked = _looked_at(stream, identity, visibility, compute, options.batch)
    for (rendered, looks), view in windowed(looked, math.ceil(2 * sigma), _memories):
        assessments = tuple(
            None if look is None else _appraisal(rendered, i, look, _track(view, crop.person), options)
            for i, (crop, look) in enumerate(zip(rendered.edited.coded.aligned.crops, looks, strict=True))
        )
        yield replace(rendered, assessments=assessments)


Looks = tuple[_Look | None, ...]  # per crop; None: not edited
Track = list[tuple[int, _Memory]]  # of one person: frames from the one asked for, and what is kept of them


def _looked_at(
    stream: Iterable[Rendered],
    identity: IdentityNet | None,
    visibility: VisibilityNet | None,
    compute: Compute,
    batch: int,
) -> Iterator[tuple[Rendered, Looks]]:
    for group in groups(stream, lambda r: sum(e is not None for e in r.edits), batch):
        drawn = [(r, i) for r in group for i, e in enumerate(r.edits) if e is not None]
        looks = []
        for start in range(0, len(drawn), batch):
            some = drawn[start : start + batch]
            both = _embedded(some, identity, compute), _mapped(some, visibility, compute)
            looks += [_Look(*pair) for pair in zip(*both, strict=True)]
        found = iter(looks)
        for rendered in group:
            yield rendered, tuple(None if e is None else next(found) for e in rendered.edits)


def _memories(item: tuple[Rendered, Looks]) -> dict[int, _Memory]:
    """By person. A person lives within one shot."""
    rendered, looks = item
    crops = rendered.edited.coded.aligned.crops
    return {
        crop.person: _Memory(picture, look.maps if look is not None else None)
        for crop, picture, look in zip(crops, rendered.inversions, looks, strict=True)
        if picture is not None
    }


def _track(view: View[dict[int, _Memory]], person: int) -> Track:
    return [(i - view.at, known[person]) for i, known in enumerate(view.around) if person in known]


def _mean(values: list[tuple[int, NDArray[np.float32]]], sigma: float) -> NDArray[np.float32]:
    """Gaussian mean about frame 0."""
    weights = np.exp([-0.5 * (t / max(sigma, 1e-9)) ** 2 for t, _ in values]).astype(np.float32)
    return np.tensordot(weights / weights.sum(), np.stack([value for _, value in values]), 1)


def _embedded(
    drawn: list[tuple[Rendered, int]], identity: IdentityNet | None, compute: Compute
) -> list[dict[str, NDArray[np.float32]]]:
    if identity is None:
        return [{} for _ in drawn]
    views = [p for r, i in drawn for p in (_source(r, i).astype(np.float32), r.inversions[i], r.edits[i])]
    with torch.inference_mode(), compute.autocast():
        embeddings = identity(to_tensor(np.stack(views), compute.device)).float().cpu().numpy()
    threes = embeddings.reshape(-1, len(VIEWS), embeddings.shape[-1])
    # Copies: a row that is kept for the report would keep its whole batch.
    return [{view: row.copy() for view, row in zip(VIEWS, three, strict=True)} for three in threes]


def _mapped(
    drawn: list[tuple[Rendered, int]], visibility: VisibilityNet | None, compute: Compute
) -> list[NDArray[np.float32] | None]:
    if visibility is None:
        return [None for _ in drawn]
    with torch.inference_mode(), compute.autocast():
        maps = visibility(to_tensor(np.stack([_source(r, i) for r, i in drawn]), compute.device))
    return list(torch.stack(maps, 1).float().cpu().numpy())


def _source(rendered: Rendered, i: int) -> NDArray[np.uint8]:
    return rendered.edited.coded.aligned.crops[i].image


def _appraisal(rendered: Rendered, i: int, look: _Look, track: Track, options: AssessOptions) -> Assessment:
    """:param track: the person, in this frame and those around it."""
    aligned = rendered.edited.coded.aligned
    crop = aligned.crops[i]
    face = next((f for f in aligned.found.faces if f.person == crop.person), None)
    yaw, pitch = pose_from_points(face.points)[:2] if face is not None and face.points is not None else (0.0, 0.0)
    covered, visible = None, None
    if look.maps is not None:
        maps = _mean([(t, m.maps) for t, m in track if m.maps is not None], options.cover * options.rate)
        visible = uncovered(maps[1], len(crop.image))
        covered = 0.0 if visible is None else covered_share(visible, maps[0])
    mask = oval(len(crop.image), content=crop.content)
    mask = mask if visible is None else mask * visible
    usual = _mean([(t, m.inversion) for t, m in track], options.sigma * options.rate)
    error = np.square(crop.image - usual).mean(2)
    unexplained = float(np.sqrt((error * mask).sum() / max(mask.sum(), 1.0)))
    doubts = () if face is not None and face.seen else ("missed",)
    strength = rendered.edited.strength
    return Assessment(look.identities, yaw, pitch, unexplained, strength, covered, visible, doubts)
