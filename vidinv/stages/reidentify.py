"""Who was there before: people who come get the number under which they are known, by the identity network.

Detection numbers tracks, and those end with the shot, or where somebody leaves. A person is the number of their first
track. Who comes while others are known who are out of sight is looked at a few times, in a bounded window of frames
ahead, and has that number to the end of the track. Frames in which nobody is in doubt do not wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from torch import nn

from vidinv.faces.readable import Readable
from vidinv.faces.sightings import Looking, Sighting, looked, matched
from vidinv.models.identity import embedded
from vidinv.runtime.compute import Compute
from vidinv.types import Face, Faces, known


@dataclass(frozen=True)
class ReidentifyOptions(Looking):
    # Measured by benchmarks.persons with face-128-detail. Of two-second shots of ten people, some behind hands or with
    # rolling heads, 0.55 finds 90 to 92 % and nobody wrong (0.5: 91 to 93 %, and takes 0.2 % of who comes first for
    # somebody else). Among 63 others it takes 0.4 % of strangers for one of them (0.5: 1.7 %), and of two pictures
    # against two of one sitting it finds 97 % (0.5: 99 %). There is no margin to the next nearest: who was once not
    # found is known twice, and then would never be found.
    least: float = 0.55  # cosine; who is further from everybody is somebody new
    most: int = 64  # persons who are known; of more, those who were not seen for longest are forgotten
    readable: Readable = Readable()  # other crops are not looked at: strangers look alike there


NUMBERS = 1024  # numbers that are remembered one by one, as those of tracks that are out of sight


@dataclass(frozen=True)
class ReidentifyState:
    frames: int = 0
    waiting: tuple[Faces, ...] = ()
    coming: Mapping[int, Sighting] = field(default_factory=dict)  # by track: those in waiting frames without a number
    numbers: Mapping[int, int] = field(default_factory=dict)  # by track of this shot
    known: Mapping[int, Sighting] = field(default_factory=dict)  # by number
    given: frozenset[int] = frozenset()  # the highest numbers so far
    full: int = -1  # all numbers up to this one count as given


def reidentify(
    state: ReidentifyState,
    faces: Faces | None,
    identity: nn.Module,
    compute: Compute,
    options: ReidentifyOptions = ReidentifyOptions(),
) -> tuple[ReidentifyState, list[Faces]]:
    """Give every face the number of its person for that of its track, and put them in the order of persons."""
    if faces is not None:
        state = _looked(state, faces, identity, compute, options)
        state = replace(state, waiting=(*state.waiting, faces))
    done: list[Faces] = []
    while state.waiting and not (faces is not None and _waits(state, options)):
        one = state.waiting[0]
        if one.frame.cut:  # of those before nobody comes again under the number of a track
            ahead = {face.person for later in state.waiting for face in later.faces}
            state = replace(state, numbers={t: n for t, n in state.numbers.items() if t in ahead})
        state = _numbered(state, options)
        numbers = state.numbers
        named = (replace(face, person=numbers[face.person]) for face in one.faces)
        done.append(replace(one, faces=tuple(sorted(named, key=lambda face: face.person))))
        state = replace(state, waiting=state.waiting[1:])
    return state, done


def _looked(
    state: ReidentifyState, faces: Faces, identity: nn.Module, compute: Compute, options: ReidentifyOptions
) -> ReidentifyState:
    """Look at whoever is due in the next frame."""
    now, coming, people = state.frames, dict(state.coming), dict(state.known)
    due = [face for face in faces.faces if face.seen and _due(state, face.person, options)]
    due = [face for face in due if options.readable.reads(known(face.crop))]
    if due:
        found = embedded([known(face.crop) for face in due], identity, compute)
        for face, embedding in zip(due, found, strict=True):
            number = state.numbers.get(face.person)
            if not np.isfinite(embedding).all():
                continue
            if number is None:
                coming[face.person] = looked(coming.get(face.person), embedding, now)
            else:
                people[number] = looked(people.get(number), embedding, now)
    return replace(state, frames=now + 1, coming=coming, known=people)


def _due(state: ReidentifyState, track: int, options: ReidentifyOptions) -> bool:
    number = state.numbers.get(track)
    if number is not None:
        return options.due(state.known.get(number), state.frames)
    before = state.coming.get(track)
    return before is None or (options.is_coming(before) and options.due(before, state.frames))


def _shot(state: ReidentifyState) -> tuple[Faces, ...]:
    """The waiting frames that belong to the shot of the first of them."""
    end = next((i for i, one in enumerate(state.waiting) if i and one.frame.cut), len(state.waiting))
    return state.waiting[:end]


def _waits(state: ReidentifyState, options: ReidentifyOptions) -> bool:
    """Can more looks tell who somebody in the first waiting frame is?"""
    ahead = _shot(state)
    doubted = any(face.person not in state.numbers for face in ahead[0].faces)
    return doubted and bool(_away(state, ahead[:1])) and len(ahead) == len(state.waiting) <= options.ahead


def _away(state: ReidentifyState, ahead: tuple[Faces, ...]) -> list[int]:
    """Who is known and not in these frames."""
    here = {state.numbers.get(face.person) for one in ahead for face in one.faces}
    return [number for number in state.known if number not in here]


def _numbered(state: ReidentifyState, options: ReidentifyOptions) -> ReidentifyState:
    """With numbers for all in the first waiting frame. Whoever comes in the window is weighed together with them."""
    ahead = _shot(state)
    new = [face for face in ahead[0].faces if face.person not in state.numbers]
    if not new:
        return state
    tracks = list(dict.fromkeys(f.person for one in ahead for f in one.faces if f.person in state.coming))
    away = _away(state, ahead)
    found: dict[int, int] = {}
    if tracks and away:
        looks, people = _means(state.coming, tracks), _means(state.known, away)
        found = {tracks[i]: away[j] for i, j in matched(looks @ people.T, options.least).items()}
    for face in new:
        state = _given(state, face, found.get(face.person))
    return _forgotten(_bounded(state), ahead, options)


def _means(of: Mapping[int, Sighting], who: Sequence[int]) -> NDArray[np.float32]:
    return np.stack([of[one].mean for one in who])


def _given(state: ReidentifyState, face: Face, number: int | None) -> ReidentifyState:
    """With a number for a track. :param number: of somebody who is known; None: they are new."""
    track, given = face.person, state.given
    if number is None:
        # Another track may have been taken for the one that this number was given to, and be in sight now.
        number = track if track > state.full and track not in given else max(given, default=state.full) + 1
        given = given | {number}
    # Whoever had the number is out of sight: if that track comes again, it is looked at anew.
    numbers = {t: n for t, n in state.numbers.items() if n != number} | {track: number}
    coming, people = dict(state.coming), dict(state.known)
    seen = coming.pop(track, None)
    if seen is not None:
        people[number] = seen.with_all(people.get(number))
    return replace(state, numbers=numbers, coming=coming, known=people, given=given)


def _bounded(state: ReidentifyState) -> ReidentifyState:
    """A long video, or a shot that many pass through, takes no more memory: the oldest are left out."""
    if len(state.given) > NUMBERS:
        *_, full = sorted(state.given)[: -NUMBERS // 2]
        state = replace(state, full=full, given=frozenset(n for n in state.given if n > full))
    if len(state.numbers) > NUMBERS:
        here = {face.person for one in state.waiting for face in one.faces}
        late = [*state.numbers][-NUMBERS // 2 :]
        state = replace(state, numbers={t: n for t, n in state.numbers.items() if t in here or t in late})
    return state


def _forgotten(state: ReidentifyState, ahead: tuple[Faces, ...], options: ReidentifyOptions) -> ReidentifyState:
    """Without those who are too many."""
    over = len(state.known) - options.most
    if over <= 0:
        return state
    oldest = sorted(_away(state, ahead), key=lambda number: state.known[number].last)[:over]
    return replace(state, known={n: one for n, one in state.known.items() if n not in oldest})
