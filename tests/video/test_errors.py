"""Every refusal has its type and says what to do; whatever happens, no half file is left."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from tests.video.make import clip
from vidinv.errors import (
    DiskFull,
    InputMissing,
    NotAVideo,
    NoVideoStream,
    OutputExists,
    OutputIsInput,
    OutputUnwritable,
    UnsupportedColour,
    UsageError,
)
from vidinv.types import Frame
from vidinv.video import EncoderSettings, Reader, Writer, check_output, probe

REPOSITORY = Path(__file__).resolve().parents[2]


def test_missing_file(tmp_path):
    with pytest.raises(InputMissing, match="does not exist"):
        Reader(tmp_path / "none.mp4")


@pytest.mark.parametrize("name", ["text.mp4", "empty.mp4", "folder"])
def test_not_a_video(tmp_path, name):
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"no video at all " * 100 if name == "text.mp4" else b"")
    with pytest.raises(NotAVideo):
        Reader(path)


def test_a_still_picture_is_not_a_video(tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(NotAVideo, match="still"):
        Reader(tmp_path / "a.png")


def test_audio_alone_has_no_video(tmp_path):
    with av.open(str(tmp_path / "a.m4a"), "w") as output:
        sound = output.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate = 48000
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    with pytest.raises(NoVideoStream, match="audio aac"):
        Reader(tmp_path / "a.m4a")


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_is_refused_with_the_next_step(tmp_path, transfer):
    path = clip(tmp_path / "in.mp4", colour=(9, transfer, 9, 1), pix_fmt="yuv420p10le", audio=(), count=3)
    with pytest.raises(UnsupportedColour, match="SDR"):
        Reader(path)


@pytest.mark.parametrize(("suffix", "keep"), [("mp4", 0.6), ("mkv", 0.5)])
def test_a_truncated_file_gives_what_it_has_and_says_what_is_missing(tmp_path, suffix, keep):
    how = {"container_options": {"movflags": "+faststart"}} if suffix == "mp4" else {}
    whole = clip(tmp_path / f"in.{suffix}", size=(320, 240), count=100, **how)
    whole.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * keep)])
    with Reader(whole) as reader:
        frames = list(reader)
    assert 20 < len(frames) < 100
    assert abs(reader.damage.frames_lost - (100 - len(frames))) <= (0 if suffix == "mp4" else 3)
    assert "lost" in str(reader.damage)
    with Reader(whole) as reader, Writer(tmp_path / f"out.{suffix}", reader.info) as writer:
        for frame in reader:
            writer.write(frame)
    assert len(list(Reader(tmp_path / f"out.{suffix}"))) == len(frames)


def test_a_hole_in_the_middle_is_stepped_over(tmp_path):
    path = clip(tmp_path / "in.mp4", size=(320, 240), count=100, options={"g": "10", "crf": "10"}, audio=())
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20000] = os.urandom(20000)
    path.write_bytes(data)
    with Reader(path) as reader:
        frames = list(reader)
    assert reader.damage is not None
    assert frames[-1].time > 3.5
    assert reader.damage.frames_lost == 100 - len(frames)


def test_an_undamaged_file_is_not_called_damaged(tmp_path):
    for suffix in ("mp4", "mkv", "ts"):
        with Reader(clip(tmp_path / f"in.{suffix}")) as reader:
            list(reader)
        assert reader.damage is None


def test_outputs_that_cannot_be(tmp_path):
    src = clip(tmp_path / "in.mp4", count=3)
    (tmp_path / "there.mp4").write_bytes(b"precious")
    (tmp_path / "soft.mp4").symlink_to(src)
    os.link(src, tmp_path / "hard.mp4")
    for name, error in [
        ("there.mp4", OutputExists),
        ("in.mp4", OutputIsInput),
        ("soft.mp4", OutputIsInput),
        ("hard.mp4", OutputIsInput),
        ("no/such/folder.mp4", OutputUnwritable),
        ("odd.xyz", OutputUnwritable),
        ("nothing", OutputUnwritable),
    ]:
        for check in (
            lambda dst: check_output(src, dst),
            lambda dst: Writer(dst, probe(src)),
        ):
            with pytest.raises(error):
                check(tmp_path / name)
    with pytest.raises(OutputIsInput):
        check_output(src, tmp_path / "hard.mp4", overwrite=True)
    check_output(src, tmp_path / "there.mp4", overwrite=True)
    assert (tmp_path / "there.mp4").read_bytes() == b"precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["hard.mp4", "in.mp4", "soft.mp4", "there.mp4"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path):
    src = clip(tmp_path / "in.mp4", count=3)
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputUnwritable, match="permission"):
        check_output(src, tmp_path / "locked" / "out.mp4")


def test_a_stream_the_container_refuses_is_named_before_the_work(tmp_path):
    src = clip(tmp_path / "in.mkv", subtitles="subrip", count=3)
    with pytest.raises(OutputUnwritable, match=r"subtitle subrip.*\.mkv instead"):
        check_output(src, tmp_path / "out.mp4")
    with pytest.raises(OutputUnwritable, match="subrip"):
        Writer(tmp_path / "out.mp4", probe(src))
    assert [p.name for p in tmp_path.iterdir()] == ["in.mkv"]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (EncoderSettings(codec="h263000"), UsageError),
        (EncoderSettings(preset="warp"), UsageError),
        (EncoderSettings(codec="libvpx-vp9"), None),
    ],
)
def test_unknown_encoders_list_what_there_is(tmp_path, settings, error):
    info = probe(clip(tmp_path / "in.mp4", count=3, audio=()))
    if error is None:
        with pytest.raises(OutputUnwritable, match="cannot carry"):
            Writer(tmp_path / "out.webm", info, EncoderSettings(codec="libx264"))
    else:
        with pytest.raises(error, match="there are"):
            Writer(tmp_path / "out.mp4", info, settings)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path):
    src = clip(tmp_path / "in.mp4")
    dst = tmp_path / "out.mp4"
    dst.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="mine"), Reader(src) as reader:  # noqa: PT012, SIM117
        with Writer(dst, reader.info, overwrite=True) as writer:
            for frame in reader:
                writer.write(frame)
                if frame.index == 10:
                    assert any(p.name.startswith(".out.mp4.") for p in tmp_path.iterdir())
                    raise RuntimeError("mine")
    assert dst.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


def test_no_frame_no_file(tmp_path):
    info = probe(clip(tmp_path / "in.mp4", count=3))
    with pytest.raises(OutputUnwritable, match="nothing to write"), Writer(tmp_path / "out.mp4", info):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_wrong_size_and_wrong_order_are_refused(tmp_path):
    info = probe(clip(tmp_path / "in.mp4", count=3))
    good = Frame(np.zeros((96, 128, 3), np.uint8), 0, 0)
    with pytest.raises(OutputUnwritable, match="keep the size"), Writer(tmp_path / "out.mp4", info) as writer:
        writer.write(replace(good, image=good.image[:50]))
    with pytest.raises(OutputUnwritable, match="not later"), Writer(tmp_path / "out.mp4", info) as writer:  # noqa: PT012
        writer.write(good)
        writer.write(good)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    """A limit on file size stands in for the disk: the same failing write, in a process of its own."""
    src = clip(tmp_path / "in.mp4", size=(320, 240), count=60)
    code = f"""
import resource
from vidinv.video import Reader, Writer, EncoderSettings
from vidinv.errors import DiskFull
resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))
try:
    with Reader({str(src)!r}) as r, Writer({str(tmp_path / "out.mp4")!r}, r.info, EncoderSettings(crf=1)) as w:
        for f in r:
            w.write(f)
except DiskFull as error:
    print("full:", error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert "would need a file larger than is allowed there" in done.stdout, done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_no_space_maps_to_disk_full():
    from vidinv.video.output import write_error

    assert isinstance(write_error(OSError(28, "No space left on device"), Path("out.mp4")), DiskFull)


def test_av_is_imported_in_one_place():
    importers = {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "vidinv").rglob("*.py")
        for line in path.read_text().splitlines()
        if line.strip().startswith(("import av", "from av"))
    }
    assert importers == {"vidinv/video/container.py"}
