"""Where a face is not to be trusted, its edit fades to the source, smoothly in time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vidinv.runtime.window import Memory, View, Window, advance, advance_one
from vidinv.types import Assessment, Face, Faces

BLANK = 8.0  # levels: a crop of a smaller standard deviation shows nothing


@dataclass(frozen=True)
class GateOptions:
    """When a face is doubted. The thresholds lie where real clips separate; "usual" is the person's own recent mean."""

    yaw: float = (
        45.0  # degrees; the networks' training faces look within about 40, five points say 50 to 64 of a profile
    )
    pitch: float = 40.0  # degrees; noses differ by ten and an open mouth adds as much, so only extremes count
    occluded: float = 0.5  # share of the face that something may lie over; a hand over nose and mouth takes 0.45
    occlusion: float = (
        1.4  # times the usual residual, beside what is known to lie over the face; expressions reach 1.3,
        # passers-by that no network saw 1.5 to 2.7
    )
    identity: float = (
        0.35  # cosine of the crop to the person's usual look; expressions keep 0.5, other people lie below 0.3
    )
    drop: float = 0.35  # by which the edit's likeness to the crop may fall below the usual; expressions cost up to 0.3
    missed: float = (
        0.1  # seconds that a face may be missed: between two sightings so close its place is as good as seen
    )
    median: float = (
        0.08  # seconds on either side whose median counts: one odd frame is noise of the networks, not an event
    )
    lighter: float = (
        1.5  # times the light that the usual was learnt in: from there it is learnt anew (a fade from black)
    )
    settle: float = 0.4  # seconds after which "usual" is believed
    memory: float = 4.0  # seconds after which the usual is forgotten to 1/e
    patience: float = 3.0  # seconds after which what was doubted is taken for the new usual (a lamp goes on, and stays)
    fade: float = 0.2  # seconds over which the edit goes and comes
    away: float = 1.2  # seconds after which who comes again is seen anew: in another light, at another size
    rate: float = 30.0  # frames per second


@dataclass(frozen=True)
class Usual:
    """What is usual for a person, from the trusted frames so far."""

    frames: int
    look: NDArray[np.float64]  # [D] mean embedding of the crops
    likeness: float  # cosine of edit and crop
    residual: float  # levels
    amount: float  # of the edit that the likeness was seen at
    light: tuple[float, float] = (0.0, 0.0)  # see Assessment
    doubted: int = 0  # frames for which "occlusion" or "identity" has lasted


@dataclass(frozen=True)
class GateState:
    to_judge: Window[Faces, Assessment] = Window()
    usual: Mapping[int, Usual] = field(default_factory=dict)  # by person
    last: Mapping[int, int] = field(default_factory=dict)  # by person of this shot, index of their last frame so far
    to_weigh: Window[Faces, Assessment] = Window()


def gate(state: GateState, faces: Faces | None, options: GateOptions = GateOptions()) -> tuple[GateState, list[Faces]]:
    """Name the doubts in every assessment, and lower the weight of the faces around those that last.

    A face of no weight loses its edit, so that its frame comes out bit-identical; its inversion stays for the report.
    """
    fade, ahead = round(options.fade * options.rate), round(max(options.median, options.missed) * options.rate)
    to_judge, due = advance_one(state.to_judge, faces, _assessments, ahead)
    usual, last, judged = state.usual, state.last, []
    for one, view in due:
        last, usual = _remembered(one, last, usual, options)
        now, usual = _judged(one, view, usual, options)
        judged.append(now)
    to_weigh, out = advance(state.to_weigh, judged, _assessments, fade, ended=faces is None)
    weighed = [one.each(partial(_weighed, view=view, fade=fade)) for one, view in out]
    return GateState(to_judge, usual, last, to_weigh), weighed


def _assessments(faces: Faces) -> Memory[Assessment]:
    assessed = {f.person: f.assessment for f in faces.faces if f.assessment is not None}
    return Memory(assessed, faces.frame.cut)


def _remembered(
    faces: Faces, last: Mapping[int, int], usual: Mapping[int, Usual], options: GateOptions
) -> tuple[Mapping[int, int], Mapping[int, Usual]]:
    """Who was seen when, with the frame; and what is usual for those who were not away for long."""
    if faces.frame.cut:  # the next shot has its own light
        last, usual = {}, {}
    now, away = faces.frame.index, round(options.away * options.rate) + 1
    stay = {person: known for person, known in usual.items() if now - last.get(person, now) <= away}
    last = {person: index for person, index in last.items() if now - index <= away}
    return {**last, **{face.person: now for face in faces.faces}}, stay


def _judged(
    faces: Faces, view: View[Assessment], usual: Mapping[int, Usual], options: GateOptions
) -> tuple[Faces, Mapping[int, Usual]]:
    """Doubts by name; trust 0 where they are to be acted upon."""
    learnt = dict(usual)

    def judged(face: Face) -> Face:
        if face.assessment is None:
            return face
        track = view.track(face.person)
        around, at = [a for _, a in track], [place for place, _ in track].index(0)
        assessment, learnt[face.person] = judge(around, at, face.amount, learnt.get(face.person), options)
        return replace(face, assessment=assessment)

    return faces.each(judged), learnt


def judge(
    around: list[Assessment], at: int, amount: float, usual: Usual | None, options: GateOptions
) -> tuple[Assessment, Usual]:
    """The assessment at ``at`` with its doubts, trust 0 or 1, and what is usual from now on.

    :param amount: of the edits that act on the face now.
    """
    mine, reach = around[at], round(options.median * options.rate)
    if "broken" in mine.doubts:
        return replace(mine, trust=0.0), usual or Usual(0, np.zeros(0), 0.0, 0.0, amount)
    near = [a for a in around[max(at - reach, 0) : at + reach + 1] if "broken" not in a.doubts]
    near = [a for a in near if "missed" not in a.doubts] or near
    identified = bool(mine.identities)  # without an identity network that doubt is never raised
    look = mine.identities["source"].astype(np.float64) if identified else np.zeros(0)
    likeness = float(np.median([a.identities["edit"] @ a.identities["source"] for a in near])) if identified else 0.0
    residual = float(np.median([a.residual for a in near]))
    if usual is not None and abs(amount - usual.amount) > 0.05 * usual.amount:
        # Somebody asked for more or less of the edit: what that costs in likeness is no reason for doubt.
        usual = replace(usual, likeness=likeness, amount=amount)
    doubts = []
    if abs(np.median([a.yaw for a in near])) > options.yaw or abs(np.median([a.pitch for a in near])) > options.pitch:
        doubts.append("pose")
    hidden = float(np.median([a.occluded_share or 0.0 for a in near])) > options.occluded
    gain = _gain(near, usual)
    if gain > options.lighter and not hidden:
        usual = None  # of what is seen in the dark only little is right in the light
    believed = usual if usual is not None and usual.frames >= options.settle * options.rate else None
    changed = believed is not None and residual > options.occlusion * max(gain, 1.0) * believed.residual
    other = believed is not None and identified and _is_other(near, believed, likeness, options)
    doubts += ["occlusion"] * (hidden or changed) + ["identity"] * other
    act = bool(doubts) or _missed_for(around, at) > options.missed * options.rate
    fresh = Usual(0, look, likeness, residual, amount, mine.light)
    if usual is not None and (changed or other) and not hidden:  # what hides a face never becomes usual
        usual = replace(usual, doubted=usual.doubted + 1)
        usual = usual if usual.doubted <= options.patience * options.rate else fresh
    elif "missed" not in mine.doubts and not doubts and gain * options.lighter > 1:
        usual = _updated(usual, fresh, options.memory * options.rate)
    return replace(mine, doubts=(*mine.doubts, *doubts), trust=0.0 if act else 1.0), usual or fresh


def _gain(near: list[Assessment], usual: Usual | None) -> float:
    """How much more light there is than usual: what makes the picture both lighter and richer in contrast."""
    if usual is None or min(usual.light) <= 0:
        return 1.0
    now = np.median([a.light for a in near], 0)
    return float((now / usual.light).min())


def _is_other(near: list[Assessment], usual: Usual, likeness: float, options: GateOptions) -> bool:
    """Is it not the person, or has the edit lost them?"""
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
    return replace(
        now,
        frames=usual.frames + 1,
        look=(1 - share) * usual.look + share * now.look,
        likeness=(1 - share) * usual.likeness + share * now.likeness,
        residual=(1 - share) * usual.residual + share * now.residual,
        light=(
            (1 - share) * usual.light[0] + share * now.light[0],
            (1 - share) * usual.light[1] + share * now.light[1],
        ),
    )


def _weighed(face: Face, view: View[Assessment], fade: int) -> Face:
    """The face with the trust that its surroundings leave it."""
    if face.assessment is None:
        return face
    doubted = [abs(place) for place, assessment in view.track(face.person) if assessment.trust == 0]
    trust = 0.5 - 0.5 * math.cos(math.pi * min(min(doubted, default=fade + 1) / (fade + 1), 1))
    if "missed" in face.assessment.doubts and face.assessment.light[1] < BLANK:
        trust = 0.0  # a white or black frame, in which a change would be all that is seen
    return replace(
        face,
        assessment=replace(face.assessment, trust=trust),
        weight=face.weight * trust,
        edited=face.edited if trust > 0 else None,
    )
