"""Mouths that are opened and made to smile in pictures: by as much as was asked, and nothing else moves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.training.codes_toy import one_face
from vidinv.training import mouths
from vidinv.training.scores import shapes

SIDE = 128


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    """Of a plain face whose lips are closed."""
    found = one_face()
    for up, low in ((61, 67), (62, 66), (63, 65)):
        found[[up, low]] = (found[up] + found[low]) / 2
    return found


@pytest.fixture(scope="module")
def face(points: np.ndarray) -> np.ndarray:
    """Skin, red lips, and a mole on the chin."""
    picture = np.full((SIDE, SIDE, 3), (200, 150, 130), np.uint8)
    cv2.fillPoly(picture, [np.round(points[48:60]).astype(np.int32)], (170, 80, 80))
    cv2.circle(picture, chin(points), 2, (60, 40, 30), -1)
    return picture


def chin(points: np.ndarray) -> tuple[int, int]:
    x, y = (points[57] * 0.4 + points[8] * 0.6).round().astype(int)
    return int(x), int(y)


def opening(points: np.ndarray) -> float:
    return float(shapes(points[None])["mouth"][0])


@pytest.mark.parametrize("gap", [0.08, 0.2])
def test_lips_come_apart_by_what_is_asked_and_it_is_dark_between_them(
    gap: float, face: np.ndarray, points: np.ndarray
) -> None:
    made, moved = mouths.open_mouth(face, points, gap)
    assert opening(moved) - opening(points) == pytest.approx(gap, rel=0.1)
    x, top, low = round(moved[62, 0]), round(moved[62, 1]), round(moved[66, 1])
    assert made[top : low + 1, x].mean(1).min() < 0.75 * face[top : low + 1, x].mean(1).min()
    assert np.array_equal(made[: SIDE // 3], face[: SIDE // 3])
    assert np.array_equal(mouths.open_mouth(face, points, gap)[0], made)


def test_the_chin_goes_down_with_the_lower_lip(face: np.ndarray, points: np.ndarray) -> None:
    made, _ = mouths.open_mouth(face, points, 0.2)
    x, y = chin(points)
    column = made[y - 6 : y + 20, x].mean(1)
    apart = 0.2 * np.linalg.norm(points[42:48].mean(0) - points[36:42].mean(0))
    assert int(column.argmin()) - 6 == pytest.approx(apart, abs=2.5)


def test_a_mouth_that_is_to_open_by_nothing_stays(face: np.ndarray, points: np.ndarray) -> None:
    made, moved = mouths.open_mouth(face, points, 0.0)
    assert np.array_equal(made, face)
    assert np.array_equal(moved, points)


def test_a_smile_draws_the_corners_out_and_up_and_shows_teeth_when_broad(face: np.ndarray, points: np.ndarray) -> None:
    made, moved = mouths.smile(face, points, 1.0)
    wide = moved[54, 0] - moved[48, 0]
    assert wide > 1.15 * (points[54, 0] - points[48, 0])
    assert (points[[48, 54], 1] - moved[[48, 54], 1] > 2).all()
    below_lip = made[round(moved[62, 1]) : round(moved[66, 1]), round(moved[62, 0])].astype(int)
    assert (below_lip.max(1) - below_lip.min(1)).min() < 35  # teeth are less red than lips and skin
    gentle, small = mouths.smile(face, points, 0.4)
    assert opening(small) == pytest.approx(opening(points), abs=0.02)
    assert np.abs(gentle.astype(int) - face).mean() < np.abs(made.astype(int) - face).mean()


def test_grey_pictures_stay_grey(face: np.ndarray, points: np.ndarray) -> None:
    grey = np.repeat(face.mean(2, keepdims=True), 3, 2).astype(np.uint8)
    for made, _ in (mouths.open_mouth(grey, points, 0.2), mouths.smile(grey, points, 1.0)):
        assert (made.max(2) - made.min(2)).max() <= 1
