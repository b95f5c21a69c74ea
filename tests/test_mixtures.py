"""vidinv.mix and vidinv.diffuse: two pictures made into one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import vidinv
from tests.toy import add_toy_domain_encoder, write_toy_pack
from vidinv.errors import DamagedPack, UsageError
from vidinv.packs.load import load_pack
from vidinv.packs.write import write_pack, write_tensors
from vidinv.stages.decode import decode

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return add_toy_domain_encoder(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"))


@pytest.fixture(scope="module")
def crops() -> list[np.ndarray]:
    """Two smooth pictures that differ everywhere."""
    y, x = np.mgrid[0:64, 0:64]
    first = np.stack([x * 3, y * 3, (x + y) * 2], -1).astype(np.uint8)
    return [first, 255 - first]


def test_no_layers_of_another_change_nothing_and_each_of_their_kinds_something(
    toy: Path, crops: list[np.ndarray]
) -> None:
    how = {"pack": toy, "aligned": True, "precision": "fp32"}
    alone = vidinv.draw(vidinv.invert(crops[:1], **how), pack=toy, precision="fp32")[0]
    same = vidinv.mix(crops[0], crops[0], layers="fine", **how).picture
    assert np.abs(same.astype(int) - alone).max() <= 1
    made = {layers: vidinv.mix(*crops, layers=layers, **how).picture for layers in ("coarse", "middle", "fine")}
    assert all((picture != alone).any() for picture in made.values())
    assert (made["coarse"] != made["fine"]).any()


def test_what_is_pasted_counts_and_what_lies_around_it_does_not(toy: Path, crops: list[np.ndarray]) -> None:
    """The optimiser is shown the first face in the middle, and brings the picture nearer to it there."""
    how = {"pack": toy, "aligned": True, "precision": "fp32"}
    before, after = (
        vidinv.diffuse(*crops, search={"steps": steps, "domain": 0.0, "rate": 0.05}, **how) for steps in (1, 40)
    )
    paste = before.paste
    assert paste is not None
    middle = np.s_[24:40, 24:40]
    assert (paste[middle] == crops[0][middle]).all()
    assert (paste[0, 0] == crops[1][0, 0]).all()

    def apart(picture: np.ndarray, where: tuple[slice, slice]) -> float:
        return float(np.abs(picture[where].astype(float) - paste[where]).mean())

    assert apart(after.picture, middle) < apart(before.picture, middle)
    assert after.sheet().shape == (64, 4 * 64, 3)


def test_a_grid_has_the_faces_themselves_on_its_diagonal_and_others_beside(toy: Path, crops: list[np.ndarray]) -> None:
    how = {"pack": toy, "precision": "fp32"}
    grid = vidinv.mix_grid(crops, aligned=True, **how)
    faces = vidinv.draw(vidinv.invert(crops, aligned=True, **how), **how)
    assert grid.pictures.shape == (2, 2, 64, 64, 3)
    for at in range(2):
        assert np.abs(grid.pictures[at, at].astype(int) - faces[at]).max() <= 1
        assert (grid.pictures[at, 1 - at] != faces[at]).any()
    assert grid.sheet().shape == (192, 192, 3)
    with pytest.raises(UsageError, match="two pictures"):
        vidinv.mix_grid(crops[0], pack=toy, aligned=True)


def test_what_cannot_be_done_is_said(toy: Path, crops: list[np.ndarray], tmp_path: Path) -> None:
    how = {"pack": toy, "aligned": True}
    with pytest.raises(UsageError, match="face, lower, eyes, skin"):
        vidinv.diffuse(*crops, region="nose", **how)
    with pytest.raises(UsageError, match="points"):
        vidinv.diffuse(*crops, region="eyes", **how)
    with pytest.raises(DamagedPack, match="domain_encoder"):
        vidinv.diffuse(*crops, pack=write_toy_pack(tmp_path / "bare"), aligned=True)


def test_a_region_of_a_found_face_is_placed_by_its_points() -> None:
    """On real pictures: the eyes of the first, the rest of the second."""
    frames = list(decode(ROOT / "assets" / "sample.mp4"))
    first, second = frames[0].image, frames[0].image[:, ::-1]
    from vidinv.api import VideoEditor
    from vidinv.mixtures import region_mask
    from vidinv.stills import find_faces

    faces = find_faces(VideoEditor(), [first, np.ascontiguousarray(second)])
    mask = region_mask(faces[0], "eyes")
    rows = mask.mean(1)
    assert 0.2 * len(rows) < rows.argmax() < 0.55 * len(rows), "the band of the eyes lies above the middle"
    assert region_mask(faces[0], "lower").mean(1).argmax() > rows.argmax()


def test_a_folder_is_no_picture_to_mix(toy: Path, crops: list[np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        vidinv.mix(tmp_path, crops[0], layers="fine", pack=toy, aligned=True)
    with pytest.raises(UsageError, match="is a folder"):
        vidinv.diffuse(crops[0], tmp_path, pack=toy, aligned=True)


def test_noise_maps_that_were_searched_for_are_drawn(tmp_path: Path, crops: list[np.ndarray]) -> None:
    """Mixed with itself a face is what is drawn of its code, noise included."""
    folder = write_toy_pack(tmp_path / "toy")
    weights = load_file(folder / "generator.safetensors")
    noisy = {k: torch.full_like(v, 0.5) if k.endswith("noise_strength") else v for k, v in weights.items()}
    write_tensors(folder / "generator.safetensors", noisy)
    write_pack(folder, replace(load_pack(folder).spec, files={}))
    how = {"pack": folder, "precision": "fp32"}
    search = {"steps": 5, "noise": True}
    codes = vidinv.invert(crops[0], method="image2stylegan", search=search, aligned=True, **how)
    assert codes.codes[0].noise is not None
    same = vidinv.mix(
        crops[0], crops[0], layers="fine", method="image2stylegan", search=search, aligned=True, **how
    ).picture
    assert np.abs(same.astype(int) - vidinv.draw(codes, **how)[0]).max() <= 8


def test_a_caller_s_inference_mode_is_no_hindrance(toy: Path, crops: list[np.ndarray]) -> None:
    with torch.inference_mode():
        vidinv.diffuse(*crops, pack=toy, aligned=True, search={"steps": 1})
        vidinv.invert(crops, pack=toy, aligned=True, method="in-domain", search={"steps": 1})


def test_a_grid_is_drawn_by_the_batch(toy: Path, crops: list[np.ndarray]) -> None:
    three = [*crops, np.ascontiguousarray(crops[0][::-1])]
    how = {"pack": toy, "aligned": True, "precision": "fp32"}
    whole, parts = (vidinv.mix_grid(three, batch=batch, **how).pictures for batch in (3, 2))
    assert np.abs(whole.astype(int) - parts).max() <= 1
