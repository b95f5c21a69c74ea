"""A picture is edited in place: what is not the face, and what the file carries, stays as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import vidinv
from tests.toy import write_toy_pack
from vidinv.api import VideoEditor
from vidinv.errors import NoFaceFound, NotAPicture, OutputError, UsageError
from vidinv.stages.decode import decode
from vidinv.still_edits import edit_still
from vidinv.stills import draw_codes, invert_pictures
from vidinv.video.stills import read_picture, read_still, write_still

SAMPLE = Path(__file__).resolve().parents[1] / "assets" / "sample.mp4"


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> VideoEditor:
    return VideoEditor(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"))


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return next(decode(SAMPLE)).image


def test_the_face_is_edited_and_the_rest_untouched(editor: VideoEditor, portrait: np.ndarray, tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a portrait"  # to be seen turned clockwise by a quarter
    lying = Image.fromarray(portrait).transpose(Image.Transpose.ROTATE_90)
    lying.save(tmp_path / "a.png", exif=exif, icc_profile=profile)
    done = edit_still(editor, tmp_path / "a.png", tmp_path / "b.png", "0:age=+2", composite="replace")
    out = read_still(tmp_path / "b.png")
    assert out.image.shape == portrait.shape
    assert (out.profile, out.exif[0x010E], out.exif.get(0x0112, 1)) == (profile, "a portrait", 1)
    changed = (out.image != portrait).any(2)
    assert 0.01 < changed.mean() < 0.6
    assert not changed[:, :8].any()
    assert done.persons == {0: None}
    assert np.array_equal(done.picture, out.image)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("ending", [".png", ".webp"])
def test_transparency_and_what_lies_hidden_in_it_are_kept(tmp_path: Path, ending: str) -> None:
    rng = np.random.default_rng(0)
    layers = rng.integers(0, 256, (16, 16, 4), np.uint8)
    layers[..., :3] //= 2
    layers[8:, :, 3] = 255
    Image.fromarray(layers).save(tmp_path / "a.png")
    still = read_still(tmp_path / "a.png")
    image = still.image.copy()
    image[12, 3] += 40
    write_still(tmp_path / f"b{ending}", image, still)
    written = np.array(Image.open(tmp_path / f"b{ending}"))
    changed = (written != layers).any(2)
    assert np.argwhere(changed).tolist() == [[12, 3]]
    assert np.array_equal(written[12, 3, :3], layers[12, 3, :3] + 40)


def test_sixteen_bits_are_written_as_their_upper_eight(tmp_path: Path) -> None:
    Image.fromarray((np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)).save(tmp_path / "a.png")
    still = read_still(tmp_path / "a.png")
    write_still(tmp_path / "b.png", still.image, still)
    assert np.array_equal(read_picture(tmp_path / "b.png")[..., 0].ravel(), np.arange(256))


def test_a_jpeg_is_nearly_what_it_was(tmp_path: Path, portrait: np.ndarray) -> None:
    Image.fromarray(portrait).save(tmp_path / "a.png")
    still = read_still(tmp_path / "a.png")
    write_still(tmp_path / "b.JPG", still.image, still)
    assert np.abs(read_picture(tmp_path / "b.JPG").astype(int) - portrait).mean() < 2


@pytest.mark.parametrize(
    ("target", "edit", "error", "says"),
    [
        ("b.png", "age=0@0s..+3@4s", UsageError, "a picture has no time"),
        ("b.png", "age=1@1s-2s", UsageError, "a picture has no time"),
        ("b.png", "3:age=1", NoFaceFound, "person 3 was never seen"),
        ("b.gif", "age=1", OutputError, "no picture is written as .gif"),
        ("b.jpg", "age=1", OutputError, "JPEG cannot be"),
        ("a.png", "age=1", OutputError, "input itself"),
        ("there.png", "age=1", OutputError, "exists"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    editor: VideoEditor, portrait: np.ndarray, tmp_path: Path, target: str, edit: str, error: type, says: str
) -> None:
    Image.fromarray(portrait).convert("RGBA").save(tmp_path / "a.png")
    (tmp_path / "there.png").write_bytes(b"old")
    with pytest.raises(error, match=says):
        edit_still(editor, tmp_path / "a.png", tmp_path / target, edit)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "there.png"]


def test_what_is_no_picture(editor: VideoEditor, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("nothing")
    with pytest.raises(NotAPicture):
        edit_still(editor, tmp_path / "a.jpg", tmp_path / "b.jpg", "age=1")
    Image.new("RGB", (64, 64)).save(tmp_path / "c.png")
    with pytest.raises(NoFaceFound, match="no face in it"):
        edit_still(editor, tmp_path / "c.png", tmp_path / "b.png", "age=1")


def test_curves_mean_nothing_to_codes_either(editor: VideoEditor, portrait: np.ndarray) -> None:
    codes = invert_pictures(editor, portrait)
    with pytest.raises(UsageError, match="a picture has no time"):
        draw_codes(editor, codes, "age=1@1s-2s")
    with pytest.raises(UsageError, match="no picture of anna"):
        draw_codes(editor, codes, "anna:age=1")


def test_it_is_one_call(editor: VideoEditor, portrait: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(portrait).save(tmp_path / "a.png")
    done = vidinv.edit_picture(tmp_path / "a.png", tmp_path / "b.webp", "age=+2", pack=editor.pack.folder)
    assert done.output == tmp_path / "b.webp"
    assert np.array_equal(read_picture(done.output), done.picture)
