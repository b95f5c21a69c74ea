"""Heads that are turned in pictures: to where was asked, by as much, and the eyes stay."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.codes_toy import one_face
from vidinv.training import turned
from vidinv.training.scores import shapes

SIDE = 128


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return one_face()


@pytest.fixture(scope="module")
def face(points: np.ndarray) -> np.ndarray:
    """Noise on skin, so that every place is known, and a nose."""
    rng = np.random.default_rng(1)
    picture = (np.full((SIDE, SIDE, 3), (190, 150, 130)) + rng.normal(0, 3, (SIDE, SIDE, 3))).astype(np.uint8)
    x, y = points[30].round().astype(int)
    picture[y - 2 : y + 3, x - 2 : x + 3] = (60, 30, 20)
    return picture


def scored(points: np.ndarray, name: str) -> float:
    return float(shapes(points[None])[name][0])


@pytest.mark.parametrize("name", ["yaw", "pitch"])
def test_more_degrees_turn_further_and_either_side_is_the_others_mirror(
    name: str, face: np.ndarray, points: np.ndarray
) -> None:
    at = [scored(turned.turn(face, points, **{name: angle})[1], name) for angle in (-10.0, -5.0, 0.0, 5.0, 10.0)]
    assert np.all(np.diff(at) > 0)
    assert at[2] - at[0] == pytest.approx(at[4] - at[2], rel=0.1)
    assert at[2] == pytest.approx(scored(points, name))


def test_the_nose_goes_where_its_landmark_goes_and_the_eyes_stay(face: np.ndarray, points: np.ndarray) -> None:
    made, moved = turned.turn(face, points, yaw=12)
    assert made.dtype == np.uint8
    dark = np.argwhere(made.mean(2) < 80).mean(0)[::-1]
    assert np.abs(dark - moved[30]).max() < 1.5
    assert moved[30, 0] - points[30, 0] > 3
    assert np.abs(moved[[39, 42]] - points[[39, 42]]).max() < 1.5  # near the axis
    assert moved[0, 0] < points[0, 0]  # ears go the other way


def test_no_degrees_are_the_picture_itself(face: np.ndarray, points: np.ndarray) -> None:
    made, moved = turned.turn(face, points)
    assert np.array_equal(made, face)
    assert np.array_equal(moved, points)
