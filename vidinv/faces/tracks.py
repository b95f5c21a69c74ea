"""Who is who from one frame to the next: boxes joined to tracks by overlap. State is passed in and handed back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidinv.types import Face


@dataclass(frozen=True)
class Track:
    """A person in one shot."""

    person: int
    face: Face  # where they were seen last
    missing: int = 0  # frames since then


@dataclass(frozen=True)
class Tracks:
    """Everybody who is, or was a moment ago, in the picture."""

    alive: tuple[Track, ...] = ()
    next_person: int = 0


def overlap(a: NDArray, b: NDArray) -> float:
    """Intersection over union of two boxes x0, y0, x1, y1."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    both = float(np.prod(np.maximum(high - low, 0)))
    return both / max(float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - both, 1e-9)


def distance(a: NDArray, b: NDArray) -> float:
    """Distance of two boxes' centres in units of the smaller one's side."""
    side = min((a[2:] - a[:2]).max(), (b[2:] - b[:2]).max())
    return float(np.linalg.norm((a[:2] + a[2:] - b[:2] - b[2:]) / 2) / max(side, 1e-9))


def advance(tracks: Tracks, faces: list[Face], patience: int) -> tuple[Tracks, tuple[Face, ...]]:
    """Give every face its person and remember who is missing.

    Pairs are made greedily from the largest overlap down; a face that overlaps nobody may take up the track of
    somebody who is missing and whose last place lies within one side. Others are new people.

    :param patience: frames after which a missing person is given up.
    """
    pairs = sorted(
        ((overlap(t.face.box, f.box), i, j) for i, t in enumerate(tracks.alive) for j, f in enumerate(faces)),
        reverse=True,
    )
    owner: dict[int, int] = {}
    for score, i, j in pairs:
        near = score > 0.2 or (score <= 0.2 and tracks.alive[i].missing and may_be(tracks.alive[i], faces[j]))
        if near and i not in owner.values() and j not in owner:
            owner[j] = i
    named, next_person = [], tracks.next_person
    for j, face in enumerate(faces):
        if j in owner:
            named.append(replace(face, person=tracks.alive[owner[j]].person))
        else:
            named.append(replace(face, person=next_person))
            next_person += 1
    seen = [Track(f.person, f) for f in named]
    lost = [replace(t, missing=t.missing + 1) for i, t in enumerate(tracks.alive) if i not in owner.values()]
    alive = (*seen, *(t for t in lost if t.missing <= patience))
    return Tracks(alive, next_person), tuple(named)


def may_be(track: Track, face: Face) -> bool:
    """Could this face be the missing person? Within one side of the last place, and of similar size."""
    a, b = track.face.box, face.box
    ratio = float((a[2:] - a[:2]).max() / max((b[2:] - b[:2]).max(), 1e-9))
    return distance(a, b) < 1.0 and 0.6 < ratio < 1.7


def largest_first(faces: Iterable[Face]) -> tuple[Face, ...]:
    """By the longer side of their boxes."""
    return tuple(sorted(faces, key=lambda face: -float((face.box[2:] - face.box[:2]).max())))
