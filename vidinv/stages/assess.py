"""What is known of every drawn face before the change goes in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vidinv.faces.masks import face_outline, face_region, occluded_share, oval, unoccluded
from vidinv.faces.pose import pose_from_points
from vidinv.faces.quads import in_crop
from vidinv.faces.regions import union
from vidinv.models.face_parsing import FaceParsing
from vidinv.models.pictures import to_tensor
from vidinv.models.visibility import VisibilityNet
from vidinv.runtime.batching import Collected, collect, in_batches
from vidinv.runtime.compute import Compute
from vidinv.runtime.window import Memory, View, Window, advance
from vidinv.types import Assessment, Face, Faces, known

VIEWS = ("source", "inversion", "edit")


@dataclass(frozen=True)
class AssessOptions:
    batch: int = 8  # faces per pass
    sigma: float = 0.08  # seconds; what a face is, is the mean of its inversions over so long: what only passes is not
    cover: float = 0.03  # seconds over which the map of what lies over it is smoothed: hands are quick
    place: float = 0.08  # seconds over which its outline and its points are smoothed: in the crop a face lies still
    rate: float = 30.0  # frames per second


@dataclass(frozen=True)
class Look:
    """What the networks say of one crop."""

    identities: dict[str, NDArray[np.float32]]  # see Assessment
    maps: NDArray[np.float32] | None  # [2, h, h] face and occluder, 0..1; None: no network looked
    parts: NDArray[np.float32] | None  # [S, S] P(this is face), 0..1; None: no network looked


@dataclass(frozen=True)
class Past:
    """What the window keeps of one face in one frame."""

    inversion: NDArray[np.float32]
    look: Look
    points: NDArray[np.float32] | None  # [5, 2] pixels of the crop; None: the face has none
    seen: bool  # see Face


@dataclass(frozen=True)
class Looked:
    """A frame with what the networks say of its drawn faces, by person."""

    faces: Faces
    looks: dict[int, Look]
    whole: frozenset[int]  # those of whom all pictures and answers are numbers


@dataclass(frozen=True)
class AssessState:
    waiting: Collected[Faces] = Collected()
    window: Window[Looked, Past] = Window()


def assess(
    state: AssessState,
    faces: Faces | None,
    identity: nn.Module | None,
    compute: Compute,
    options: AssessOptions = AssessOptions(),
    *,
    visibility: VisibilityNet | None = None,
    parsing: FaceParsing | None = None,
) -> tuple[AssessState, list[Faces]]:
    """Add an Assessment to every drawn face. The doubts it raises are "missed" and "broken"; others are
    the gate's.

    The encoder reproduces a hand before a face as well as the face, so a frame's own inversion tells nothing of it.
    A network that looks for such things does, and the mean over the frames around: what comes and goes is not in it.

    :param identity: None leaves ``identities`` empty.
    :param visibility: says what lies over the face, and where the whole face is; None leaves ``occluded_share`` None.
    :param parsing: says where the face is; beyond it nothing is ``visible`` for an edit.
    """

    def looks_of(some: Sequence[Face]) -> Iterator[Look]:
        said = _embedded(some, identity, compute), _mapped(some, both_maps, compute), _mapped(some, parsing, compute)
        return (Look(*three) for three in zip(*said, strict=True))

    both_maps = None if visibility is None else lambda x: torch.stack(visibility(x), 1)

    waiting, group = collect(state.waiting, faces, lambda one: len(_drawn(one)), options.batch)
    looks = iter(in_batches([face for one in group for face in _drawn(one)], options.batch, looks_of))
    looked = [_looked(one, {face.person: next(looks) for face in _drawn(one)}) for one in group]
    reach = math.ceil(2 * max(options.sigma, options.place) * options.rate)
    window, due = advance(state.window, looked, _memory, reach, ended=faces is None)
    return AssessState(waiting, window), [_assessed(one, view, options) for one, view in due]


def _drawn(faces: Faces) -> list[Face]:
    return [face for face in faces.faces if face.edited is not None]


def _looked(faces: Faces, looks: dict[int, Look]) -> Looked:
    return Looked(faces, looks, frozenset(f.person for f in _drawn(faces) if _finite(f, looks[f.person])))


def _memory(looked: Looked) -> Memory[Past]:
    looks = looked.looks
    whole = [f for f in _drawn(looked.faces) if f.person in looked.whole]
    past = {f.person: Past(known(f.inversion), looks[f.person], _points(f), f.seen) for f in whole}
    return Memory(past, looked.faces.frame.cut)


def _finite(face: Face, look: Look) -> bool:
    """Are pictures and answers numbers? Damaged weights and overflows give others, which spread through every mean."""
    found = (face.inversion, face.edited, look.maps, look.parts, *look.identities.values())
    return all(np.isfinite(part).all() for part in found if part is not None)


def _points(face: Face) -> NDArray[np.float32] | None:
    if face.points is None or not face.seen:  # of a missed face they lie where it was seen last
        return None
    return in_crop(face.points, known(face.quad), len(known(face.crop))).astype(np.float32)


def _mean(values: list[tuple[int, NDArray[np.float32]]], sigma: float) -> NDArray[np.float32]:
    """Gaussian mean about place 0."""
    weights = np.exp([-0.5 * (t / max(sigma, 1e-9)) ** 2 for t, _ in values]).astype(np.float32)
    # One after the other they stay in the cache, and nothing is copied; what counts for nothing is left out.
    total = np.zeros_like(values[0][1])
    for weight, (_, value) in zip((weights / weights.sum()).tolist(), values, strict=True):
        if weight > 0:
            cv2.scaleAdd(value, weight, total, dst=total)
    return total


def _embedded(
    some: Sequence[Face], identity: nn.Module | None, compute: Compute
) -> list[dict[str, NDArray[np.float32]]]:
    if identity is None:
        return [{} for _ in some]
    views = [p for f in some for p in (known(f.crop).astype(np.float32), known(f.inversion), known(f.edited))]
    with torch.inference_mode(), compute.autocast():
        embeddings = identity(to_tensor(np.stack(views), compute.device)).float().cpu().numpy()
    threes = embeddings.reshape(-1, len(VIEWS), embeddings.shape[-1])
    # Copies: a row that is kept for the report would keep its whole batch.
    return [{view: row.copy() for view, row in zip(VIEWS, three, strict=True)} for three in threes]


def _mapped(
    some: Sequence[Face], network: Callable[[Tensor], Tensor] | None, compute: Compute
) -> Sequence[NDArray[np.float32] | None]:
    """What a network that answers with maps says of each crop."""
    if network is None:
        return [None for _ in some]
    with torch.inference_mode(), compute.autocast():
        maps = network(to_tensor(np.stack([known(face.crop) for face in some]), compute.device))
    return [row.copy() for row in maps.float().cpu().numpy()]


def _assessed(looked: Looked, view: View[Past], options: AssessOptions) -> Faces:
    def assessed(face: Face) -> Face:
        look = looked.looks.get(face.person)
        if look is None:
            return face
        if face.person not in looked.whole:
            doubts = ("broken",) if face.seen else ("missed", "broken")
            return replace(face, assessment=Assessment({}, 0.0, 0.0, 0.0, doubts=doubts))
        # Without a limit to gaps: what the face is, is no other for a moment in which nothing was edited.
        return replace(face, assessment=_assessment(face, look, view.track(face.person, math.inf), options))

    return looked.faces.each(assessed)


def _assessment(face: Face, look: Look, track: list[tuple[int, Past]], options: AssessOptions) -> Assessment:
    """:param track: the person, in this frame and those around it."""
    track = [(t, m) for t, m in track if m.seen] or track  # what was not seen, a flash, says nothing of the face
    yaw, pitch = pose_from_points(face.points)[:2] if face.points is not None else (0.0, 0.0)
    source, share, visible, outline = known(face.crop), None, None, None
    size, place = len(source), options.place * options.rate
    if look.maps is not None:
        maps = _mean([(t, m.look.maps) for t, m in track if m.look.maps is not None], options.cover * options.rate)
        visible = unoccluded(maps[1], size)
        share = 0.0 if visible is None else occluded_share(visible, maps[0])
        whole = _mean([(t, m.look.maps[0]) for t, m in track if m.look.maps is not None], place)
        outline = face_outline(whole, source)
    if look.parts is not None:
        seen = face_region(
            _mean([(t, m.look.parts) for t, m in track if m.look.parts is not None], options.cover * options.rate)
        )
        visible = seen if visible is None else visible * seen
    points = [(t, m.points) for t, m in track if m.points is not None]
    region = union(face.regions, outline, _mean(points, place) if points else None, size)
    mask = oval(size, content=face.content)
    mask = mask if visible is None else mask * visible
    usual = _mean([(t, m.inversion) for t, m in track], options.sigma * options.rate)
    apart = source - usual
    error = np.einsum("ijk,ijk->ij", apart, apart).ravel() @ mask.ravel() / 3
    residual = float(np.sqrt(error / max(mask.sum(), 1.0)))
    doubts = () if face.seen else ("missed",)
    luma = cv2.cvtColor(source, cv2.COLOR_RGB2GRAY)
    light = float(luma.mean()), float(luma.std())
    return Assessment(look.identities, yaw, pitch, residual, light, share, visible, region, doubts)
