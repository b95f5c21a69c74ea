"""Regions of a face in crop space: placed by five points, soft, and united."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidinv.faces.pose import HEAD
from vidinv.faces.quads import quad_from_points, quad_to_affine, transform_points
from vidinv.faces.regions import REGIONS, Touch, colours, eyes, heights, lower, moving, skin, steep, together, union

SIZE = 128
POINTS = np.array([[40, 50], [88, 50], [64, 80], [46, 98], [82, 98]], np.float32)
INSIDE = cv2.ellipse(np.zeros((SIZE, SIZE), np.float32), (64, 70), (40, 55), 0, 0, 360, 1.0, -1)


def at(region: np.ndarray, point: np.ndarray) -> float:
    x, y = np.rint(point).astype(int)
    return float(region[y, x])


def test_heights_are_0_at_the_eyes_and_1_at_the_mouth_however_the_head_is_tilted() -> None:
    for angle in (-20, 0, 35):
        turn = cv2.getRotationMatrix2D((64, 64), angle, 0.8)
        points = transform_points(turn, POINTS)
        found = heights(points, SIZE)
        assert at(found, points[0]) == pytest.approx(0, abs=0.03)
        assert at(found, points[3:].mean(0)) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("yaw", [0.0, 30.0, -45.0])
def test_regions_lie_where_their_names_say_on_turned_heads_too(yaw: float) -> None:
    angle = np.radians(yaw)
    turned = 30 * np.stack([HEAD[:, 0] * np.cos(angle) - HEAD[:, 2] * np.sin(angle), HEAD[:, 1]], 1) + 200
    p = transform_points(quad_to_affine(quad_from_points(turned), SIZE), turned)
    mouth, brows = p[3:].mean(0), p[:2].mean(0) - 0.4 * (p[3:].mean(0) - p[:2].mean(0))
    below, band, without = lower(p, SIZE), eyes(p, SIZE), skin(p, SIZE)
    assert at(below, mouth) == at(below, p[2]) == 1
    assert max(at(below, p[0]), at(below, p[1]), at(below, brows)) < 0.01
    assert min(at(band, p[0]), at(band, p[1]), at(band, brows)) > 0.99
    assert at(band, mouth) == 0
    assert max(at(without, p[0]), at(without, p[1]), at(without, mouth)) < 0.01
    assert min(at(without, p[2]), at(without, brows), without[5, 5]) > 0.99


@pytest.mark.parametrize("name", [name for name, place in REGIONS.items() if place is not None])
def test_no_region_has_a_border_that_shows(name: str) -> None:
    region = REGIONS[name](POINTS, SIZE)
    assert region.dtype == np.float32
    assert region.min() >= 0
    assert region.max() <= 1
    assert max(np.abs(np.diff(region, axis=a)).max() for a in (0, 1)) < 0.27


def test_several_edits_act_in_the_union_of_their_regions_within_the_face() -> None:
    both = union({"lower": 1.0, "eyes": 1.0}, INSIDE, POINTS, SIZE)
    assert np.array_equal(both, INSIDE * np.maximum(lower(POINTS, SIZE), eyes(POINTS, SIZE)))
    assert both[INSIDE == 0].max() == 0
    assert np.array_equal(union({"face": 1.0, "eyes": 1.0}, INSIDE, POINTS, SIZE), INSIDE)
    assert np.array_equal(union({}, INSIDE, POINTS, SIZE), INSIDE)
    assert union({"crop": 1.0, "eyes": 1.0}, INSIDE, POINTS, SIZE).min() == 1


def test_a_region_that_comes_beside_another_grows() -> None:
    coming = union({"lower": 1.0, "face": 0.25}, INSIDE, POINTS, SIZE)
    assert at(coming, POINTS[0]) == pytest.approx(0.25)
    assert at(coming, POINTS[3:].mean(0)) == 1


def test_without_a_network_or_points_there_is_less_to_go_by() -> None:
    assert union({"face": 1.0, "crop": 1.0}, None, POINTS, SIZE) is None
    assert union({"eyes": 1.0}, None, None, SIZE) is None
    assert np.array_equal(union({"eyes": 1.0}, None, POINTS, SIZE), eyes(POINTS, SIZE))
    assert np.array_equal(union({"eyes": 1.0}, INSIDE, None, SIZE), INSIDE)


def test_shares_of_one_region_are_its_largest_and_none_is_left_out() -> None:
    assert together([Touch("eyes", 0.2), Touch("face", 0.0), Touch("eyes", 0.7), Touch("eyes", 0.1)]) == {"eyes": 0.7}


def test_an_edit_with_colours_of_its_own_has_them_beside_one_without_and_by_itself_while_it_comes() -> None:
    beard, makeup = Touch("lower", 1.0, 0.0), Touch("face", 0.25, 1.0)
    assert colours([beard]) == 0
    assert colours([beard, makeup]) == 0.25
    assert colours([makeup]) == 1
    assert colours([]) == 1


def test_one_edit_that_moves_is_enough_and_one_that_does_not_act_is_none() -> None:
    glasses, smile = Touch("eyes", 1.0, moves=False), Touch("lower", 0.2)
    assert not moving([glasses])
    assert moving([glasses, smile])
    assert not moving([glasses, Touch("lower", 0.0)])


def test_edges_are_steeper_in_the_regions_of_the_edits_that_say_so_as_far_as_they_act() -> None:
    glasses, smile = Touch("eyes", 0.5, edges=2.0), Touch("lower", 1.0)
    assert steep([glasses, smile]) == {"eyes": 1.0}
    assert steep([glasses, Touch("eyes", 1.0, edges=3.0)]) == {"eyes": 3.0}
    assert steep([smile]) == {}


def test_glasses_go_on_beside_the_face_and_eyes_do_not() -> None:
    band = eyes(POINTS, SIZE)
    assert np.array_equal(union({"eyewear": 1.0}, INSIDE, POINTS, SIZE), band)
    assert np.array_equal(union({"eyes": 1.0}, INSIDE, POINTS, SIZE), INSIDE * band)
    assert np.array_equal(union({"eyewear": 1.0}, INSIDE, None, SIZE), INSIDE)
