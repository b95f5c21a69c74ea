"""EQ-T and EQ-R know which way is right, and what is a perfect score."""

from __future__ import annotations

import math

import torch

from vidinv.metrics.equivariance import rotation_equivariance, translation_equivariance


def waves(right: float = 0, down: float = 0, turned: float = 0, side: int = 64) -> torch.Tensor:
    """A smooth picture in -1..1, moved by pixels, or turned anticlockwise by degrees."""
    axis = torch.arange(side) + 0.5 - side / 2
    y, x = torch.meshgrid(axis - down, axis - right, indexing="ij")
    cos, sin = math.cos(math.radians(turned)), math.sin(math.radians(turned))
    x, y = cos * x - sin * y, sin * x + cos * y
    picture = 0.5 * torch.sin(0.3 * x + 0.1 * y) + 0.4 * torch.cos(0.5 * y - 0.2 * x + 1)
    return picture.expand(1, 3, -1, -1)


def test_a_whole_shift_is_exact() -> None:
    rolled = torch.randn(1, 3, 32, 32)
    assert translation_equivariance(rolled, rolled.roll((3, -4), (2, 3)), (-4, 3)) == math.inf
    assert translation_equivariance(rolled, rolled.roll((3, -4), (2, 3)), (4, 3)) < 20


def test_parts_of_pixels_are_resampled() -> None:
    for shift in ((0.5, 0.5), (-2.3, 1.75)):
        assert translation_equivariance(waves(), waves(*shift), shift) > 80
        assert translation_equivariance(waves(), waves(*shift), (-shift[0], -shift[1])) < 30


def test_a_quarter_turn_is_numpys() -> None:
    picture = torch.randn(1, 3, 32, 32)
    assert rotation_equivariance(picture, picture.rot90(1, (2, 3)), 90) > 80
    assert rotation_equivariance(picture, picture.rot90(-1, (2, 3)), 90) < 20


def test_any_turn_is_resampled() -> None:
    assert rotation_equivariance(waves(), waves(turned=30), 30) > 70
    assert rotation_equivariance(waves(), waves(turned=30), -30) < 30


def test_an_error_has_its_decibels() -> None:
    picture = torch.zeros(1, 3, 8, 8)
    assert abs(translation_equivariance(picture, picture + 0.2, (1, 0)) - 20) < 1e-4
