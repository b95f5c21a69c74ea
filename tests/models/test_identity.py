import pytest
import torch

from vidinv.models.identity import IdentityConfig, IdentityNet

SMALL = IdentityConfig(side=32, widths=(8, 12, 16), blocks=(1, 1), squeeze=4)


@pytest.fixture
def net() -> IdentityNet:
    torch.manual_seed(0)
    return IdentityNet(SMALL).eval().requires_grad_(False)


def smooth(count: int, size: int) -> torch.Tensor:
    """Pictures without detail, so that resizing them changes little."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear")


def test_embeddings_are_float32_unit_vectors(net):
    out = net(smooth(3, 128))
    assert out.shape == (3, 128)
    assert out.dtype == torch.float32
    assert torch.allclose(out.norm(dim=1), torch.ones(3), atol=1e-5)


def test_a_face_does_not_depend_on_its_batch(net):
    x = smooth(4, 64)
    assert torch.allclose(net(x)[2:3], net(x[2:3]), atol=1e-5)


def test_a_face_does_not_depend_on_the_size_of_its_crop(net):
    small, large = net(smooth(3, 64)), net(smooth(3, 256))
    assert ((small * large).sum(1) > 0.99).all()


def test_memory_order_and_autocast_do_not_matter(net):
    x = smooth(2, 64)
    plain = net(x)
    last = net.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
    assert torch.allclose(plain, last, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        half = net(x)
    assert half.dtype == torch.float32
    assert ((half * plain).sum(1) > 0.99).all()


def test_gradients_reach_the_picture(net):
    x = smooth(2, 64).requires_grad_()
    net(x)[:, 0].sum().backward()
    assert x.grad.abs().sum() > 0


def test_a_side_that_does_not_halve_to_the_end_is_refused():
    with pytest.raises(ValueError, match="72"):
        IdentityNet(IdentityConfig(side=72))


def test_the_default_network_is_small():
    assert sum(p.numel() for p in IdentityNet(IdentityConfig()).parameters()) < 1_500_000
