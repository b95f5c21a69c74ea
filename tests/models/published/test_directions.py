"""Directions mean what their authors said; those from the weights are what the formula says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from tests.formula import generator_weights, tensor
from tests.models.published import layouts
from vidinv.errors import UnsuitableCheckpoint
from vidinv.models.generator import GeneratorShape
from vidinv.models.published.directions import read_directions, sefa
from vidinv.models.published.generators import read_generator
from vidinv.models.published.reading import read_checkpoint

SHAPE = GeneratorShape(channels=(8,) * 5, d_style=12)  # 10 styles
PATH = Path("edit.pt")


@pytest.mark.parametrize("shape", [(12,), (1, 12), (10, 12), (1, 10, 12)])
def test_w_and_w_plus_are_understood(shape: tuple[int, ...]) -> None:
    published = tensor("v", shape)
    (direction,) = read_directions(published, "age", PATH, SHAPE).values()
    assert torch.equal(direction.displacement, published.reshape(-1, 12).expand(10, 12))


@pytest.mark.parametrize("shape", [(2, 2, 2, 2), (11,), (1, 14, 12), (10, 11), (2, 10, 12)])
def test_another_generators_directions_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UnsuitableCheckpoint, match=r"edit\.pt.*10 styles of 12"):
        read_directions(tensor("v", shape), "age", PATH, SHAPE)


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_nothing_and_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(UnsuitableCheckpoint, match="no number"):
        read_directions(torch.full((1, 12), value), "age", PATH, SHAPE)


@pytest.mark.parametrize("names", [("comp", "std"), ("lat_comp", "lat_stdev")])
def test_a_component_is_moved_by_its_standard_deviation(names: tuple[str, str]) -> None:
    comp, std = tensor("comp", (5, 1, 12)), tensor("std", (5,)).abs()
    read = read_directions({names[0]: comp, names[1]: std, "mean": comp[0]}, "pca", PATH, SHAPE, components=3)
    assert list(read) == ["pca-0", "pca-1", "pca-2"]
    assert torch.allclose(read["pca-2"].displacement, (comp[2] * std[2]).expand(10, 12))
    assert "standard deviation" in read["pca-2"].step


def test_other_dictionaries_are_refused_by_what_they_hold() -> None:
    with pytest.raises(UnsuitableCheckpoint, match="pos, value"):
        read_directions({"pos": torch.zeros(12), "value": 1}, "age", PATH, SHAPE)


def test_sefa_moves_the_styles_more_than_any_other_direction() -> None:
    state = read_generator({"g_ema": generator_weights(layouts.rosinality((8,) * 5, 12, 1))}, PATH).state
    a = torch.cat([v for k, v in state.items() if k.startswith("convs") and k.endswith("modulation.weight")])
    found = torch.stack([d.displacement[0] for d in sefa(state, 12, 10).values()])
    assert torch.allclose(found @ found.t(), torch.eye(12), atol=1e-5)
    moved = (found @ a.t()).norm(dim=1)
    assert (moved[:-1] >= moved[1:] - 1e-4).all()
    others = torch.nn.functional.normalize(torch.randn(200, 12, generator=torch.Generator().manual_seed(0)))
    assert (others @ a.t()).norm(dim=1).max() <= moved[0] + 1e-4
    assert torch.allclose(moved.square(), torch.linalg.svdvals(a).square(), rtol=1e-3)


def test_the_published_directions_of_ffhq_fit_its_generator() -> None:
    default = Path(__file__).resolve().parents[4] / "shared"
    folder = Path(os.environ.get("VIDINV_SHARED", default)) / "directions" / "e4e"
    if not folder.is_dir():
        pytest.skip(f"no directions in {folder}; set VIDINV_SHARED")
    ffhq = GeneratorShape(channels=(512, 512, 512, 512, 512, 256, 128, 64, 32), d_style=512)
    for name in ("age", "smile", "pose"):
        path = folder / f"{name}.pt"
        (direction,) = read_directions(read_checkpoint(path), name, path, ffhq).values()
        assert torch.allclose(direction.displacement.norm(dim=1), torch.ones(18), atol=1e-3)
    path = folder / "ffhq_pca.pt"
    read = read_directions(read_checkpoint(path), "pca", path, ffhq, 80)
    lengths = torch.stack([d.displacement.norm(dim=1)[0] for d in read.values()])
    assert len(read) == 80
    assert (lengths[:9] >= lengths[1:10]).all()  # the tail is an incremental estimate and not quite in order
