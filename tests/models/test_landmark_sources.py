"""One set of tests for every source of the 68 points, wherever it is installed."""

import importlib.util
import sys
from enum import IntEnum
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torch

from vidinv.errors import MissingExtra
from vidinv.models.face_alignment_points import FaceAlignmentPoints, LandmarkSource
from vidinv.models.landmarks import LandmarkConfig, LandmarkNet

SMALL = LandmarkConfig(side=32, widths=(8, 12, 16), blocks=(1, 1), squeeze=4)


def _own() -> LandmarkSource:
    torch.manual_seed(0)
    return LandmarkNet(SMALL).eval().requires_grad_(False)


def _face_alignment() -> LandmarkSource:
    if importlib.util.find_spec("face_alignment") is None:
        pytest.skip("not installed: face-alignment")
    try:
        return FaceAlignmentPoints()
    except MissingExtra as error:
        pytest.skip(f"no weights: {error}")


@pytest.fixture(params=[_own, _face_alignment], ids=["own", "face-alignment"])
def source(request) -> LandmarkSource:
    return request.param()


def _crops(count: int, size: int = 64) -> torch.Tensor:
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear")


def test_68_points_as_fractions(source):
    points = source(_crops(2))
    assert points.shape == (2, 68, 2)
    assert points.dtype == torch.float32
    assert (points.abs() < 3).all()
    assert not points.requires_grad


def test_a_crop_does_not_depend_on_its_batch(source):
    crops = _crops(3)
    assert torch.allclose(source(crops)[1:2], source(crops[1:2]), atol=1e-5)


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "face_alignment", None)
    with pytest.raises(MissingExtra, match=r'pip install "vidinv\[landmarks\]"'):
        FaceAlignmentPoints()


def _package(kind: str, build) -> SimpleNamespace:
    """The package's outer face, as this version or that one shows it."""
    return SimpleNamespace(LandmarksType=IntEnum("LandmarksType", [(kind, 1)]), FaceAlignment=build)


def test_offline_without_weights_says_where_to_put_them(monkeypatch):
    def build(kind, **options):
        raise URLError("Name or service not known")

    monkeypatch.setitem(sys.modules, "face_alignment", _package("TWO_D", build))
    with pytest.raises(MissingExtra, match=r"cannot download .*not known.*checkpoints"):
        FaceAlignmentPoints()


@pytest.mark.parametrize("kind", ["_2D", "TWO_D"])
@pytest.mark.parametrize("compiles", [True, False])
def test_both_generations_of_the_package_are_spoken_to(monkeypatch, kind, compiles):
    asked = {}

    class Network:
        def get_landmarks_from_image(self, picture, detected_faces):
            assert picture.shape == (256, 256, 3)
            assert picture.dtype == np.uint8
            assert len(detected_faces) == 1
            return [np.tile(np.float32([-0.5, 255.5]), (68, 1))]

    def old(kind, device, flip_input, face_detector):
        asked.update(kind=kind, detector=face_detector)
        return Network()

    def new(kind, device, flip_input, face_detector, compile=True):
        asked.update(compile=compile)
        return old(kind, device, flip_input, face_detector)

    monkeypatch.setitem(sys.modules, "face_alignment", _package(kind, new if compiles else old))
    points = FaceAlignmentPoints()(_crops(2))
    assert torch.equal(points, torch.tensor([0.0, 1.0]).expand(2, 68, 2))
    assert (asked["kind"], asked["detector"], asked.get("compile", False)) == (1, "folder", False)
