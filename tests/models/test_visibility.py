"""The network that tells what lies over a face: on random weights."""

import copy

import pytest
import torch

from vidinv.models.backbone import fold_batch_norms
from vidinv.models.visibility import VisibilityConfig, VisibilityNet


@pytest.fixture
def net() -> VisibilityNet:
    torch.manual_seed(0)
    return VisibilityNet(VisibilityConfig(side=32, widths=(8, 12, 16), blocks=(1, 1))).eval().requires_grad_(False)


def smooth(count: int, size: int) -> torch.Tensor:
    """Pictures without detail, so that resizing them changes little."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear")


def test_both_maps_are_probabilities_of_half_the_side(net):
    for size in (32, 50, 128):
        out = net(smooth(3, size))
        assert out.face.shape == out.occluder.shape == (3, 16, 16)
        assert out.face.dtype == out.occluder.dtype == torch.float32
        assert 0 <= min(m.min() for m in out) <= max(m.max() for m in out) <= 1


def test_a_crop_depends_neither_on_its_batch_nor_on_its_size(net):
    x = smooth(4, 64)
    assert torch.allclose(net(x).occluder[2:3], net(x[2:3]).occluder, atol=1e-5)
    assert torch.allclose(net(x).occluder, net(smooth(4, 256)).occluder, atol=0.02)


def test_folded_norms_leave_the_answer_as_it_is(net):
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    folded = fold_batch_norms(copy.deepcopy(net))
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    for a, b in zip(net(smooth(2, 32)), folded(smooth(2, 32)), strict=True):
        assert torch.allclose(a, b, atol=1e-4)


def test_autocast_gives_float32_that_is_near(net):
    x = smooth(2, 64)
    with torch.autocast("cpu", torch.bfloat16):
        half = net(x)
    assert half.occluder.dtype == torch.float32
    assert torch.allclose(half.occluder, net(x).occluder, atol=0.05)


def test_the_usual_network_is_small():
    assert sum(p.numel() for p in VisibilityNet(VisibilityConfig()).parameters()) < 400_000


def test_a_side_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="cannot be halved"):
        VisibilityNet(VisibilityConfig(side=60))
