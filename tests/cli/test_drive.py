"""vidinv run --drive on a real face, through a pack that knows nothing."""

import pytest

from vidinv import errors
from vidinv.video import Reader


def frames(path) -> int:
    with Reader(path) as reader:
        return sum(1 for _ in reader)


@pytest.mark.slow
def test_a_face_drives_itself_beside_an_edit(invoke, face_clip, toy_pack, tmp_path):
    out = tmp_path / "out.mp4"
    driver = ("--drive", face_clip, "--neutral", "0.5s", "--edit", "age=+1")
    result = invoke("run", face_clip, *driver, "-o", out, "--pack", toy_pack, "--person", "0")
    assert result.exit_code == 0, result.stderr
    assert frames(out) == frames(face_clip)
    assert f"0:drive={face_clip.name}" in "".join(result.stdout.split())


def test_what_cannot_be_driven_leaves_nothing(invoke, face_clip, toy_pack, tmp_path):
    out = tmp_path / "out.mp4"
    for options, told, code in (
        ((), "--edit NAME=STRENGTH", errors.UsageError.exit_code),
        (("--edit", "age=+1", "--neutral", "1s"), "--drive DRIVER.mp4 with it", errors.UsageError.exit_code),
        (("--drive", tmp_path / "no.csv"), "no.csv cannot be read", errors.InputMissing.exit_code),
        (("--drive", face_clip, "--neutral", "1h"), "cannot read the time", errors.UsageError.exit_code),
    ):
        result = invoke("run", face_clip, *options, "-o", out, "--pack", toy_pack)
        assert result.exit_code == code, result.stderr
        assert told in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []
