"""Soft masks of the face, and of what may be edited of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidinv.faces.masks import face_outline, occluded_share, unoccluded


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


def face(size: int = 128, grown: float = 0.0) -> np.ndarray:
    """[size, size] 1 on an ellipse, whose half axes are longer by a share of the side."""
    axes = (round((0.3 + grown) * size), round((0.4 + grown) * size))
    return cv2.ellipse(np.zeros((size, size), np.float32), (size // 2, size // 2), axes, 0, 0, 360, 1.0, -1)


def probable(grown: float = 0.0) -> np.ndarray:
    """What a network would say of it."""
    return cv2.GaussianBlur(cv2.resize(face(128, grown), (32, 32), interpolation=cv2.INTER_AREA), (0, 0), 1)


def footage(size: int, behind: int) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 4, (size, size, 3))
    return np.clip(behind + (150 - behind) * face(size)[..., None] + noise, 0, 255).astype(np.uint8)


def around(mask: np.ndarray, share: float) -> np.ndarray:
    """A band of a share of the side, whose middle is the mask's border, left out on either side of it."""
    reach = np.ones((2 * round(share * len(mask)) + 1,) * 2, np.uint8)
    return (cv2.dilate(mask, reach) > 0) & (cv2.erode(mask, reach) == 0)


@pytest.mark.parametrize("behind", [20, 150], ids=["dark behind", "nothing to be seen behind"])
def test_the_face_ends_at_its_outline(behind: int) -> None:
    outline = face_outline(probable(), footage(128, behind))
    sure = ~around(face(), 0.05)
    assert outline.dtype == np.float32
    assert outline[sure & (face() == 0)].max() == 0
    assert outline[~around(face(), 0.09) & (face() == 1)].min() > 0.98
    assert max(np.abs(np.diff(outline, axis=a)).max() for a in (0, 1)) < 0.7


@pytest.mark.parametrize("size", [128, 320])
def test_a_strip_behind_the_face_that_the_network_takes_in_is_left_out(size: int) -> None:
    picture, much = footage(size, 30), probable(grown=0.03)
    strip = (face(size, 0.02) > 0) & (face(size, 0.01) == 0)
    blind = face_outline(much, np.full_like(picture, 128))
    seeing = face_outline(much, picture)
    assert seeing[strip].mean() < 0.1 * blind[strip].mean()
    assert seeing[face(size, -0.05) > 0].min() > 0.9


def test_features_inside_the_face_leave_it_whole() -> None:
    picture = footage(128, 30)
    cv2.ellipse(picture, (64, 80), (16, 8), 0, 0, 360, (40, 10, 10), -1)
    cv2.ellipse(picture, (50, 45), (8, 3), 0, 0, 360, (20, 20, 20), -1)
    outline = face_outline(probable(), picture)
    assert outline[face(128, -0.08) > 0].min() > 0.8
    assert outline[face(128, -0.12) > 0].min() > 0.95
