"""Who is who by pictures of them: every person is held against the faces that were given names.

Persons live within one shot (types.Face.person), so everybody is looked at anew after every cut. A person who comes is
looked at a few times, in a bounded window of frames ahead, before the first of their frames goes on; then the name
stays for the rest of their track.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from vidinv.models.identity import IdentityNet
from vidinv.models.pictures import to_tensor
from vidinv.runtime.compute import Compute
from vidinv.types import Faces, known


@dataclass(frozen=True)
class RecogniseOptions:
    # Measured on 2,302 faces of 977 people (most are LFW's), by face-128's identity network: one picture against one,
    # 0.45 keeps 60 % of the true pairs and 0.6 in 1,000 of the false ones (0.4: 68 % and 1.7, 0.3: 83 % and 12). Of
    # the 21 people who have six pictures or more, most of them in one clip, one picture keeps 75 %, the mean of two
    # 96 %. In a crowd of small, turned faces, track against track, the same people have 0.63 and 0.78, others up to
    # 0.46. To edit the wrong person is worse than to say that there was nobody.
    least: float = 0.45  # cosine; who is further from a name's pictures does not get it
    looks: int = 4  # at a person who comes
    every: float = 0.12  # seconds between them; the stage waits for the last of them
    again: float = 1.0  # seconds between further looks at somebody who has got no name
    keep: float = 0.1  # cosine by which somebody else must be nearer for a name to leave who has it
    rate: float = 30.0  # frames per second


@dataclass(frozen=True)
class References:
    """What the people look like whose pictures were given."""

    names: tuple[str, ...]
    embeddings: NDArray[np.float32]
    """[N, D] unit vectors of the identity network, one of each name: the mean of its pictures."""


@dataclass(frozen=True)
class Sighting:
    """What was seen of a person so far."""

    total: NDArray[np.float32]  # [D], sum of unit embeddings
    looks: int
    last: int  # number of the frame in which they were looked at last


@dataclass(frozen=True)
class RecogniseState:
    frames: int = 0
    waiting: tuple[Faces, ...] = ()
    seen: Mapping[int, Sighting] = field(default_factory=dict)  # by person
    names: Mapping[int, str] = field(default_factory=dict)  # by person
    nearest: Mapping[str, tuple[float, int]] = field(default_factory=dict)  # by name: the largest cosine, and whose


def recognise(
    state: RecogniseState,
    faces: Faces | None,
    references: References,
    identity: IdentityNet,
    compute: Compute,
    options: RecogniseOptions = RecogniseOptions(),
) -> tuple[RecogniseState, list[Faces]]:
    """Give faces their persons' names. No two faces of a frame have the same: the nearest of those in sight has it."""
    waiting, ahead = state.waiting, 0
    if faces is not None:
        state = _looked(state, faces, identity, compute, options)
        waiting, ahead = (*waiting, faces), (options.looks - 1) * max(1, round(options.every * options.rate))
    ripe = max(0, len(waiting) - ahead)
    due, waiting = waiting[:ripe], waiting[ripe:]
    named = []
    for at, one in enumerate(due):
        if one.frame.cut:
            state = _only(state, {face.person for later in (*due[at:], *waiting) for face in later.faces})
        state = _named(state, one, references, options)
        named.append(replace(one, faces=tuple(replace(face, name=state.names.get(face.person)) for face in one.faces)))
    return replace(state, waiting=waiting), named


def embedded(crops: Sequence[NDArray[np.uint8]], identity: IdentityNet, compute: Compute) -> NDArray[np.float32]:
    """[N, D] unit vectors: the mean of what the network says of each crop and of its mirror image, which tells people
    apart better than one of them."""
    pictures = to_tensor(np.stack(crops), compute.device)
    with torch.inference_mode(), compute.autocast():
        both = identity(torch.cat([pictures, pictures.flip(3)])).float()
        return np.asarray(F.normalize(both[: len(crops)] + both[len(crops) :]).cpu().numpy())


def _looked(
    state: RecogniseState, faces: Faces, identity: IdentityNet, compute: Compute, options: RecogniseOptions
) -> RecogniseState:
    """Look at whoever is due in the next frame."""
    now, seen = state.frames, dict(state.seen)
    due = [face for face in faces.faces if face.seen and _is_due(state, face.person, options)]
    if due:
        found = embedded([known(face.crop) for face in due], identity, compute)
        for face, embedding in zip(due, found, strict=True):
            before = seen.get(face.person)
            total = embedding.copy() if before is None else before.total + embedding
            seen[face.person] = Sighting(total, 1 if before is None else before.looks + 1, now)
    return replace(state, frames=now + 1, seen=seen)


def _is_due(state: RecogniseState, person: int, options: RecogniseOptions) -> bool:
    before = state.seen.get(person)
    if before is None:
        return True
    coming = before.looks < options.looks
    if not coming and person in state.names:
        return False
    wait = options.every if coming else options.again
    return state.frames - before.last >= max(1, round(wait * options.rate))


def _only(state: RecogniseState, persons: set[int]) -> RecogniseState:
    """Without those whose shot is over."""
    seen = {person: one for person, one in state.seen.items() if person in persons}
    return replace(state, seen=seen, names={p: name for p, name in state.names.items() if p in persons})


def _named(state: RecogniseState, faces: Faces, references: References, options: RecogniseOptions) -> RecogniseState:
    """The names of those in sight, from the nearest pair of person and name down."""
    cosines = {
        (face.person, name): float(cosine)
        for face in faces.faces
        if (one := state.seen.get(face.person)) is not None
        for name, cosine in zip(references.names, references.embeddings @ _unit(one.total), strict=True)
    }
    nearest = dict(state.nearest)
    for (person, name), cosine in cosines.items():
        nearest[name] = max(nearest.get(name, (-1.0, person)), (cosine, person))
    has = {pair for pair in state.names.items() if pair in cosines}
    standing = {pair: cosine + options.keep * (pair in has) for pair, cosine in cosines.items()}
    names = {person: name for person, name in state.names.items() if (person, name) not in has}
    taken = set[str]()
    given: dict[int, str] = {}
    for person, name in sorted(standing, key=lambda pair: (-standing[pair], pair)):
        near = cosines[person, name] >= options.least or (person, name) in has
        if near and person not in given and name not in taken:
            given[person] = name
            taken.add(name)
    return replace(state, nearest=nearest, names=names | given)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)
