"""Eyeglasses: about the eyes, at any size, as a turned head wears them, steady, and nothing where they may not be."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.training.codes_toy import one_face
from vidinv.faces.axes import axes
from vidinv.faces.eyeglasses import STYLES, extent, fitted, frame_size, in_frame, put_on
from vidinv.faces.strokes import softness
from vidinv.types import Eyeglasses

SIDE = 128


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return one_face()


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return np.full((SIDE, SIDE, 3), (200, 150, 130), np.uint8)


@pytest.fixture(scope="module")
def usual(face: np.ndarray, points: np.ndarray) -> Eyeglasses:
    return fitted(face, points)


def enlarged(face: np.ndarray) -> np.ndarray:
    return np.repeat(np.repeat(face, 4, 0), 4, 1)


def darker(face: np.ndarray, made: np.ndarray) -> np.ndarray:
    return face.astype(int).mean(2) - made.astype(int).mean(2)


def test_a_frame_is_as_wide_as_the_face_and_thinner_below(face: np.ndarray, points: np.ndarray) -> None:
    frame, unit = frame_size(points), np.hypot(*axes(points).right)
    half = (points[16, 0] - points[0, 0]) / 2
    assert 0.85 * half < frame.end * unit < 1.1 * half
    large, eye = enlarged(face), ((points[36:42].mean(0) + 0.5) * 4).round().astype(int)
    dark = darker(large, put_on(large, fitted(large, (points + 0.5) * 4 - 0.5))) > 100
    above, below = dark[: eye[1], eye[0]].sum(), dark[eye[1] : eye[1] + 100, eye[0]].sum()
    assert above > 1.3 * below > 0
    assert not dark[eye[1] - 8 : eye[1] + 9, eye[0] - 8 : eye[0] + 9].any()


def test_everybody_has_a_frame_of_their_own(face: np.ndarray, usual: Eyeglasses) -> None:
    made = [put_on(face, replace(usual, style=style)) for style in range(len(STYLES))]
    assert len({picture.tobytes() for picture in made}) == len(STYLES)
    assert np.array_equal(put_on(face, replace(usual, style=len(STYLES))), made[0])


def test_in_a_larger_picture_they_are_at_the_same_place_and_sharper(
    face: np.ndarray, points: np.ndarray, usual: Eyeglasses
) -> None:
    large = enlarged(face)
    made = put_on(large, fitted(large, (points + 0.5) * 4 - 0.5))
    small = put_on(face, usual)
    again = cv2.resize(made, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(darker(face, again).ravel(), darker(face, small).ravel())[0, 1] > 0.95
    soft = cv2.resize(small, (4 * SIDE, 4 * SIDE), interpolation=cv2.INTER_CUBIC)
    sharp = [np.square(cv2.Laplacian(p.mean(2), cv2.CV_64F)).sum() for p in (made, soft)]
    assert sharp[0] > 2 * sharp[1]


def test_all_they_change_lies_in_their_extent_and_a_cut_picture_gets_the_same(
    face: np.ndarray, points: np.ndarray, usual: Eyeglasses
) -> None:
    made = put_on(face, usual)
    x0, y0, x1, y1 = extent(points, SIDE, SIDE)
    beyond = np.ones((SIDE, SIDE), bool)
    beyond[y0:y1, x0:x1] = False
    assert beyond.sum() > 0
    assert np.array_equal(made[beyond], face[beyond])
    part = put_on(face[y0:y1, x0:x1], replace(usual, points=points - (x0, y0)))
    assert np.abs(part.astype(int) - made[y0:y1, x0:x1]).max() <= 1


def test_who_wears_some_keeps_them_and_what_lies_over_the_face_hides_them(face: np.ndarray, usual: Eyeglasses) -> None:
    assert np.array_equal(put_on(face, replace(usual, wearing=0.95)), face)
    assert np.array_equal(put_on(face, replace(usual, share=0.0)), face)
    hand = np.ones((SIDE, SIDE), np.float32)
    hand[:, : SIDE // 2] = 0
    made = put_on(face, usual, hand)
    assert np.array_equal(made[:, : SIDE // 2 - 8], face[:, : SIDE // 2 - 8])
    assert darker(face, made)[:, SIDE // 2 :].max() > 100


def test_a_bold_frame_covers_more_than_a_thin_one(face: np.ndarray, usual: Eyeglasses) -> None:
    covered = [(darker(face, put_on(face, replace(usual, bold=bold))) > 60).sum() for bold in (0.6, 1.0, 1.5)]
    assert covered[0] * 1.3 < covered[1] < covered[2] / 1.2


def test_the_lens_that_turns_away_is_the_narrower_one(face: np.ndarray, points: np.ndarray) -> None:
    turned = points.copy()
    turned[27:36, 0] += 10  # the nose looks to the viewer's right
    turned[:9, 0] -= 4
    turned[9:17, 0] -= 12
    rows = darker(face, put_on(face, fitted(face, turned))) > 60
    y = int(points[36:48, 1].mean().round())
    columns = np.flatnonzero(rows[y - 3 : y + 4].any(0))
    first, bridge, second = (gap for gap in np.diff(columns) if gap > 4)  # insides of the lenses, and what is between
    assert second < 0.85 * first
    assert bridge < first


def test_what_is_drawn_is_as_sharp_as_the_picture() -> None:
    rng = np.random.default_rng(0)
    sharp = cv2.resize(rng.integers(0, 256, (32, 32, 3), np.uint8), (256, 256), interpolation=cv2.INTER_NEAREST)
    soft = [softness(cv2.GaussianBlur(sharp, (0, 0), sigma)) for sigma in (0.8, 1.6, 3.2)]
    assert softness(sharp) < soft[0] < soft[1] < soft[2]
    assert soft[2] > 2 * soft[0]


def test_in_grey_footage_they_are_grey(face: np.ndarray, usual: Eyeglasses) -> None:
    grey = np.repeat(face.mean(2, keepdims=True).astype(np.uint8), 3, 2)
    for style in range(len(STYLES)):
        made = put_on(grey, replace(usual, style=style), colour=0.0)
        assert not np.array_equal(made, grey)
        assert (made.max(2) - made.min(2)).max() == 0


@pytest.mark.parametrize("spoilt", [np.nan, 7.0])
def test_landmarks_that_are_none_put_nothing_on(usual: Eyeglasses, spoilt: float) -> None:
    quad = np.array([[0, 0], [0, SIDE], [SIDE, SIDE], [SIDE, 0]], float)
    assert in_frame(usual, quad, SIDE, SIDE, SIDE) is not None
    assert in_frame(usual, quad + 1000, SIDE, SIDE, SIDE) is None
    assert in_frame(replace(usual, points=np.full((68, 2), spoilt, np.float32)), quad, SIDE, SIDE, SIDE) is None
