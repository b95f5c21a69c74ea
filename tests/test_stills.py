"""vidinv.invert and vidinv.draw: faces of still pictures as codes, and back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import vidinv
from tests.toy import write_toy_pack
from vidinv.api import VideoEditor
from vidinv.errors import NoFaceFound, UsageError
from vidinv.stages.decode import decode
from vidinv.stills import draw_codes, invert_pictures

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def editor() -> VideoEditor:
    return VideoEditor(precision="fp32")


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    """The first frame of the sample."""
    return next(decode(ROOT / "assets" / "sample.mp4")).image


def test_a_picture_becomes_a_code_that_draws_its_face(editor: VideoEditor, portrait: np.ndarray) -> None:
    codes = invert_pictures(editor, portrait)
    drawn = draw_codes(editor, codes)
    assert drawn.shape == codes.crops.shape == (1, 128, 128, 3)
    apart = np.abs(drawn.astype(float) - codes.crops).mean()
    assert apart < 0.5 * np.abs(drawn.astype(float) - codes.crops[:, :, ::-1]).mean(), "nearer to it than its mirror is"
    older = draw_codes(editor, codes, "age=+2")
    assert np.abs(older.astype(float) - drawn).mean() > 1
    assert (draw_codes(editor, codes, "age=0") == drawn).mean() > 0.999


def test_files_arrays_and_folders_give_the_same_codes(
    editor: VideoEditor, portrait: np.ndarray, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), portrait[:, :, ::-1])
    of_array = invert_pictures(editor, [portrait]).w
    for images in (tmp_path / "a.png", str(tmp_path), [tmp_path / "a.png"]):
        assert (invert_pictures(editor, images).w == of_array).all()


def test_a_crop_is_inverted_as_it_is(editor: VideoEditor, portrait: np.ndarray) -> None:
    whole = invert_pictures(editor, portrait)
    again = invert_pictures(editor, whole.crops[0], aligned=True)
    assert (again.crops == whole.crops).all()
    assert (again.w == whole.w).all()


def test_of_several_faces_the_largest_is_taken_or_the_one_that_is_asked_for(
    editor: VideoEditor, portrait: np.ndarray
) -> None:
    height, width = portrait.shape[:2]
    small = cv2.resize(portrait, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    both = np.zeros((height, width + width // 2, 3), np.uint8)
    both[:, width // 2 :], both[: height // 2, : width // 2] = portrait, small
    first, second = (invert_pictures(editor, both, person=i).faces[0] for i in (0, 1))
    assert first.box[0] > width // 2 > second.box[2]
    with pytest.raises(NoFaceFound, match="no face 7"):
        invert_pictures(editor, both, person=7)
    with pytest.raises(UsageError, match="person is -1; give a whole number from 0"):
        invert_pictures(editor, both, person=-1)


def test_pictures_that_fail_are_named_and_the_others_go_on(
    editor: VideoEditor, portrait: np.ndarray, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "b.png"), portrait[:, :, ::-1])
    cv2.imwrite(str(tmp_path / "c.png"), np.full((200, 200, 3), 90, np.uint8))
    (tmp_path / "a.jpg").write_text("nothing")
    tiny = cv2.resize(portrait, None, fx=0.03, fy=0.03, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "d.png"), cv2.copyMakeBorder(tiny, 0, 300, 0, 300, cv2.BORDER_CONSTANT)[:, :, ::-1])
    told: list[tuple[int, int]] = []
    codes = invert_pictures(editor, tmp_path, failures="keep", progress=lambda *done: told.append(done))
    assert [Path(name).name for name in codes.names] == ["b.png"]
    assert len(codes) == 1
    assert {Path(name).name for name in codes.failures} == {"a.jpg", "c.png", "d.png"}
    assert told[-1] == (4, 4)
    with pytest.raises(NoFaceFound, match=r"c\.png"):
        invert_pictures(editor, tmp_path / "c.png")


@pytest.mark.parametrize("method", ["image2stylegan"])
def test_every_picture_alone_gets_the_code_that_it_gets_among_others(tmp_path: Path, method: str) -> None:
    pack = write_toy_pack(tmp_path / "toy")
    crops = list(np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3)).astype(np.uint8))
    how = {"pack": pack, "method": method, "search": {"steps": 5}, "aligned": True, "precision": "fp32"}
    whole = vidinv.invert(crops, batch=2, **how)
    alone = vidinv.invert(crops[2], **how)
    assert np.allclose(whole.w[2], alone.w[0], atol=2e-3)
    assert whole.inverted["method"] == method
    assert whole.inverted["steps"] == 5
    assert vidinv.draw(whole, "smile=1", precision="fp32", pack=pack).shape == (3, 64, 64, 3)


def test_codes_of_another_pack_are_refused(editor: VideoEditor, tmp_path: Path) -> None:
    crop = np.zeros((64, 64, 3), np.uint8)
    codes = vidinv.invert(crop, pack=write_toy_pack(tmp_path / "toy"), aligned=True)
    with pytest.raises(UsageError, match="toy"):
        draw_codes(editor, codes)
