"""A head turned by known angles is read back."""

from __future__ import annotations

import numpy as np
import pytest

from vidinv.faces.pose import HEAD, pose_from_points


def project(yaw: float, pitch: float, roll: float, scale: float = 30.0) -> np.ndarray:
    """HEAD turned (pitch, then yaw, then roll; degrees), seen orthographically."""
    a, b, c = np.radians([yaw, pitch, roll])
    # The nose points to -z: turning it towards +x (the viewer's right) and +y (down).
    around_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    around_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    around_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return scale * (HEAD @ (around_z @ around_y @ around_x).T)[:, :2] + [320, 200]


@pytest.mark.parametrize("yaw", [-60, -20, 0, 35, 60])
@pytest.mark.parametrize("pitch", [-30, 0, 25])
def test_known_angles_come_back(yaw: float, pitch: float) -> None:
    found = pose_from_points(project(yaw, pitch, 0))
    assert found.yaw == pytest.approx(yaw, abs=1e-6)
    assert found.pitch == pytest.approx(pitch, abs=1e-6)


def test_size_place_and_roll_do_not_matter() -> None:
    upright = pose_from_points(project(30, 0, 0))
    for roll in (-40, 15):
        turned = pose_from_points(project(30, 0, roll, scale=90))
        assert turned.roll == pytest.approx(roll, abs=1e-6)
        assert turned.yaw == pytest.approx(upright.yaw, abs=1e-6)


def test_a_pixel_of_noise_moves_it_by_few_degrees() -> None:
    rng = np.random.default_rng(0)
    angles = np.array([pose_from_points(project(20, 5, 0) + rng.normal(0, 1, (5, 2)))[:2] for _ in range(200)])
    assert angles.std(0).max() < 4
