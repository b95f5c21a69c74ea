"""The crop square: where it lies, and that points survive the way there and back."""

import numpy as np
import pytest

from vidinv.faces.quads import quad_from_points, quad_side, quad_to_affine, transform_points

UPRIGHT = np.array([[80, 100], [120, 100], [100, 125], [85, 145], [115, 145]], float)


def rotated(points: np.ndarray, degrees: float) -> np.ndarray:
    a = np.radians(degrees)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return (points - points.mean(0)) @ turn.T + points.mean(0)


def test_quad_of_an_upright_face_is_an_upright_square() -> None:
    quad = quad_from_points(UPRIGHT)
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad
    assert np.allclose([x0, x3], [x1, x2])
    assert np.allclose([y0, y1], [y3, y2])
    assert np.isclose(x3 - x0, y1 - y0)
    # Half side is the larger of 1.25 eye distances (50) and 1.15 eye-to-mouth distances (51.75).
    assert quad_side(quad) == pytest.approx(2 * 1.15 * 45)


@pytest.mark.parametrize("degrees", [-60, -20, 15, 90, 180])
def test_quad_turns_with_the_face(degrees: float) -> None:
    quads = quad_from_points(np.stack([UPRIGHT, rotated(UPRIGHT, degrees)]))
    middle = UPRIGHT.mean(0)
    a = np.radians(degrees)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    assert np.allclose((quads[0] - middle) @ turn.T + middle, quads[1])


def test_affine_maps_the_outer_edges_of_the_quad_to_the_outer_edges_of_the_crop() -> None:
    quad = quad_from_points(rotated(UPRIGHT, 30))
    corners = transform_points(quad_to_affine(quad, 64), quad)
    assert np.allclose(corners, [[-0.5, -0.5], [-0.5, 63.5], [63.5, 63.5], [63.5, -0.5]])
