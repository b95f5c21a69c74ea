import pytest
import torch

from vidinv.models.landmarks import MIRROR, LandmarkConfig, LandmarkNet, to_fractions, to_pixels

SMALL = LandmarkConfig(side=32, widths=(8, 12, 16), blocks=(1, 1), squeeze=4)


@pytest.fixture
def net() -> LandmarkNet:
    torch.manual_seed(0)
    return LandmarkNet(SMALL).eval().requires_grad_(False)


def smooth(count: int, size: int) -> torch.Tensor:
    """Pictures without detail, so that resizing them changes little."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear")


def test_points_are_float32_near_the_mean_face(net):
    out = net(smooth(3, 128))
    assert out.shape == (3, 68, 2)
    assert out.dtype == torch.float32
    net.to_points.weight.zero_()
    net.to_points.bias.zero_()
    net.mean_points.fill_(0.3)
    assert torch.allclose(net(smooth(1, 128)), torch.full((1, 68, 2), 0.3))


def test_a_face_depends_neither_on_its_batch_nor_on_its_size(net):
    x = smooth(4, 64)
    assert torch.allclose(net(x)[2:3], net(x[2:3]), atol=1e-5)
    assert torch.allclose(net(x), net(smooth(4, 256)), atol=0.02)


def test_autocast_gives_float32(net):
    x = smooth(2, 64)
    with torch.autocast("cpu", torch.bfloat16):
        half = net(x)
    assert half.dtype == torch.float32
    assert torch.allclose(half, net(x), atol=0.01)


def test_fractions_count_from_edge_to_edge():
    corners = torch.tensor([[-0.5, 127.5], [0.0, 63.5]])
    assert torch.equal(to_fractions(corners, 128), torch.tensor([[0.0, 1.0], [0.5 / 128, 0.5]]))
    assert torch.equal(to_pixels(to_fractions(corners, 128), 128), corners)


def test_mirroring_twice_changes_nothing_and_pairs_the_parts():
    assert [MIRROR[m] for m in MIRROR] == list(range(68))
    middle = {8, 27, 28, 29, 30, 33, 51, 57, 62, 66}  # chin, nose, lips
    assert {i for i, m in enumerate(MIRROR) if i == m} == middle
    pairs = {0: 16, 17: 26, 31: 35, 36: 45, 39: 42, 41: 46, 48: 54, 59: 55, 60: 64, 67: 65}
    assert all(MIRROR[a] == b for a, b in pairs.items())


def test_the_default_network_is_small():
    assert sum(p.numel() for p in LandmarkNet(LandmarkConfig()).parameters()) < 1_500_000
