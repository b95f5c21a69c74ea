"""vidinv run and preview on a real face, through a pack that knows nothing."""

import json

import cv2
import pytest

from vidinv import errors
from vidinv.cli.files import default_output
from vidinv.video import Reader


def frames(path) -> int:
    with Reader(path) as reader:
        return sum(1 for _ in reader)


@pytest.fixture
def edit(invoke, toy_pack):
    return lambda command, *args: invoke(command, *args, "--edit", "age=+1@0s-1s", "--pack", toy_pack)


def test_a_video_is_edited_and_everything_is_said(edit, face_clip, tmp_path):
    out, report = tmp_path / "out.mp4", tmp_path / "r.json"
    result = edit("run", face_clip, "-o", out, "--report", report, "-v", "--batch", "4", "--person", "0")
    assert result.exit_code == 0, result.stderr
    assert frames(out) == frames(face_clip)
    for text in ("ms per item", "decode", "synthesise", "encode", "whole run", "identity over time", "person 0", "age"):
        assert text in result.stdout
    assert result.stdout.rstrip().endswith(str(out))
    assert "pack toy" in result.stderr
    told = json.loads(report.read_text())
    assert told["frames"] == frames(out)
    assert told["faces"] > 0
    assert set(told["identity_consistency"]) >= {"source", "inversion", "edited"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.mp4", "r.json"]


def test_an_expression_is_carried_over_and_what_is_held_is_told(invoke, toy_pack, face_clip, tmp_path):
    crops = [tmp_path / "a.png", tmp_path / "b.png"]
    with Reader(face_clip) as reader:
        for path, frame in zip(crops, list(reader)[::30], strict=False):
            cv2.imwrite(str(path), frame.image[..., ::-1])
    transfer, pack = ("--transfer", f"{crops[0]},{crops[1]}=0.5@0s-1s"), ("--pack", toy_pack)
    how = (*transfer, "--hold", "age", "--preset", "ultrafast")
    result = invoke("run", face_clip, "-o", tmp_path / "out.mp4", *how, *pack)
    assert result.exit_code == 0, result.stderr
    assert "held age" in result.stdout
    assert "b.png=+0.5@0s-1s: 50 frames" in result.stdout
    for wrong, words in ((("--hold", "glasses"), "age, smile"), ((), "--transfer")):
        some = transfer if wrong else ()
        result = invoke("run", face_clip, "-o", tmp_path / "no.mp4", *some, *wrong, *pack)
        assert result.exit_code == 2
        assert words in result.stderr


def test_quiet_says_nothing_and_overwrite_replaces(edit, face_clip, tmp_path):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"old")
    result = edit("run", face_clip, "-o", out, "-q", "--overwrite", "--composite", "replace", "--preset", "ultrafast")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert frames(out) == frames(face_clip)


def test_a_person_who_is_not_there(edit, face_clip, tmp_path):
    result = edit("run", face_clip, "-o", tmp_path / "out.mp4", "--person", "7")
    assert result.exit_code == errors.NoFaceFound.exit_code
    assert "the persons are 0" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_video_is_kept_and_its_loss_said_in_frames(edit, face_clip, tmp_path):
    source, out = tmp_path / "cut.mp4", tmp_path / "out.mp4"
    source.write_bytes(face_clip.read_bytes()[: face_clip.stat().st_size * 6 // 10])
    result = edit("run", source, "-o", out)
    assert result.exit_code == errors.DAMAGED_INPUT_EXIT_CODE, result.stderr
    kept = frames(out)
    lost = frames(face_clip) - kept
    assert 0 < lost < frames(face_clip)
    assert "warning: the input is damaged" in result.stderr
    assert f"{out} holds the {kept} frames that could be decoded; {lost} are lost" in result.stderr


def test_a_preview_is_one_png(edit, face_clip, tmp_path):
    out = tmp_path / "p.png"
    result = edit("preview", face_clip, "--at", "0.5s", "-o", out)
    assert (result.exit_code, result.stdout) == (0, f"{out}\n"), result.stderr
    assert cv2.imread(str(out)).shape == (180, 3 * 180 + 320, 3)
    assert edit("preview", face_clip, "-o", out).exit_code == errors.OutputExists.exit_code
    assert edit("preview", face_clip, "-o", out, "--overwrite", "-q").stdout == ""
    assert [p.name for p in tmp_path.iterdir()] == ["p.png"]


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--at", "soon"), errors.UsageError.exit_code, "cannot read the time 'soon'"),
        (("--at", "1.5s"), errors.NoFaceFound.exit_code, "choose another time"),
        (("-o", "p.jpg"), errors.OutputUnwritable.exit_code, "ends in .png"),
        (("-o", "no/p.png"), errors.OutputUnwritable.exit_code, "create it first"),
    ],
)
def test_previews_that_cannot_be(edit, face_clip, tmp_path, monkeypatch, args, code, said):
    monkeypatch.chdir(tmp_path)
    result = edit("preview", face_clip, "-o", "p.png", *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "output"),
    [("a.mp4", "a-edited.mp4"), ("a.MOV", "a-edited.MOV"), ("a.avi", "a-edited.mp4"), ("a", "a-edited.mp4")],
)
def test_the_default_name_lies_beside_the_input(tmp_path, name, output):
    assert default_output(tmp_path / name) == tmp_path / output
