"""Faces moved by landmarks: nothing moves by nothing, points arrive, and only parted lips show something new."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.codes_toy import points68
from vidinv.faces import landmark_motion as moving
from vidinv.faces.compositing import changed_picture, followed
from vidinv.faces.expressions import CONTROLS, displacement
from vidinv.faces.landmark_image import landmark_image, landmark_images
from vidinv.types import Change

SIZE = 64


@pytest.fixture
def face() -> np.ndarray:
    """Landmarks [68, 2], fractions of the crop."""
    return (points68(1, np.random.default_rng(0))[0] + 0.5) / SIZE


@pytest.fixture
def picture() -> np.ndarray:
    ramp = np.linspace(60, 200, SIZE)
    return np.stack([np.add.outer(ramp, ramp) / 2] * 3, 2).astype(np.uint8)


def test_landmarks_that_stay_change_nothing(picture: np.ndarray, face: np.ndarray) -> None:
    change = moving.landmark_change(picture, face, np.zeros((68, 2)))
    assert np.abs(change.motion).max() < 1e-4
    assert not change.residual.any()


def test_a_point_comes_from_where_it_was_and_the_border_stays(face: np.ndarray) -> None:
    by = np.zeros((68, 2))
    by[17:27, 1] = -0.05  # brows
    motion = moving.dense_motion(face, face + by, SIZE)
    at = np.round((face + by)[19:25] * SIZE - 0.5).astype(int)
    assert motion[at[:, 1], at[:, 0], 1] == pytest.approx(0.05 * SIZE, rel=0.3)
    border = np.concatenate([motion[0], motion[-1], motion[:, 0], motion[:, -1]])
    assert np.abs(border).max() < 0.6


def test_parting_lips_show_the_dark_inside_and_a_smile_does_not(picture: np.ndarray, face: np.ndarray) -> None:
    opened = moving.landmark_change(picture, face, displacement(face, {"mouth": 1.0}))
    lips = (face + displacement(face, {"mouth": 1.0}))[moving.INNER] * SIZE - 0.5
    x, y = np.round(lips.mean(0)).astype(int)
    assert changed_picture(picture, opened)[y, x].max() < 0.5 * picture[y, x].min()
    assert not moving.landmark_change(picture, face, displacement(face, {"smile": 1.0})).residual.any()


def test_an_open_mouth_keeps_what_is_seen_of_it(picture: np.ndarray, face: np.ndarray) -> None:
    by = displacement(face, {"mouth": 0.5})
    wide = face + displacement(face, {"mouth": 0.8})
    first, more = (np.abs(moving.landmark_change(picture, p, by).residual).max() for p in (face, wide))
    assert 0 < more < first


def test_lips_do_not_pass_through_each_other(face: np.ndarray) -> None:
    shut = moving._lips_apart(face, face + displacement(face, {"mouth": -1.0}))
    assert moving.opening(shut) == pytest.approx(0, abs=1e-9)


def test_what_would_fold_the_picture_moves_less(picture: np.ndarray, face: np.ndarray) -> None:
    by = np.zeros((68, 2))
    by[moving.LIPS, 1] = -0.3  # the mouth beyond the nose
    change = moving.landmark_change(picture, face, by)
    most = np.abs(change.motion[..., 1]).max()
    assert 0 < most < 0.3 * SIZE * 0.9


def test_two_changes_in_one_are_one_after_the_other() -> None:
    rng = np.random.default_rng(0)
    smooth = [np.full((SIZE, SIZE, 2), v, np.float32) for v in ((2.0, 1.0), (-1.0, 3.0))]
    first, then = (Change(m, np.full((SIZE, SIZE, 3), r, np.float32)) for m, r in zip(smooth, (5.0, -3.0), strict=True))
    before = rng.uniform(50, 200, (SIZE, SIZE, 3)).astype(np.float32)
    both = changed_picture(before, followed(first, then))
    steps = changed_picture(changed_picture(before, first), then)
    assert both[8:-8, 8:-8] == pytest.approx(steps[8:-8, 8:-8], abs=1e-3)


def test_every_control_moves_what_it_names_and_rest_is_rest(face: np.ndarray) -> None:
    assert not displacement(face, dict.fromkeys(CONTROLS, 0.0)).any()
    moved = {name: np.linalg.norm(displacement(face, {name: 1.0}), axis=1) for name in CONTROLS}
    assert moved["mouth"][66] > moved["mouth"][62]
    assert moved["brows"][19] > 0 == moved["brows"][57]
    assert moved["eyes"][37] > 0 == moved["eyes"][36]
    assert displacement(face, {"smile": 1.0})[48, 0] < 0 < displacement(face, {"smile": 1.0})[54, 0]
    assert displacement(face, {"yaw": 10.0})[30, 0] > 0  # the nose, to the viewer's right
    assert displacement(face, {"pitch": 10.0})[30, 1] > 0


def test_a_landmark_image_has_lines_where_the_points_are(face: np.ndarray) -> None:
    image = landmark_image(face, SIZE)
    at = np.round(face * SIZE - 0.5).astype(int).clip(0, SIZE - 1)
    assert image.shape == (SIZE, SIZE)
    assert (image[at[:, 1], at[:, 0]] > 0.1).mean() > 0.9
    assert 0 < image.mean() < 0.2
    assert landmark_images(np.stack([face, face + 99]), 32).shape == (2, 1, 32, 32)
