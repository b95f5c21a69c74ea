"""Soft masks of the face, and of what may be edited of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidinv.faces.masks import occluded_share, unoccluded


def blob(probability: float, radius: int = 5, at: tuple[int, int] = (16, 16)) -> np.ndarray:
    return cv2.circle(np.zeros((32, 32), np.float32), at, radius, probability, -1)


@pytest.mark.parametrize("occluder", [blob(0.0), blob(0.15, 12), blob(0.55)], ids=["nothing", "faint", "unsure"])
def test_noise_covers_nothing(occluder: np.ndarray) -> None:
    assert unoccluded(occluder, 128) is None


def test_the_edit_is_gone_on_what_covers_the_face_and_whole_far_from_it() -> None:
    visible = unoccluded(blob(0.95), 128)
    inside = cv2.resize(blob(1.0), (128, 128), interpolation=cv2.INTER_NEAREST) > 0
    assert visible.dtype == np.float32
    assert visible[inside].max() == 0
    assert visible[:16].min() == visible[-16:].min() == 1
    assert visible.min() == 0
    assert visible.max() == 1


def test_the_border_is_soft() -> None:
    visible = unoccluded(blob(0.95), 128)
    assert np.abs(np.diff(visible, axis=0)).max() < 0.25


def test_the_less_probable_parts_of_a_hand_count_but_not_a_faint_patch_elsewhere() -> None:
    hand = np.maximum(blob(0.9, 3, (8, 16)), cv2.line(np.zeros((32, 32), np.float32), (8, 16), (14, 16), 0.5, 3))
    visible = unoccluded(np.maximum(hand, blob(0.5, 3, (26, 16))), 128)
    assert visible[66, 56] == 0
    assert visible[66, 106] == 1


@pytest.mark.parametrize("size", [64, 128, 256])
def test_the_covered_share_is_of_the_face_alone(size: int) -> None:
    face = np.zeros((32, 32), np.float32)
    face[8:24, 8:24] = 1
    half = np.ones((size, size), np.float32)
    half[:, : size // 2] = 0
    assert occluded_share(half, face) == pytest.approx(0.5, abs=0.02)
    beside = np.ones((size, size), np.float32)
    beside[:, : size // 8] = 0
    assert occluded_share(beside, face) == pytest.approx(0, abs=0.01)
