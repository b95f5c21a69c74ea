"""The detector's cascade finds what facenet-pytorch's own finds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from facenet_pytorch import MTCNN
from numpy.typing import NDArray

from vidinv.models.cascade import averaged, search
from vidinv.models.face_detector import NOTHING, FaceDetector


def _blots(side: int, seed: int) -> NDArray[np.uint8]:
    """Light and dark at all sizes: to a network that is easily convinced there are faces everywhere."""
    numbers = np.random.default_rng(seed)
    sizes = [numbers.uniform(0, 1, (n, n, 3)).astype(np.float32) for n in (3, 7, 15, 40)]
    layers = [cv2.resize(one, (side, side + 30), interpolation=cv2.INTER_CUBIC) for one in sizes]
    return np.clip(255 * np.mean(layers, 0), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(24, 24), (1, 3), (70, 11)])
def test_averages_are_those_of_interpolation_by_areas_to_the_bit(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (61, 83, 3), np.uint8)
    boxes = np.array([[0, 0, 61, 83], [7, 20, 40, 53], [60, 82, 61, 83]])
    made = averaged(np.asarray(cv2.integral(picture, sdepth=cv2.CV_32S), np.int32), boxes, size)
    for one, (y0, x0, y1, x1) in zip(made, boxes, strict=True):
        part = torch.from_numpy(picture[y0:y1, x0:x1]).permute(2, 0, 1)[None].float()
        wanted = F.interpolate(part, size=size, mode="area")[0].permute(1, 2, 0)
        assert np.array_equal(one, wanted.numpy())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_all_three_networks_find_what_they_find_in_the_library(seed: int) -> None:
    mtcnn = MTCNN(keep_all=True, min_face_size=24, thresholds=[0.3, 0.02, 0.005], post_process=False)
    picture = _blots(150, seed)
    boxes, scores, points = (np.asarray(v.tolist(), np.float32) for v in mtcnn.detect(picture, landmarks=True))
    found, places = search(mtcnn, picture)
    assert len(boxes) > 3
    order, wanted = np.argsort(found[:, 4]), np.argsort(scores)
    assert np.array_equal(found[order, :4], boxes[wanted])
    assert np.array_equal(found[order, 4], scores[wanted])
    assert np.array_equal(places[order], points[wanted])


@pytest.mark.parametrize("threshold", [(1.1, 0.5, 0.5), (0.3, 1.1, 0.5), (0.3, 0.02, 1.1)])
def test_nobody_is_found_where_any_network_sees_nobody(threshold: tuple[float, ...]) -> None:
    mtcnn = MTCNN(keep_all=True, min_face_size=24, thresholds=list(threshold), post_process=False)
    found, places = search(mtcnn, _blots(150, 0))
    assert found.shape == (0, 5)
    assert places.shape == (0, 5, 2)


def test_a_picture_of_one_colour_or_smaller_than_a_face_has_nobody() -> None:
    detector = FaceDetector(24)
    assert len(detector(np.full((90, 120, 3), 90, np.uint8))) == 0
    assert detector(np.zeros((20, 90, 3), np.uint8)) is NOTHING
