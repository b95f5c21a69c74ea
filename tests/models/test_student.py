"""What the small networks see of a crop."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from vidinv.models.student import resized


@pytest.mark.parametrize("sides", [(128, 128), (256, 256), (100, 100), (64, 64), (32, 32), (96, 128)])
def test_two_matrices_resize_as_the_interpolation_does(sides: tuple[int, int]) -> None:
    x = torch.rand(2, 3, *sides, generator=torch.Generator().manual_seed(0))
    wanted = F.interpolate(x, (64, 64), mode="bilinear", antialias=True)
    for picture in (x, x.to(memory_format=torch.channels_last)):
        assert torch.allclose(resized(picture, 64), wanted, atol=1e-6)


def test_half_precision_around_it_does_not_reach_it_and_gradients_pass() -> None:
    x = torch.rand(1, 3, 128, 128).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        small = resized(x, 64)
    assert small.dtype == torch.float32
    small.sum().backward()
    assert x.grad is not None
    assert x.grad.sum() == pytest.approx(3 * 64 * 64, rel=1e-4)
