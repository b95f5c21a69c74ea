"""Directions mean what their authors said; those from the weights are what the formula says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.formula import generator_weights, tensor
from tests.packs.published import layouts
from tests.shared import shared
from vidinv.edits.parse import parse_edit
from vidinv.errors import UnsuitableCheckpoint, UsageError
from vidinv.models.generator import GeneratorConfig
from vidinv.packs.published.directions import DirectionFile, direction_file, direction_name, read_directions, sefa
from vidinv.packs.published.generators import read_generator
from vidinv.packs.published.reading import read_checkpoint

SHAPE = GeneratorConfig(channels=(8,) * 5, d_style=12)  # 10 styles
PATH = Path("edit.pt")


@pytest.mark.parametrize("shape", [(12,), (1, 12), (10, 12), (1, 10, 12)])
def test_w_and_w_plus_are_understood(shape: tuple[int, ...]) -> None:
    published = tensor("v", shape)
    (direction,) = read_directions(published, DirectionFile("age", PATH), SHAPE).values()
    assert torch.equal(direction.displacement, published.reshape(-1, 12).expand(10, 12))


@pytest.mark.parametrize("shape", [(2, 2, 2, 2), (11,), (1, 14, 12), (10, 11), (2, 10, 12)])
def test_another_generators_directions_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UnsuitableCheckpoint, match=r"edit\.pt.*10 styles of 12"):
        read_directions(tensor("v", shape), DirectionFile("age", PATH), SHAPE)


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_nothing_and_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(UnsuitableCheckpoint, match="no number"):
        read_directions(torch.full((1, 12), value), DirectionFile("age", PATH), SHAPE)


@pytest.mark.parametrize("names", [("comp", "std"), ("lat_comp", "lat_stdev")])
def test_a_component_is_moved_by_its_standard_deviation(names: tuple[str, str]) -> None:
    comp, std = tensor("comp", (5, 1, 12)), tensor("std", (5,)).abs()
    read = read_directions(
        {names[0]: comp, names[1]: std, "mean": comp[0]}, DirectionFile("pca", PATH), SHAPE, components=3
    )
    assert list(read) == ["pca-0", "pca-1", "pca-2"]
    assert torch.allclose(read["pca-2"].displacement, (comp[2] * std[2]).expand(10, 12))
    assert "standard deviation" in read["pca-2"].step


GANSPACE = {"comp": tensor("comp", (5, 1, 12)), "std": tensor("std", (5,)).abs()}


def test_one_component_in_some_styles_is_an_edit_of_its_own() -> None:
    file = direction_file("glasses=pca.pt#3@2-4")
    assert file == DirectionFile("glasses", Path("pca.pt"), 3, (2, 4))
    (direction,) = read_directions(GANSPACE, file, SHAPE).values()
    moved = direction.displacement.abs().sum(1) > 0
    assert moved.nonzero().flatten().tolist() == [2, 3, 4]
    assert torch.allclose(direction.displacement[3], GANSPACE["comp"][3, 0] * GANSPACE["std"][3])
    assert direction.step.endswith("in styles 2 to 4")


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("some/age.pt", DirectionFile("age", Path("some/age.pt"))),
        ("older=some/age.pt", DirectionFile("older", Path("some/age.pt"))),
        ("age.pt@0-3", DirectionFile("age", Path("age.pt"), None, (0, 3))),
        ("ffhq_pca.pt#7", DirectionFile("ffhq_pca-7", Path("ffhq_pca.pt"), 7)),
    ],
)
def test_what_is_typed_names_file_component_and_styles(text: str, file: DirectionFile) -> None:
    assert direction_file(text) == file


def test_a_file_that_is_called_so_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b#1@2-3").touch()
    assert direction_file("a=b#1@2-3").path == Path("a=b#1@2-3")


@pytest.mark.parametrize("text", ["pca.pt#5", "pca.pt@3-2", "pca.pt@8-10"])
def test_components_and_styles_that_are_not_there_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=text):
        read_directions(GANSPACE, direction_file(text), SHAPE)
    with pytest.raises(UsageError, match=r"one vector"):
        read_directions(tensor("v", (12,)), direction_file("age.pt#1"), SHAPE)
    with pytest.raises(UsageError, match="names no file"):
        direction_file("age\nold.pt")


def test_a_file_gives_a_name_that_can_be_typed() -> None:
    for text, name in (("age.pt", "age"), ("eye open(2).npy", "eye-open-2"), ("3d.pt", "edit-3d")):
        assert direction_name(Path(text)) == name
        assert parse_edit(f"{name}=1").name == name


def test_other_dictionaries_are_refused_by_what_they_hold() -> None:
    with pytest.raises(UnsuitableCheckpoint, match="pos, value"):
        read_directions({"pos": torch.zeros(12), "value": 1}, DirectionFile("age", PATH), SHAPE)


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
    folder = shared("directions/e4e")
    ffhq = GeneratorConfig(channels=(512, 512, 512, 512, 512, 256, 128, 64, 32), d_style=512)
    for name in ("age", "smile", "pose"):
        path = folder / f"{name}.pt"
        (direction,) = read_directions(read_checkpoint(path), DirectionFile(name, path), ffhq).values()
        assert torch.allclose(direction.displacement.norm(dim=1), torch.ones(18), atol=1e-3)
    path = folder / "ffhq_pca.pt"
    read = read_directions(read_checkpoint(path), DirectionFile("pca", path), ffhq, 80)
    lengths = torch.stack([d.displacement.norm(dim=1)[0] for d in read.values()])
    assert len(read) == 80
    assert (lengths[:9] >= lengths[1:10]).all()  # the tail is an incremental estimate and not quite in order
