"""Lips that smile or part: both sides alike, less of who smiles, teeth where nothing was seen, the rest untouched."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.training.codes_toy import one_face
from vidinv.faces.axes import axes
from vidinv.faces.compositing import changed_picture
from vidinv.faces.in_frame import finished
from vidinv.faces.lips import extent, lips_moved, moved_points, show_teeth
from vidinv.faces.strokes import softness
from vidinv.types import Lips

SIDE, SKIN = 128, np.array([200, 150, 130], np.float32)


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    """Of a face whose lips are closed."""
    points = one_face()
    points[61:64] = points[[67, 66, 65]] = (points[61:64] + points[[67, 66, 65]]) / 2
    return points


@pytest.fixture(scope="module")
def lips(points: np.ndarray) -> Lips:
    return Lips(points.astype(np.float32), SKIN)


@pytest.fixture(scope="module")
def face(points: np.ndarray) -> np.ndarray:
    """Skin with red lips."""
    picture = np.full((SIDE, SIDE, 3), (200, 150, 130), np.uint8)
    cv2.fillPoly(picture, [points[48:60].round().astype(np.int32)], (170, 70, 80))
    return picture


def test_a_smile_draws_corners_up_and_outwards_and_parts_the_lips_from_half_of_it_on(lips: Lips) -> None:
    face = axes(lips.points)
    gentle, broad = (moved_points(replace(lips, smile=amount)) / face.unit for amount in (0.5, 1.0))
    for by in (gentle, broad):
        assert by[54] @ face.right > 0 > by[48] @ face.right
        assert max(by[54] @ face.down, by[48] @ face.down) < 0
    apart = [float((by[66] - by[62]) @ face.down / face.unit) for by in (gentle, broad)]
    assert apart[0] < 0.05
    assert apart[1] > 0.2


def test_an_open_mouth_takes_the_jaw_along_and_leaves_the_upper_lip(lips: Lips) -> None:
    by = moved_points(replace(lips, open=1.0)) / axes(lips.points).unit
    assert by[57, 1] > 0.25
    assert by[8, 1] > 0.2
    assert np.abs(by[49:54]).max() < 0.03
    assert np.abs(by[17:48]).max() == 0


def test_who_smiles_already_smiles_only_a_little_more(lips: Lips) -> None:
    serious, happy = (np.abs(moved_points(replace(lips, smile=0.5, smiling=p))).max() for p in (0.0, 1.0))
    assert 0.3 * serious < happy < 0.7 * serious


def test_the_far_corner_of_a_turned_mouth_goes_less_far(points: np.ndarray) -> None:
    turned = points.copy()
    turned[27:36, 0] += 10
    by = moved_points(Lips(turned.astype(np.float32), SKIN, smile=1.0))
    assert abs(by[54, 0]) < 0.7 * abs(by[48, 0])


def test_teeth_are_seen_where_lips_part_and_nothing_else_is_drawn(face: np.ndarray, lips: Lips) -> None:
    smile = replace(lips, smile=1.0)
    moved = np.rint(changed_picture(face.astype(np.float32), lips_moved(face, smile))).astype(np.uint8)
    made = show_teeth(moved, smile)
    inner = (lips.points + moved_points(smile))[60:68]
    inside = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(inside, [inner.round().astype(np.int32)], 1)
    bright = made.min(2) > 120
    assert bright[inside > 0].mean() > 0.25
    near = cv2.dilate(inside, np.ones((7, 7), np.uint8)) > 0
    assert np.array_equal(made[~near], moved[~near])
    x0, y0, x1, y1 = extent(lips.points, SIDE, SIDE)
    cut = show_teeth(moved[y0:y1, x0:x1], replace(smile, points=lips.points - np.float32([x0, y0])))
    assert np.abs(cut.astype(int) - made[y0:y1, x0:x1]).max() <= 1
    assert np.array_equal(show_teeth(moved, smile, np.float32(0)), moved)


def test_lips_that_stay_closed_and_a_mouth_that_is_open_keep_what_they_show(face: np.ndarray, lips: Lips) -> None:
    closed = replace(lips, smile=0.4)
    assert np.array_equal(show_teeth(face, closed), face)
    talking = lips.points.copy()
    talking[[65, 66, 67]] += np.float32([0, 12])
    made = show_teeth(face, replace(lips, points=talking, smile=0.5))
    assert np.abs(made.astype(int) - face).max() < 40


def test_in_grey_footage_teeth_are_grey(face: np.ndarray, lips: Lips) -> None:
    grey = np.repeat(face.mean(2, keepdims=True).astype(np.uint8), 3, 2)
    made = show_teeth(grey, replace(lips, smile=1.0), colour=0.0)
    assert not np.array_equal(made, grey)
    assert (made.max(2) - made.min(2)).max() == 0


def test_nothing_asked_for_changes_nothing(face: np.ndarray, lips: Lips) -> None:
    assert np.array_equal(finished(face, None, None), face)
    change = lips_moved(face, lips)
    assert np.abs(change.motion).max() < 1e-4
    assert np.abs(change.residual).max() < 1e-4


def test_what_is_drawn_is_as_sharp_as_the_picture(face: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    sharp = cv2.resize(rng.integers(0, 256, (32, 32, 3), np.uint8), (256, 256), interpolation=cv2.INTER_NEAREST)
    soft = [softness(cv2.GaussianBlur(sharp, (0, 0), sigma)) for sigma in (0.8, 1.6, 3.2)]
    assert softness(sharp) < soft[0] < soft[1] < soft[2]
    assert soft[2] > 2 * soft[0]


def test_teeth_have_the_warmth_of_the_light_and_are_never_blue(lips: Lips, face: np.ndarray) -> None:
    orange = show_teeth(face, replace(lips, smile=1.0, skin=np.array([230, 150, 70], np.float32)))
    white = show_teeth(face, replace(lips, smile=1.0, skin=np.array([235, 232, 236], np.float32)))
    for made in (orange, white):
        teeth = made[(made.min(2) > 100) & (made != face).any(2)].astype(int)
        assert len(teeth) > 20
        assert (teeth[:, 0] >= teeth[:, 2] - 2).all()
    assert (orange != white).any()


def test_lips_that_part_are_moved_and_not_stretched(face: np.ndarray, lips: Lips) -> None:
    opened = replace(lips, open=1.0)
    change, by = lips_moved(face, opened), moved_points(opened)
    for outer, inner in ((51, 62), (57, 66)):
        goal = (lips.points + by)[[outer, inner]]
        came = [at + change.motion[tuple(at.round().astype(int)[::-1])] for at in goal]
        thick = abs(came[1][1] - came[0][1]) / abs(goal[1, 1] - goal[0, 1])
        assert 0.75 < thick < 1.25
