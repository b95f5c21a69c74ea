"""Every refusal through the command line: exit code, a message of one or two lines, no file left."""

import os
import shutil

import av
import numpy as np
import pytest

from tests.video.make import clip
from vidinv import errors


def refused(result, code: int, *said: str) -> None:
    assert result.exit_code == code, result.output
    lines = result.stderr.strip().splitlines()
    assert 1 <= len(lines) <= 2, result.stderr
    assert lines[0].startswith("error: ")
    for text in said:
        assert str(text) in result.stderr, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.fixture
def source(tmp_path):
    """Nobody is in it, but that shows at the end only."""
    return clip(tmp_path / "in.mp4", count=5)


@pytest.fixture
def run(invoke, toy_pack, tmp_path):
    """vidinv run with the toy pack; afterwards only the files of before are there."""

    def run(*args, edit="age=+1"):
        before = sorted(tmp_path.rglob("*"))
        result = invoke("run", *args, "--edit", edit, "--pack", toy_pack)
        assert sorted(tmp_path.rglob("*")) == before
        return result

    return run


def test_missing_file(run, tmp_path):
    path = tmp_path / "none.mp4"
    refused(run(path), errors.InputMissing.exit_code, f"{path} does not exist; check the name")


@pytest.mark.parametrize("content", [b"", b"no video at all " * 100])
def test_not_a_video(run, tmp_path, content):
    path = tmp_path / "text.mp4"
    path.write_bytes(content)
    refused(run(path), errors.NotAVideo.exit_code, path, "is not a video", "check the file")


def test_audio_only(run, tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as output:
        sound = output.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate = 48000
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    refused(run(tmp_path / "a.mp4"), errors.NoVideoStream.exit_code, "a.mp4 has no video stream", "audio aac", "name a")


def test_no_face_anywhere(run, source):
    refused(run(source), errors.NoFaceFound.exit_code, f"{source}: no face in any of 5 frames", "nothing to edit")


def test_unknown_edit_lists_the_known(run, source):
    refused(run(source, edit="beard=1"), errors.UnknownEdit.exit_code, "'beard'", "it knows age, smile")


@pytest.mark.parametrize(
    "edit", ["age=+-2", "age", "age=", "=2", "age=+2@3s-1s", "age=2x", "smile=+1y", "age=+90y", ""]
)
def test_malformed_strength(run, source, edit):
    refused(run(source, edit=edit), errors.MalformedEdit.exit_code)


@pytest.mark.parametrize(
    "args",
    [
        ("--person", "me"),
        ("--person", "-1"),
        ("--device", "abacus"),
        ("--precision", "fp8"),
        ("--batch", "0"),
        ("--codec", "h263000"),
        ("--preset", "warp"),
    ],
)
def test_requests_that_make_no_sense(run, source, args):
    refused(run(source, *args), errors.UsageError.exit_code)


@pytest.mark.parametrize("args", [("--composite", "glue"), ("--backend", "vlc"), ("--crf", "good"), ("--colour",)])
def test_options_that_are_none(run, source, args):
    result = run(source, *args)
    assert result.exit_code == errors.UsageError.exit_code
    assert args[0] in result.stderr


def test_output_equal_to_input(run, source):
    before = source.read_bytes()
    for extra in ((), ("--overwrite",)):
        refused(run(source, "-o", source, *extra), errors.OutputIsInput.exit_code, source, "choose another name")
    assert source.read_bytes() == before


def test_output_exists(run, source, tmp_path):
    for name, args in (("there.mp4", ("-o", tmp_path / "there.mp4")), ("in-edited.mp4", ())):
        (tmp_path / name).write_bytes(b"precious")
        refused(run(source, *args), errors.OutputExists.exit_code, tmp_path / name, "--overwrite")
        assert (tmp_path / name).read_bytes() == b"precious"


def test_a_failed_overwrite_keeps_the_old_file(run, source, tmp_path):
    (tmp_path / "there.mp4").write_bytes(b"precious")
    refused(run(source, "-o", tmp_path / "there.mp4", "--overwrite"), errors.NoFaceFound.exit_code)
    assert (tmp_path / "there.mp4").read_bytes() == b"precious"


def test_unwritable_folder(run, source, tmp_path):
    refused(run(source, "-o", tmp_path / "no" / "out.mp4"), errors.OutputUnwritable.exit_code, "create it first")
    if os.geteuid() == 0:  # root may write anywhere but here
        locked = "/proc"
        if not os.path.isdir(locked):
            pytest.skip("root may write anywhere")
    else:
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
    refused(run(source, "-o", f"{locked}/out.mp4"), errors.OutputUnwritable.exit_code, locked)


def test_unwritable_container(run, source, tmp_path):
    refused(run(source, "-o", tmp_path / "out.xyz"), errors.OutputUnwritable.exit_code, "out.xyz", ".mp4")


def test_report_paths_are_refused_before_the_work(run, source, tmp_path):
    (tmp_path / "there.json").write_text("precious")
    for path, said in [
        (tmp_path / "no" / "r.json", "create it first"),
        (source, "is the input itself"),
        (tmp_path / "out.mp4", "is the output video too"),
        (tmp_path, "is a folder"),
        (tmp_path / "there.json", "--overwrite"),
    ]:
        refused(run(source, "-o", tmp_path / "out.mp4", "--report", path), errors.OutputError.exit_code, path, said)
    assert (tmp_path / "there.json").read_text() == "precious"


def test_names_add_no_messages_of_their_own(invoke):
    result = invoke("run", "no\nwarning: all is well.mp4", "-e", "age=1")
    assert result.exit_code == errors.InputMissing.exit_code
    assert result.stderr.splitlines() == ["error: no\\nwarning: all is well.mp4 does not exist; check the name"]


def test_unknown_pack(invoke, source, tmp_path):
    result = invoke("run", source, "--edit", "age=1", "--pack", "nobody")
    refused(result, errors.UnknownPack.exit_code, "'nobody'", "installed packs are", "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.parametrize("file", ["generator", "encoder", "identity", "attributes", "directions", "pack.toml"])
def test_damaged_pack(invoke, source, toy_pack, tmp_path, file):
    pack = shutil.copytree(toy_pack, tmp_path / "pack")
    path = pack / (file if "." in file else f"{file}.safetensors")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    result = invoke("run", source, "--edit", "age=1", "--pack", pack)
    refused(result, errors.DamagedPack.exit_code, path, "reinstall the pack")
    path.unlink()
    assert invoke("run", source, "--edit", "age=1", "--pack", pack).exit_code == errors.PackError.exit_code
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "pack"]


def test_a_missing_extra(run, source, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ffmpeg", None)
    refused(run(source, "--backend", "ffmpeg"), errors.MissingExtra.exit_code, 'pip install "vidinv[ffmpeg]"')


def test_the_unexpected_is_one_line_and_with_v_a_traceback(invoke, source, toy_pack, monkeypatch):
    def fail(*args):
        raise ZeroDivisionError("by nothing\nat all")

    monkeypatch.setattr("vidinv.api.load_pack", fail)
    command = ("run", source, "--edit", "age=1", "--pack", toy_pack)
    refused(invoke(*command), 1, "unexpected ZeroDivisionError: by nothing; run again with -v")
    result = invoke(*command, "-v")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "at all" in result.stderr


def test_so_it_is_where_a_run_could_not_go_on(invoke, source, toy_pack, monkeypatch):
    """It may be a fault of what was saved, or of this program."""

    def fail(*args, **options):
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError as error:
            failed = errors.InputError("it cannot go on")
            failed.unforeseen = True
            raise failed from error

    monkeypatch.setattr("vidinv.api.VideoEditor.edit_video", fail)
    command = ("run", source, "--edit", "age=+1", "--pack", toy_pack)
    refused(invoke(*command), 3, "error: it cannot go on")
    told = invoke(*command, "-v")
    assert told.exit_code == 3
    assert "Traceback" in told.stderr
    assert "ZeroDivisionError: division by zero" in told.stderr


def test_every_exit_code_is_in_the_help(invoke):
    listed = {line.split()[0] for line in invoke("--help").stdout.splitlines() if line.strip()}
    codes = {error.exit_code for error in (errors.VidinvError, *errors.VidinvError.__subclasses__())}
    codes |= {0, errors.DAMAGED_INPUT_EXIT_CODE, errors.INTERRUPTED_EXIT_CODE}
    assert {str(code) for code in codes} <= listed


def test_a_message_about_a_very_long_text_has_its_ends(invoke, source):
    result = invoke("run", source, "--edit", "a" * 100_000)
    refused(result, 2, "error: cannot read the edit 'aaa", "[...]", "0:age=+2 (person 0 only)")
    assert len(result.stderr) < 2100


def test_a_person_of_5000_digits_is_nobody(invoke, source):
    refused(invoke("run", source, "--edit", "age=+1", "--person", "9" * 5000), 2, "cannot read the person '999")
