"""vidinv invert and vidinv mix on still pictures of a real face, through a pack that knows nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import vidinv
from tests.toy import add_toy_domain_encoder, write_toy_pack
from vidinv.stages.decode import decode
from vidinv.video import Reader


@pytest.fixture
def pictures(face_clip, tmp_path):
    """A folder with two faces, one grey, and two files that give no code."""
    folder = tmp_path / "in"
    folder.mkdir()
    picture = next(decode(face_clip)).image[:, :, ::-1]
    cv2.imwrite(str(folder / "a.jpg"), picture)
    cv2.imwrite(str(folder / "b.png"), cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
    cv2.imwrite(str(folder / "nobody.png"), np.full_like(picture, 90))
    (folder / "text.jpg").write_text("nothing")
    return folder


def test_a_folder_is_inverted_and_what_gave_no_code_is_said(invoke, toy_pack, pictures, tmp_path):
    out = tmp_path / "codes"
    result = invoke("invert", pictures, "-o", out, "--pack", toy_pack)
    assert result.exit_code == 10, result.stderr
    assert result.stdout.rstrip().endswith(str(out))
    assert "a.jpg" in result.stdout
    for name, reason in (("nobody.png", "no face"), ("text.jpg", "no picture")):
        line = next(line for line in result.stderr.splitlines() if name in line)
        assert reason in line
    assert vidinv.read_codes(out).names == ("a.jpg", "b.png")
    assert {path.name for path in out.glob("*.png")} == {"00000-a.png", "00001-b.png"}


def test_a_search_takes_its_options(invoke, toy_pack, pictures, tmp_path):
    how = ("--method", "image2stylegan", "--space", "w", "--steps", "3", "--start", "random", "--seed", "4")
    result = invoke("invert", pictures / "a.jpg", "-o", tmp_path / "codes", "--pack", toy_pack, *how)
    assert result.exit_code == 0, result.stderr
    told = vidinv.read_codes(tmp_path / "codes").inverted
    assert (told["method"], told["space"], told["steps"], told["start"], told["seed"]) == (
        "image2stylegan", "w", 3, "random", 4,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("a.jpg", "clip.mp4"), "one video alone"),
        (("a.jpg", "--no-features"), "for videos"),
        (("a.jpg", "--method", "image2stylegan", "--warm-steps", "3"), "have one before them"),
        (("clip.mp4", "--person", "1"), "for pictures"),
        (("nobody.png",), "no face"),
        (("a.jpg", "--person", "3"), "no face 3"),
        (("a.jpg", "--method", "in-domain"), "domain_encoder"),
        (("gone.jpg",), "does not exist"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_nothing(invoke, toy_pack, pictures, face_clip, tmp_path, args, words):
    paths = [face_clip if arg == "clip.mp4" else pictures / arg if "." in arg else arg for arg in args]
    result = invoke("invert", *paths, "-o", tmp_path / "codes", "--pack", toy_pack)
    assert result.exit_code in (2, 3, 5)
    assert words in result.stderr
    assert not (tmp_path / "codes").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_two_faces_are_mixed(invoke, pictures, tmp_path):
    pack = add_toy_domain_encoder(write_toy_pack(tmp_path / "toy"))
    two = (pictures / "a.jpg", pictures / "b.png", "--pack", pack)
    for name, how, width in (
        ("fine.png", ("--layers", "fine"), 64),
        ("eyes.png", ("--diffuse", "eyes", "--steps", "2", "--sheet"), 4 * 64),
    ):
        result = invoke("mix", *two, "-o", tmp_path / name, *how)
        assert result.exit_code == 0, result.stderr
        assert cv2.imread(str(tmp_path / name)).shape == (64, width, 3)
    wrong = (
        (("--layers", "medium"), "coarse"),
        (("--diffuse", "nose"), "lower"),
        (("--layers", "fine", "--diffuse", "eyes"), "two ways"),
        (("--sheet",), "a grid"),
        (("--steps", "3"), "--diffuse"),
    )
    for how, words in wrong:
        result = invoke("mix", *two, "-o", tmp_path / "no.png", *how)
        assert result.exit_code == 2
        assert words in result.stderr
    assert not (tmp_path / "no.png").exists()


def test_a_picture_is_edited_by_run(invoke, toy_pack, pictures, tmp_path):
    face = ("--face", f"anna={pictures / 'a.jpg'}", "--face", f"anna={pictures / 'b.png'}", "--person", "anna")
    result = invoke("run", pictures / "a.jpg", "-e", "age=+1", "--pack", toy_pack, *face)
    assert result.exit_code == 0, result.stderr
    assert "anna:age=+1: persons 0 (anna)" in result.stdout
    assert result.stdout.rstrip().endswith("a-edited.jpg")
    assert (pictures / "a-edited.jpg").stat().st_size > 1000


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--report", "r.json"), "--report is for videos"),
        (("--keep-codes", "c"), "--keep-codes is for videos"),
        (("--crf", "20"), "--crf is for videos"),
        (("--crf", "0"), "--crf is for videos"),
        (("-e", "age=1@1s-2s"), "a picture has no time"),
        (("-o", "out.mp4"), "no picture is written as .mp4"),
        (("-e", "bob:age=1"), "no picture of bob was given, none is"),
        (("--person", "bob"), "a name of a --face"),
        (("--face", "bob"), "write NAME=PICTURE"),
        (("--face", "all=a.jpg"), "write NAME=PICTURE"),
        (("--face", "bob=gone.jpg"), "picture of bob, does not exist"),
        (("--face", "bob=nobody.png"), "the face of bob: nobody.png: no face"),
    ],
)
def test_run_refuses_what_is_not_for_pictures(invoke, toy_pack, pictures, monkeypatch, args, words):
    monkeypatch.chdir(pictures)
    before = sorted(pictures.iterdir())
    edit = () if "-e" in args else ("-e", "age=1")
    result = invoke("run", "a.jpg", "--pack", toy_pack, *edit, *args)
    assert result.exit_code not in (0, 1)
    assert words in result.stderr
    assert sorted(pictures.iterdir()) == before


def test_names_of_a_video_are_in_its_summary(invoke, toy_pack, face_clip, pictures, tmp_path):
    where = ("-o", tmp_path / "out.mp4", "--pack", toy_pack, "--preset", "ultrafast")
    result = invoke("run", face_clip, "--face", f"anna={pictures / 'a.jpg'}", "-e", "anna:age=0@0s..+1@1s", *where)
    assert result.exit_code == 0, result.stderr
    assert "ids of persons: 0 (anna)" in result.stdout


def test_without_further_words_all_faces_are_mixed_with_all(invoke, pictures, toy_pack, tmp_path):
    three = (pictures / "a.jpg", pictures / "b.png", pictures / "a.jpg")
    out = tmp_path / "grid.png"
    result = invoke("mix", *three[:2], "-o", out, "--pack", toy_pack)
    assert result.exit_code == 0, result.stderr
    assert cv2.imread(str(out)).shape == (3 * 64, 3 * 64, 3)
    for args, words in ((three[:1], "another"), ((*three, "--layers", "fine"), "two pictures")):
        result = invoke("mix", *args, "-o", tmp_path / "no.png", "--pack", toy_pack)
        assert result.exit_code == 2
        assert words in result.stderr


def test_a_morph_of_two_pictures_is_a_video(invoke, pictures, toy_pack, tmp_path):
    out = tmp_path / "m.mp4"
    two = (pictures / "a.jpg", pictures / "b.png", "--pack", toy_pack)
    result = invoke("morph", *two, "-o", out, "--seconds", "0.2", "--rate", "10", "--loop")
    assert result.exit_code == 0, result.stderr
    assert "4 frames" in result.stdout
    with Reader(out) as reader:
        assert sum(1 for _ in reader) == 4
    assert invoke("morph", *two, "-o", out).exit_code == 4
    assert invoke("morph", pictures / "a.jpg", "-o", tmp_path / "no.mp4").exit_code == 2


def test_of_a_folder_every_picture_is_taken(invoke, pictures, toy_pack, tmp_path):
    for name in ("nobody.png", "text.jpg"):
        (pictures / name).unlink()
    out = tmp_path / "grid.png"
    result = invoke("mix", pictures, "-o", out, "--pack", toy_pack)
    assert result.exit_code == 0, result.stderr
    assert cv2.imread(str(out)).shape == (3 * 64, 3 * 64, 3)
    short = ("--seconds", "0.2", "--rate", "10", "--pack", toy_pack)
    result = invoke("morph", pictures, "-o", tmp_path / "m.mp4", *short)
    assert result.exit_code == 0, result.stderr
    assert "3 frames" in result.stdout
    own = invoke("mix", pictures, "-o", pictures / "b.png", "--overwrite", "--pack", toy_pack)
    assert own.exit_code == 4
    assert "the input itself" in own.stderr
    for i in range(11):
        (pictures / f"c{i}.png").write_bytes(b"")
    many = invoke("mix", pictures, "-o", tmp_path / "no.png", "--pack", toy_pack)
    assert many.exit_code == 2
    assert "there are 13 pictures, and a grid has at most 12" in many.stderr
