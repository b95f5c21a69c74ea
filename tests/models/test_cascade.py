"""The detector's cascade finds what facenet-pytorch's own finds."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from facenet_pytorch import MTCNN
from facenet_pytorch.models.utils.detect_face import batched_nms_numpy
from numpy.typing import NDArray
from torchvision.ops import batched_nms

from vidinv.errors import MissingExtra
from vidinv.models.cascade import _apart, averaged, search
from vidinv.models.cascade_networks import Cascade, make_cascade
from vidinv.models.face_detector import NOTHING, FaceDetector


def easily_convinced(thresholds: tuple[float, float, float] = (0.3, 0.02, 0.005)) -> Cascade:
    return replace(make_cascade(24, 0.709, "cpu"), thresholds=thresholds)


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
    found, places = search(easily_convinced(), picture)
    assert len(boxes) > 3
    order, wanted = np.argsort(found[:, 4]), np.argsort(scores)
    assert np.array_equal(found[order, :4], boxes[wanted])
    assert np.array_equal(found[order, 4], scores[wanted])
    assert np.array_equal(places[order], points[wanted])


@pytest.mark.parametrize("threshold", [(1.1, 0.5, 0.5), (0.3, 1.1, 0.5), (0.3, 0.02, 1.1)])
def test_nobody_is_found_where_any_network_sees_nobody(threshold: tuple[float, float, float]) -> None:
    found, places = search(easily_convinced(threshold), _blots(150, 0))
    assert found.shape == (0, 5)
    assert places.shape == (0, 5, 2)


def test_overlapping_boxes_are_left_out_as_the_library_leaves_them_out() -> None:
    numbers = np.random.default_rng(0)
    for count in (0, 1, 60, 1500):  # the library takes another way above a thousand
        corners = numbers.uniform(0, 100, (count, 2)).astype(np.float32)
        sides = numbers.choice([0, 8, 16.5, 33], (count, 2)).astype(np.float32)
        odds = numbers.uniform(0.6, 1, (count, 1)).astype(np.float32)
        boxes, one = torch.from_numpy(np.hstack([corners, corners + sides, odds])), torch.zeros(count)
        for most in (0.5, 0.7):
            assert torch.equal(_apart(boxes, most), batched_nms(boxes[:, :4], boxes[:, 4], one, most))
        wanted = batched_nms_numpy(boxes[:, :4], boxes[:, 4], one, 0.7, "Min")
        assert torch.equal(_apart(boxes, 0.7, of_smaller=True), wanted)


def test_weights_that_are_not_there_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidinv.models.cascade_networks.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="pip install facenet-pytorch"):
        FaceDetector(24)


def test_a_run_imports_neither_a_compiler_nor_what_only_some_runs_need() -> None:
    """Between them 170 MiB and seconds of every start."""
    large = {"torchvision", "torch._dynamo", "sympy", "scipy", "facenet_pytorch", "matplotlib", "torchmetrics"}
    told = "import sys, vidinv.api; from vidinv.models.face_detector import FaceDetector; FaceDetector(24)"
    command = [sys.executable, "-c", f"{told}; print(*sorted({large} & sys.modules.keys()))"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() == []


def test_a_picture_of_one_colour_or_smaller_than_a_face_has_nobody() -> None:
    detector = FaceDetector(24)
    assert len(detector(np.full((90, 120, 3), 90, np.uint8))) == 0
    assert detector(np.zeros((20, 90, 3), np.uint8)) is NOTHING
