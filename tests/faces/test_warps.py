"""Crops: sharp where they must be, free of aliasing, and put back where they came from."""

import cv2
import numpy as np
import pytest

from vidinv.faces.quads import quad_from_points, quad_to_affine
from vidinv.faces.warps import bounds, crop, needed, uncrop


def square(x: float, y: float, side: float) -> np.ndarray:
    return np.array([[x, y], [x, y + side], [x + side, y + side], [x + side, y]])


def test_crop_of_whole_pixels_is_a_slice() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    assert np.array_equal(crop(frame, square(9.5, 19.5, 32), 32), frame[20:52, 10:42])


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_shrinking_averages_so_that_fine_patterns_become_grey(factor: int) -> None:
    frame = np.zeros((400, 400, 3), np.uint8)
    frame[::2], frame[:, ::2] = 255, 255
    small = crop(frame, square(20, 30, 32 * factor + 1), 32)
    assert small.std() < 40
    assert small.mean() == pytest.approx(frame.mean(), abs=6)


@pytest.mark.parametrize("side", [40, 64, 150, 300])
def test_crop_keeps_a_smooth_picture_in_place_at_every_scale(side: int) -> None:
    ys, xs = np.mgrid[0:400, 0:400]
    frame = np.stack([xs / 2, ys / 2, (xs + ys) / 4], -1).astype(np.uint8)
    small = crop(frame, square(50 - 0.5, 40 - 0.5, side), 32).astype(float)
    middle = np.arange(32) * side / 32 + side / 64 - 0.5
    assert np.abs(small[..., 0] - (50 + middle)[None] / 2).max() < 1.5
    assert np.abs(small[..., 1] - (40 + middle)[:, None] / 2).max() < 1.5


def test_uncrop_undoes_crop_and_is_zero_outside() -> None:
    ys, xs = np.mgrid[0:200, 0:200]
    frame = np.stack([xs, ys, 255 - xs], -1).astype(np.uint8)
    points = np.array([[80, 90], [118, 96], [97, 112], [80, 130], [108, 135]], float)
    quad = quad_from_points(points)
    box = bounds(quad, frame.shape)
    x0, y0, x1, y1 = box
    back = uncrop(crop(frame, quad, 128).astype(np.float32), quad, box)
    inside = uncrop(np.ones((128, 128), np.float32), quad, box) > 0.999
    assert inside.mean() > 0.5
    assert np.abs(back - frame[y0:y1, x0:x1])[inside].max() < 3
    assert (back[uncrop(np.ones((128, 128), np.float32), quad, box) == 0] == 0).all()


def test_faces_over_the_border_are_reflected_and_cut_off() -> None:
    frame = np.random.default_rng(1).integers(0, 256, (60, 60, 3), np.uint8)
    quad = square(-20, -20, 50)
    assert crop(frame, quad, 32).shape == (32, 32, 3)
    assert bounds(quad, frame.shape) == (0, 0, 31, 31)
    assert bounds(square(100, 100, 20), frame.shape)[0] >= bounds(square(100, 100, 20), frame.shape)[2]


@pytest.mark.parametrize("side", [20, 45, 90, 150])
@pytest.mark.parametrize("where", [(30, 20), (-15.3, 50), (70.6, -10.2), (100, 90), (-40, -40), (-300, 20), (20, 400)])
def test_a_crop_is_made_of_what_it_needs_and_nothing_else(where: tuple[float, float], side: int) -> None:
    frame = np.random.default_rng(2).integers(0, 256, (110, 130, 3), np.uint8)
    quad = square(*where, side)
    x0, y0, x1, y1 = needed(quad, 32, frame.shape)
    assert 0 <= x0 < x1 <= 130
    assert 0 <= y0 < y1 <= 110
    rest = np.full_like(frame, 255)
    rest[y0:y1, x0:x1] = frame[y0:y1, x0:x1]
    affine, factor = quad_to_affine(quad, 32), int(side / 32)
    if factor < 2:
        flags = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REFLECT_101}
        whole, only = (cv2.warpAffine(one, affine, (32, 32), **flags).astype(int) for one in (frame, rest))
        assert np.array_equal(whole, only)
        assert np.abs(crop(frame, quad, 32) - whole).max() <= 1
    assert np.array_equal(crop(rest, quad, 32), crop(frame, quad, 32))
