"""Codes of pictures in a latent file: what was kept comes back, and one bad picture stops nothing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save

import vidinv
from tests.inversion.test_latent_hostile import PART, tampered
from tests.toy import write_toy_pack
from vidinv import stills
from vidinv.api import VideoEditor
from vidinv.directions import fit_direction_of
from vidinv.errors import InputError, NoFaceFound, OutputExists
from vidinv.still_files import keep_codes_of


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> VideoEditor:
    return VideoEditor(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"), precision="fp32", batch=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five crops, and a file that is none."""
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for name in "abcde":
        small = rng.integers(0, 255, (8, 8, 3)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / "in" / f"{name}.png"), cv2.resize(small, (64, 64), interpolation=cv2.INTER_CUBIC))
    (tmp_path / "in" / "broken.jpg").write_text("nothing")
    return tmp_path / "in"


def test_codes_come_back_bit_for_bit_in_the_order_of_the_pictures(toy: VideoEditor, folder: Path) -> None:
    kept = keep_codes_of(toy, folder, folder.parent / "codes", aligned=True)
    again = vidinv.read_codes(folder.parent / "codes")
    direct = stills.invert_pictures(toy, folder, aligned=True, failures="keep")
    assert again.names == tuple(Path(name).name for name in direct.names) == tuple(f"{name}.png" for name in "abcde")
    assert torch.equal(again.w, direct.w)
    assert torch.equal(again.feature, direct.feature)
    assert [Path(name).name for name in kept.failures] == ["broken.jpg"]
    assert again.inverted["method"] == "feature-style"
    assert (stills.draw_codes(toy, again, "age=2") == stills.draw_codes(toy, direct, "age=2")).all()


def test_a_picture_of_crop_and_inversion_lies_beside(toy: VideoEditor, folder: Path) -> None:
    kept = keep_codes_of(toy, folder / "b.png", folder.parent / "codes", aligned=True)
    shown = cv2.imread(str(folder.parent / "codes" / "00000-b.png"))[:, :, ::-1]
    crop, inversion = shown[:, :64].astype(float), shown[:, 64:].astype(float)
    assert (crop == cv2.imread(str(folder / "b.png"))[:, :, ::-1]).all()
    [psnr] = kept.psnr.values()
    assert psnr == pytest.approx(10 * np.log10(255**2 / np.square(crop - inversion).mean()), abs=0.01)


def test_without_any_face_nothing_is_left(toy: VideoEditor, folder: Path) -> None:
    with pytest.raises(NoFaceFound, match=r"broken\.jpg"):
        keep_codes_of(toy, folder / "broken.jpg", folder.parent / "codes")
    assert [path.name for path in folder.parent.iterdir()] == ["in"]


def test_codes_that_are_there_are_kept_unless_told_otherwise(toy: VideoEditor, folder: Path) -> None:
    keep_codes_of(toy, folder / "a.png", folder.parent / "codes", aligned=True)
    with pytest.raises(OutputExists):
        keep_codes_of(toy, folder / "b.png", folder.parent / "codes", aligned=True)
    keep_codes_of(toy, folder / "b.png", folder.parent / "codes", aligned=True, overwrite=True)
    assert vidinv.read_codes(folder.parent / "codes").names == ("b.png",)


def test_arrays_cannot_be_kept_and_codes_of_pictures_render_no_video(toy: VideoEditor, folder: Path) -> None:
    with pytest.raises(InputError, match="lies in no file"):
        keep_codes_of(toy, np.zeros((64, 64, 3), np.uint8), folder.parent / "codes", aligned=True)
    keep_codes_of(toy, folder / "a.png", folder.parent / "codes", aligned=True)
    sample = Path(__file__).resolve().parents[1] / "assets" / "sample.mp4"
    with pytest.raises(InputError, match="of pictures"):
        toy.render(sample, folder.parent / "codes", "age=1")


def test_a_picture_that_is_given_twice_is_kept_once(toy: VideoEditor, folder: Path) -> None:
    kept = keep_codes_of(toy, [folder / "a.png", folder, folder / "b.png"], folder.parent / "codes", aligned=True)
    assert sorted(vidinv.read_codes(folder.parent / "codes").names) == [f"{name}.png" for name in "abcde"]
    assert len(kept.psnr) == 5


@pytest.mark.parametrize("part", ["w", "feature"])
def test_codes_of_another_size_than_the_pack_takes_are_refused_by_name(
    toy: VideoEditor, folder: Path, part: str
) -> None:
    kept = folder.parent / "codes"
    keep_codes_of(toy, folder / "a.png", kept, aligned=True)
    tensors = load_file(kept / PART)
    tensors[part] = tensors[part][:, :1].contiguous()
    tampered(kept, save(tensors))
    with pytest.raises(InputError, match=rf"a\.png are none of pack toy \({part} is \[1, .*invert it again"):
        stills.draw_codes(toy, vidinv.read_codes(kept))
    with pytest.raises(InputError, match=rf"a\.png are none of pack toy \({part} is \[1, .*invert it again"):
        fit_direction_of(toy, "own", positive=kept, negative=kept)


def test_a_name_as_long_as_can_be_is_kept_too(toy: VideoEditor, folder: Path) -> None:
    name = "ä" * 120 + ".png"
    (folder / "a.png").rename(folder / name)
    keep_codes_of(toy, folder / name, folder.parent / "codes", aligned=True)
    assert vidinv.read_codes(folder.parent / "codes").names == (name,)
