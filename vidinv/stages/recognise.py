"""Who is who by pictures of them: every person is held against the faces that were given names.

Everybody is looked at anew after every cut, whatever their number (vidinv.stages.reidentify) was called before. A
person who comes is looked at a few times, in a bounded window of frames ahead, before the first of their frames goes
on; then the name stays to the end of the shot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from torch import nn

from vidinv.faces.sightings import Looking, Sighting, looked
from vidinv.models.identity import embedded
from vidinv.runtime.compute import Compute
from vidinv.types import Faces, known


@dataclass(frozen=True)
class RecogniseOptions(Looking):
    # Measured on 2,302 faces of 977 people (most are LFW's), by face-128's identity network: one picture against one,
    # 0.45 keeps 60 % of the true pairs and 0.6 in 1,000 of the false ones (0.4: 68 % and 1.7, 0.3: 83 % and 12). Of
    # the 21 people who have six pictures or more, most of them in one clip, one picture keeps 75 %, the mean of two
    # 96 %. In a crowd of small, turned faces, track against track, the same people have 0.63 and 0.78, others up to
    # 0.46. To edit the wrong person is worse than to say that there was nobody.
    least: float = 0.45  # cosine; who is further from a name's pictures does not get it
    keep: float = 0.1  # cosine by which somebody else must be nearer for a name to leave who has it


@dataclass(frozen=True)
class References:
    """What the people look like whose pictures were given."""

    names: tuple[str, ...]
    embeddings: NDArray[np.float32]
    """[N, D] unit vectors of the identity network, one of each name: the mean of its pictures."""


Who = tuple[int, int]  # number of the shot, and person


@dataclass(frozen=True)
class RecogniseState:
    frames: int = 0
    waiting: tuple[Faces, ...] = ()
    read: int = 0  # number of the shot of the frame that came last
    shot: int = 0  # of the one that went on last
    seen: Mapping[Who, Sighting] = field(default_factory=dict)
    names: Mapping[Who, str] = field(default_factory=dict)
    nearest: Mapping[str, tuple[float, int]] = field(default_factory=dict)  # by name: the largest cosine, and whose

    def called(self, person: int) -> str | None:
        """The name that somebody had last."""
        names = [name for (_, who), name in self.names.items() if who == person]
        return names[-1] if names else None


def recognise(
    state: RecogniseState,
    faces: Faces | None,
    references: References,
    identity: nn.Module,
    compute: Compute,
    options: RecogniseOptions = RecogniseOptions(),
) -> tuple[RecogniseState, list[Faces]]:
    """Give faces their persons' names. No two faces of a frame have the same: the nearest of those in sight has it."""
    waiting, ahead = state.waiting, 0
    if faces is not None:
        state = _looked(state, faces, identity, compute, options)
        waiting, ahead = (*waiting, faces), options.ahead
    ripe = max(0, len(waiting) - ahead)
    due, waiting = waiting[:ripe], waiting[ripe:]
    named = []
    for one in due:
        state = _named(_next_shot(state) if one.frame.cut else state, one, references, options)
        faces_named = (replace(face, name=state.names.get((state.shot, face.person))) for face in one.faces)
        named.append(replace(one, faces=tuple(faces_named)))
    return replace(state, waiting=waiting), named


def _looked(
    state: RecogniseState, faces: Faces, identity: nn.Module, compute: Compute, options: RecogniseOptions
) -> RecogniseState:
    """Look at whoever is due in the next frame."""
    now, seen = state.frames, dict(state.seen)
    state = replace(state, frames=now + 1, read=state.read + faces.frame.cut)
    due = [face for face in faces.faces if face.seen and _is_due(state, (state.read, face.person), now, options)]
    if due:
        found = embedded([known(face.crop) for face in due], identity, compute)
        for face, embedding in zip(due, found, strict=True):
            who = state.read, face.person
            if np.isfinite(embedding).all():
                seen[who] = looked(seen.get(who), embedding, now)
    return replace(state, seen=seen)


def _is_due(state: RecogniseState, who: Who, now: int, options: RecogniseOptions) -> bool:
    before = state.seen.get(who)
    done = before is not None and not options.is_coming(before) and who in state.names
    return not done and options.due(before, now)


def _next_shot(state: RecogniseState) -> RecogniseState:
    """Without those whose shot is over."""
    shot = state.shot + 1
    seen = {who: one for who, one in state.seen.items() if who[0] >= shot}
    return replace(state, shot=shot, seen=seen, names={who: n for who, n in state.names.items() if who[0] >= shot})


def _named(state: RecogniseState, faces: Faces, references: References, options: RecogniseOptions) -> RecogniseState:
    """The names of those in sight, from the nearest pair of person and name down."""
    cosines = {
        (who, name): float(cosine)
        for face in faces.faces
        if (one := state.seen.get(who := (state.shot, face.person))) is not None
        for name, cosine in zip(references.names, references.embeddings @ one.mean, strict=True)
    }
    nearest = dict(state.nearest)
    for ((_, person), name), cosine in cosines.items():
        nearest[name] = max(nearest.get(name, (-1.0, person)), (cosine, person))
    has = {pair for pair in state.names.items() if pair in cosines}
    standing = {pair: cosine + options.keep * (pair in has) for pair, cosine in cosines.items()}
    names = {who: name for who, name in state.names.items() if (who, name) not in has}
    taken = set[str]()
    given: dict[Who, str] = {}
    for who, name in sorted(standing, key=lambda pair: (-standing[pair], pair)):
        near = cosines[who, name] >= options.least or (who, name) in has
        if near and who not in given and name not in taken:
            given[who] = name
            taken.add(name)
    return replace(state, nearest=nearest, names=names | given)
