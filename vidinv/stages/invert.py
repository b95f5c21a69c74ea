"""Crops become points of the Feature-Style space, in batches over frames and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vidinv.inversion import Inverted, Inverter
from vidinv.inversion.base import together
from vidinv.models.pictures import to_tensor
from vidinv.runtime.batching import Collected, collect, in_batches
from vidinv.runtime.compute import Compute
from vidinv.types import Face, Faces, known


@dataclass(frozen=True)
class InvertOptions:
    batch: int = 8  # crops per pass
    away: float = 1.2  # seconds after which the search for who comes again begins anew, as what the gate knows does
    rate: float = 30.0  # frames per second


@dataclass(frozen=True)
class InvertState:
    waiting: Collected[Faces] = Collected()
    last: Mapping[int, Inverted] = field(default_factory=dict)
    """By person of this shot: where a method that goes on from the frame before was; each a batch of one."""
    seen: Mapping[int, int] = field(default_factory=dict)  # by the same persons, the index of that frame


def invert(
    state: InvertState,
    faces: Faces | None,
    inverter: Inverter,
    compute: Compute,
    options: InvertOptions = InvertOptions(),
) -> tuple[InvertState, list[Faces]]:
    """Invert every crop. Frames without a face pass through and are waited for no longer than two batches."""
    if inverter.warm:
        return _one_by_one(state, faces, inverter, compute, options)

    def codes_of(some: Sequence[Face]) -> list[Face]:
        codes = _inverted(some, None, inverter, compute).codes()
        return [replace(face, code=code) for face, code in zip(some, codes, strict=True)]

    waiting, group = collect(state.waiting, faces, lambda one: len(one.faces), options.batch)
    coded = iter(in_batches([face for one in group for face in one.faces], options.batch, codes_of))
    return replace(state, waiting=waiting), [one.each(lambda _: next(coded)) for one in group]


def _one_by_one(
    state: InvertState, faces: Faces | None, inverter: Inverter, compute: Compute, options: InvertOptions
) -> tuple[InvertState, list[Faces]]:
    """Frame after frame: a frame's codes are where the next frame's search begins."""
    if faces is None:
        return state, []
    now, away = faces.frame.index, round(options.away * options.rate) + 1
    times = {p: i for p, i in state.seen.items() if not faces.frame.cut and now - i <= away}
    last = {person: state.last[person] for person in times}
    before = dict(last)

    def rows_of(some: Sequence[Face]) -> list[Inverted]:
        start = together([before[face.person] for face in some]) if some[0].person in before else None
        return _inverted(some, start, inverter, compute).rows()

    seen = [face for face in faces.faces if face.person in before]
    new = [face for face in faces.faces if face.person not in before]
    for some in (seen, new):
        rows = in_batches(some, options.batch, rows_of)
        last |= {face.person: row for face, row in zip(some, rows, strict=True)}
    coded = faces.each(lambda face: replace(face, code=last[face.person].codes()[0]))
    return replace(state, last=last, seen=times | {face.person: now for face in faces.faces}), [coded]


def _inverted(some: Sequence[Face], start: Inverted | None, inverter: Inverter, compute: Compute) -> Inverted:
    pictures = to_tensor([known(face.crop) for face in some], compute.device)
    with compute.autocast():
        return inverter(pictures, start)
