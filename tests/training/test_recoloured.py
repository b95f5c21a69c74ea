"""Skin that is made lighter or darker in pictures: skin, not eyes, mouth or what is around."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.training.codes_toy import one_face
from vidinv.training import photometry, recoloured

SIDE = 128


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return one_face()


@pytest.fixture(scope="module")
def face(points: np.ndarray) -> np.ndarray:
    """A head on blue ground, with white eyes, an open mouth and a shaded cheek."""
    picture = np.full((SIDE, SIDE, 3), (40, 60, 150), np.uint8)
    cv2.ellipse(picture, (64, 56), (44, 62), 0, 0, 360, (200, 150, 125), -1)
    cv2.ellipse(picture, (36, 70), (8, 14), 0, 0, 360, (150, 105, 85), -1)
    for eye in (points[36:42], points[42:48]):
        cv2.fillPoly(picture, [np.round(eye).astype(np.int32)], (230, 230, 230))
    cv2.fillPoly(picture, [np.round(points[60:68]).astype(np.int32)], (60, 20, 20))
    return picture


def tone(picture: np.ndarray, points: np.ndarray) -> float:
    return float(photometry.tone(picture[None], photometry.cheeks(points[None], SIDE))[0])


@pytest.mark.parametrize("gain", [0.5, 1.8])
def test_skin_changes_with_its_shades_and_eyes_and_the_ground_do_not(
    gain: float, face: np.ndarray, points: np.ndarray
) -> None:
    made = recoloured.recolour(face, recoloured.skin_at(face, points), gain)
    assert np.sign(tone(made, points) - tone(face, points)) == np.sign(gain - 1)
    change = np.abs(made.astype(int) - face).mean(2)
    assert change[70, 36] > 10  # the shade
    assert change[20, 64] > 10  # the forehead
    assert change[:, :8].max() <= 1
    for eye in (points[36:42], points[42:48]):
        x, y = eye.mean(0).round().astype(int)
        assert change[y, x] < 8


def test_darker_skin_is_warmer_and_nothing_clips(face: np.ndarray, points: np.ndarray) -> None:
    where = recoloured.skin_at(face, points)
    dark, light = (recoloured.recolour(face, where, gain)[40, 64].astype(float) for gain in (0.5, 3.0))
    own = face[40, 64].astype(float)
    assert dark[2] / dark[0] < own[2] / own[0] < light[2] / light[0]
    assert light.max() < 255


def test_a_gain_of_one_changes_nothing(face: np.ndarray, points: np.ndarray) -> None:
    made = recoloured.recolour(face, recoloured.skin_at(face, points), 1.0)
    assert np.abs(made.astype(int) - face).max() <= 1
