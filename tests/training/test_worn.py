"""Glasses and beards that are drawn: where they belong, dark, the same every time, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.codes_toy import one_face
from vidinv.faces.axes import axes
from vidinv.training import worn

SIDE = 128


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return one_face()


@pytest.fixture(scope="module")
def face(points: np.ndarray) -> np.ndarray:
    """Skin with dark brows."""
    picture = np.full((SIDE, SIDE, 3), (200, 150, 130), np.uint8)
    for x, y in points[17:27].round().astype(int):
        picture[y - 2 : y + 3, x - 3 : x + 4] = (60, 40, 30)
    return picture


@pytest.mark.parametrize("draw", [worn.glasses, worn.beard])
def test_what_is_drawn_is_darker_and_the_same_every_time(draw, face: np.ndarray, points: np.ndarray) -> None:
    made = draw(face, points)
    assert made.dtype == np.uint8
    assert made.shape == face.shape
    assert np.array_equal(made, draw(face, points))
    change = made.astype(int).mean(2) - face.astype(int).mean(2)
    assert (change < -40).sum() > 300
    assert change[change > 0].sum() < 0.02 * -change[change < 0].sum()


def test_glasses_are_about_the_eyes_and_leave_pupils_and_mouth(face: np.ndarray, points: np.ndarray) -> None:
    change = np.abs(worn.glasses(face, points).astype(int) - face).max(2)
    for eye in (points[36:42].mean(0), points[42:48].mean(0)):
        x, y = eye.round().astype(int)
        assert change[y, x] < 20
        assert change[y - 16 : y, x].max() > 90  # the upper rim
        assert change[y : y + 20, x].max() > 60  # the lower one, thinner
    assert change[round(points[33, 1]) :].max() == 0


def test_a_beard_is_on_the_jaw_and_leaves_lips_and_eyes(face: np.ndarray, points: np.ndarray) -> None:
    change = np.abs(worn.beard(face, points).astype(int) - face).max(2)
    x, y = points[57].round().astype(int)
    assert change[y + 14, x] > 60
    lips = points[48:60].mean(0).round().astype(int)
    assert change[lips[1], lips[0]] < 25
    assert change[: round(points[36:48, 1].max())].max() == 0


def test_a_beard_has_the_hue_of_the_brows_and_is_never_as_light_as_the_skin(
    face: np.ndarray, points: np.ndarray
) -> None:
    colour = worn.hair_colour(face, points)
    assert np.abs(colour - (60, 40, 30)).max() < 12
    fair = face.copy()
    fair[: SIDE // 2] = (230, 200, 160)
    assert worn.hair_colour(fair, points).mean() < 0.4 * face.mean()


def test_a_turned_faces_glasses_lie_towards_where_it_looks(points: np.ndarray) -> None:
    turned = points.copy()
    turned[30, 0] += 9
    assert axes(turned).turned > axes(points).turned + 0.3
