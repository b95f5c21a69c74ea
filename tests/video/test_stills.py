"""Still pictures come as they are meant to be seen, whatever their file makes of it."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from vidinv.errors import InputError, InputMissing, NotAPicture
from vidinv.video import stills
from vidinv.video.stills import BEHIND, STRUCTURE, pictures_in, read_picture, read_still, write_still

RED, GREEN = (255, 0, 0), (0, 255, 0)


def two_halves() -> Image.Image:
    """Red on the left, green on the right, 40 x 20."""
    picture = Image.new("RGB", (40, 20), RED)
    picture.paste(GREEN, (20, 0, 40, 20))
    return picture


def test_a_picture_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be seen turned clockwise by a quarter
    two_halves().save(tmp_path / "a.png", exif=exif)
    picture = read_picture(tmp_path / "a.png")
    assert picture.shape == (40, 20, 3)
    assert tuple(picture[0, 0]) == RED
    assert tuple(picture[-1, 0]) == GREEN


def test_grey_becomes_rgb(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 77).save(tmp_path / "a.png")
    assert (read_picture(tmp_path / "a.png") == 77).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_shows_mid_grey_and_not_what_lies_hidden_there(tmp_path: Path, mode: str) -> None:
    picture = Image.new("RGBA", (8, 8), (*RED, 0))
    picture.paste((255, 255, 255, 255), (4, 0, 8, 8))
    picture.convert(mode).save(tmp_path / "a.png", **({"transparency": 0} if mode == "P" else {}))
    read = read_picture(tmp_path / "a.png")
    assert tuple(read[0, 7]) == (255, 255, 255)
    if mode != "P":
        assert tuple(read[0, 0]) == BEHIND


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3)])
def test_of_sixteen_bits_the_upper_eight_remain(tmp_path: Path, shape: tuple[int, ...]) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full(shape, 200 * 257, np.uint16))
    assert (np.abs(read_picture(tmp_path / "a.png").astype(int) - 200) <= 1).all()


def test_a_name_beyond_ascii_is_read(tmp_path: Path) -> None:
    two_halves().save(tmp_path / "ä 東京.png")
    assert read_picture(tmp_path / "ä 東京.png").shape == (20, 40, 3)


def test_what_is_no_picture_is_named_with_the_cause(tmp_path: Path) -> None:
    two_halves().save(tmp_path / "whole.jpg", quality=95)
    data = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    for name in ("half.jpg", "text.jpg", "empty.png"):
        with pytest.raises(NotAPicture, match=name):
            read_picture(tmp_path / name)
    with pytest.raises(InputMissing, match=r"gone\.jpg"):
        read_picture(tmp_path / "gone.jpg")


def test_of_a_folder_its_pictures_are_taken_by_name(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "c.txt"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "inner").mkdir()
    assert [p.name for p in pictures_in([tmp_path])] == ["a.png", "b.JPG"]
    with pytest.raises(InputError, match="no picture"):
        pictures_in([tmp_path / "inner"])


def test_levels_without_a_known_white_are_refused_and_not_guessed(tmp_path: Path) -> None:
    for name, kind in (("float.tif", np.float32), ("small.tif", np.int32)):
        Image.fromarray(np.full((8, 8), 100, kind)).save(tmp_path / name)
        with pytest.raises(NotAPicture, match="which of them is white"):
            read_picture(tmp_path / name)


def test_what_a_tiff_says_of_the_picture_goes_along_and_what_of_its_file_does_not(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x010F] = 6, "two halves", "a camera"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    exif.get_ifd(0x8825)[1] = "N"
    two_halves().save(tmp_path / "a.tif", exif=exif.tobytes())
    still = read_still(tmp_path / "a.tif")
    assert still.image.shape == (40, 20, 3)
    for name in ("b.jpg", "b.png", "b.webp"):
        write_still(tmp_path / name, still.image, still)
        with Image.open(tmp_path / name) as again:
            told = again.getexif()
            assert (told[0x010E], told[0x010F]) == ("two halves", "a camera")
            assert told.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
            assert told.get_ifd(0x8825)[1] == "N"
            assert not told.keys() & (STRUCTURE | {0x0112})


@pytest.mark.parametrize("ending", [".png", ".webp", ".tif", ".gif"])
def test_a_file_of_several_pictures_is_refused(tmp_path: Path, ending: str) -> None:
    first = two_halves()
    path = tmp_path / f"a{ending}"
    first.save(path, save_all=True, append_images=[first.rotate(180)], duration=100)
    with pytest.raises(InputError, match="holds 2 pictures: it is animated"):
        read_picture(path)
    first.save(path)
    assert read_picture(path).shape == (20, 40, 3)


def test_what_a_camera_adds_to_a_jpeg_makes_no_animation_of_it(tmp_path: Path) -> None:
    two_halves().save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[two_halves()])
    assert read_picture(tmp_path / "a.jpg").shape == (20, 40, 3)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "LA", "CMYK", "I;16"])
@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif"])
def test_a_picture_that_faces_are_looked_for_in_is_shrunk_where_it_is_very_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, ending: str
) -> None:
    monkeypatch.setattr(stills, "MOST_LOOKED_AT", 60 * 40)
    ramp = np.repeat(np.linspace(0, 255, 240).astype(np.uint8)[None], 160, 0)
    picture = Image.fromarray(ramp)
    picture = Image.fromarray(ramp.astype(np.uint16) * 257) if mode == "I;16" else picture.convert("RGB").convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    try:
        picture.save(tmp_path / f"large{ending}", exif=exif)
    except (OSError, KeyError):
        pytest.skip(f"{ending} does not hold {mode}")
    small, whole = read_picture(tmp_path / f"large{ending}"), read_still(tmp_path / f"large{ending}").image
    assert whole.shape == (240, 160, 3)
    assert small.shape == (60, 40, 3), "turned like the whole one"
    if mode != "1":
        assert whole[0].max() <= 60, "and not scrambled"
        assert whole[-1].min() >= 195
    if mode not in ("1", "P"):  # of dots and of numbered colours single ones are taken
        assert np.abs(small.astype(int) - whole.reshape(60, 4, 40, 4, 3).mean((1, 3))).max() <= 6
    assert np.array_equal(read_picture(tmp_path / f"large{ending}"), small)


def test_what_is_large_but_not_very_is_looked_at_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stills, "MOST_LOOKED_AT", 60 * 40)
    Image.new("RGB", (60, 40)).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png").shape == (40, 60, 3)


@pytest.mark.parametrize("kind", ["pipe", "device", "EPS", "EPS in IPTC"])
def test_pipes_devices_and_programs_are_no_pictures(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    if kind == "pipe":
        os.mkfifo(path)  # which nobody writes to: who waits for it waits for ever
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_: pytest.fail("a program was asked for pixels"))
        two_halves().save(path, "EPS")
    if kind == "EPS in IPTC":
        told = {(3, 20): b"\x28", (3, 30): b"\x14", (3, 60): b"\1\0", (3, 120): b"\5", (8, 10): path.read_bytes()}
        sizes = {at: b"\x84\0" + len(data).to_bytes(4, "big") for at, data in told.items()}
        path.write_bytes(b"".join(bytes([0x1C, *at]) + sizes[at] + data for at, data in told.items()))
    with pytest.raises(NotAPicture, match=r"is no picture|a device or a pipe; write the"):
        read_picture(path)


@pytest.mark.parametrize("kind", ["TGA", "ICO", "SGI", "QOI", "PCX", "DDS"])
def test_pixels_are_read_in_formats_that_have_no_name_here(tmp_path: Path, kind: str) -> None:
    two_halves().save(tmp_path / "a.picture", kind)
    assert np.ptp(read_picture(tmp_path / "a.picture")) > 100


def test_what_a_program_taught_pillow_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.heic").write_bytes(b"ours")
    monkeypatch.setattr(Image, "ID", [*Image.ID, "HEIF"])
    opened = lambda file, name: two_halves()  # noqa: E731
    monkeypatch.setitem(Image.OPEN, "HEIF", (opened, lambda head: head == b"ours"))
    assert np.array_equal(read_picture(tmp_path / "a.heic"), np.asarray(two_halves()))
