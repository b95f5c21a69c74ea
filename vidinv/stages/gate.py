"""Rendered -> Rendered: where a face is not to be trusted, its edit fades to the source, smoothly in time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidinv.runtime.window import View, windowed
from vidinv.types import Assessment, Rendered

MEDIAN = 2  # frames on either side whose median counts: one odd frame is noise of the networks, not an event


@dataclass(frozen=True)
class GateOptions:
    """When a face is doubted. The thresholds lie where real clips separate; "usual" is the person's own recent mean."""

    yaw: float = (
        45.0  # degrees; the networks' training faces look within about 40, five points say 50 to 64 of a profile
    )
    pitch: float = 40.0  # degrees; noses differ by ten and an open mouth adds as much, so only extremes count
    covered: float = 0.5  # share of the face that something may lie over; a hand over nose and mouth takes 0.45
    occlusion: float = (
        1.4  # times the usual unexplained difference, beside what is known to cover the face; expressions reach 1.3,
        # passers-by that no network saw 1.5 to 2.7
    )
    identity: float = (
        0.35  # cosine of the crop to the person's usual look; expressions keep 0.5, other people lie below 0.3
    )
    drop: float = 0.35  # by which the edit's likeness to the crop may fall below the usual; expressions cost up to 0.3
    missed: float = (
        0.1  # seconds that a face may be missed: between two sightings so close its place is as good as seen
    )
    settle: float = 0.4  # seconds after which "usual" is believed
    memory: float = 4.0  # seconds after which the usual is forgotten to 1/e
    patience: float = 3.0  # seconds after which what was doubted is taken for the new usual (a lamp goes on, and stays)
    fade: float = 0.2  # seconds over which the edit goes and comes
    rate: float = 30.0  # frames per second


def gate(stream: Iterable[Rendered], options: GateOptions = GateOptions()) -> Iterator[Rendered]:
    """Name the doubts in every assessment, and lower the weight of the crops around those that last.

    A face of no weight loses its edit, so that its frame comes out bit-identical; its inversion stays for the report.
    """
    for rendered, view in windowed(_judged(stream, options), round(options.fade * options.rate), _appraisals):
        yield _weighted(rendered, view, round(options.fade * options.rate))


def _appraisals(rendered: Rendered) -> dict[int, Assessment]:
    crops = rendered.edited.coded.aligned.crops
    return {c.person: a for c, a in zip(crops, rendered.assessments, strict=True) if a is not None}


@dataclass(frozen=True)
class Usual:
    """What is usual for a person, from the trusted frames so far."""

    frames: int
    look: NDArray[np.float64]  # [D] mean embedding of the crops
    likeness: float  # cosine of edit and crop
    unexplained: float  # levels
    strength: float  # of the edit that the likeness was seen at
    doubted: int = 0  # frames for which "occlusion" or "identity" has lasted


def _judged(stream: Iterable[Rendered], options: GateOptions) -> Iterator[Rendered]:
    """Doubts by name; trust 0 where they are to be acted upon."""
    usual: dict[int, Usual] = {}
    for rendered, view in windowed(stream, max(MEDIAN, round(options.missed * options.rate)), _appraisals):
        judged = {}
        for person in _appraisals(rendered):
            around = _together(view, person)
            judged[person], usual[person] = judge(*around, usual.get(person), options)
        crops = rendered.edited.coded.aligned.crops
        told = tuple(None if a is None else judged[c.person] for c, a in zip(crops, rendered.assessments, strict=True))
        yield replace(rendered, assessments=told)


def _together(view: View[dict[int, Assessment]], person: int) -> tuple[list[Assessment], int]:
    """The person's assessments around the middle of the view without a gap, and where the middle is among them."""
    first = last = view.at
    while first > 0 and person in view.around[first - 1]:
        first -= 1
    while last + 1 < len(view.around) and person in view.around[last + 1]:
        last += 1
    return [view.around[i][person] for i in range(first, last + 1)], view.at - first


def judge(around: list[Assessment], at: int, usual: Usual | None, options: GateOptions) -> tuple[Assessment, Usual]:
    """The assessment at ``at`` with its doubts, trust 0 or 1, and what is usual from now on."""
    mine, near = around[at], around[max(at - MEDIAN, 0) : at + MEDIAN + 1]
    known = bool(mine.identities)  # without an identity network that doubt is never raised
    look = mine.identities["source"].astype(np.float64) if known else np.zeros(0)
    likeness = float(np.median([a.identities["edit"] @ a.identities["source"] for a in near])) if known else 0.0
    unexplained = float(np.median([a.unexplained for a in near]))
    if usual is not None and abs(mine.strength - usual.strength) > 0.05 * usual.strength:
        # Somebody asked for more or less of the edit: what that costs in likeness is no reason for doubt.
        usual = replace(usual, likeness=likeness, strength=mine.strength)
    doubts = []
    if abs(np.median([a.yaw for a in near])) > options.yaw or abs(np.median([a.pitch for a in near])) > options.pitch:
        doubts.append("pose")
    hidden = float(np.median([a.covered or 0.0 for a in near])) > options.covered
    believed = usual is not None and usual.frames >= options.settle * options.rate
    changed = believed and unexplained > options.occlusion * usual.unexplained
    other = believed and known and _is_other(near, usual, likeness, options)
    doubts += ["occlusion"] * (hidden or changed) + ["identity"] * other
    act = bool(doubts) or _missed_for(around, at) > options.missed * options.rate
    fresh = Usual(0, look, likeness, unexplained, mine.strength)
    if (changed or other) and not hidden:  # what hides a face never becomes usual, however long it does
        usual = replace(usual, doubted=usual.doubted + 1)
        usual = usual if usual.doubted <= options.patience * options.rate else fresh
    elif "missed" not in mine.doubts and not doubts:
        usual = _updated(usual, fresh, options.memory * options.rate)
    usual = usual or fresh
    return replace(mine, doubts=(*mine.doubts, *doubts), trust=0.0 if act else 1.0), usual


def _is_other(near: list[Assessment], usual: Usual, likeness: float, options: GateOptions) -> bool:
    """Is it not the person, or has the edit lost him?"""
    person = usual.look / np.linalg.norm(usual.look)
    alike = float(np.median([a.identities["source"] @ person for a in near]))
    return alike < options.identity or likeness < usual.likeness - options.drop


def _missed_for(around: list[Assessment], at: int) -> int:
    """Length of the run of missed frames that ``at`` lies in, as far as one can see."""
    missed = ["missed" in a.doubts for a in around]
    if not missed[at]:
        return 0
    first = next((i + 1 for i in range(at, -1, -1) if not missed[i]), 0)
    last = next((i for i in range(at, len(missed)) if not missed[i]), len(missed))
    return last - first


def _updated(usual: Usual | None, now: Usual, memory: float) -> Usual:
    """A running mean that forgets; at first every frame counts the same."""
    if usual is None or usual.frames == 0:
        return replace(now, frames=1)
    share = max(1 / (usual.frames + 1), 1 - math.exp(-1 / memory))
    means = {k: (1 - share) * getattr(usual, k) + share * getattr(now, k) for k in ("look", "likeness", "unexplained")}
    return replace(now, frames=usual.frames + 1, **means)


def _weighted(rendered: Rendered, view: View[dict[int, Assessment]], fade: int) -> Rendered:
    """The middle of the view with the trust that its surroundings leave it."""
    crops, edits, assessments = (
        list(rendered.edited.coded.aligned.crops),
        list(rendered.edits),
        list(rendered.assessments),
    )
    for i, assessment in enumerate(assessments):
        if assessment is None:
            continue
        around, at = _together(view, crops[i].person)
        nearest = min((abs(k - at) for k, a in enumerate(around) if a.trust == 0), default=fade + 1)
        value = 0.5 - 0.5 * math.cos(math.pi * min(nearest / (fade + 1), 1))
        assessments[i] = replace(assessment, trust=value)
        crops[i] = replace(crops[i], weight=crops[i].weight * value)
        edits[i] = edits[i] if value > 0 else None
    aligned = replace(rendered.edited.coded.aligned, crops=tuple(crops))
    edited = replace(rendered.edited, coded=replace(rendered.edited.coded, aligned=aligned))
    return replace(rendered, edited=edited, edits=tuple(edits), assessments=tuple(assessments))
