"""Ids last: through motion, short absences and crossings of two people."""

import numpy as np

from vidinv.faces.tracks import Tracks, advance
from vidinv.types import Face


def face(x: float, y: float, side: float = 50) -> Face:
    return Face(np.array([x, y, x + side, y + side], np.float32), np.zeros((5, 2), np.float32), 1.0)


def persons(faces: tuple[Face, ...]) -> list[int]:
    return [f.person for f in faces]


def test_two_walking_people_keep_their_ids() -> None:
    tracks, ids = Tracks(), []
    for i in range(30):
        tracks, named = advance(tracks, [face(10 + 4 * i, 50), face(400 - 4 * i, 160)], patience=5)
        ids.append(persons(named))
    assert all(i == [0, 1] for i in ids)


def test_a_face_that_returns_within_patience_is_the_same_person() -> None:
    tracks, _ = advance(Tracks(), [face(100, 100)], 10)
    for _ in range(8):
        tracks, _ = advance(tracks, [], 10)
    tracks, named = advance(tracks, [face(120, 105)], 10)
    assert persons(named) == [0]


def test_after_patience_or_elsewhere_it_is_somebody_new() -> None:
    tracks, _ = advance(Tracks(), [face(100, 100)], 2)
    for _ in range(4):
        tracks, _ = advance(tracks, [], 2)
    tracks, named = advance(tracks, [face(100, 100)], 2)
    assert persons(named) == [1]
    tracks, named = advance(tracks, [face(100, 100), face(400, 100)], 2)
    assert persons(named) == [1, 2]


def test_ids_are_never_given_twice() -> None:
    tracks, seen = Tracks(), []
    for i in range(5):
        tracks, named = advance(tracks, [face(200 * i, 0)], 0)
        seen += persons(named)
    assert len(set(seen)) == 5
