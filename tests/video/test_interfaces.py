"""Seeking, and one set of tests for every way of writing, wherever it is installed."""

import importlib.util
import shutil
import sys
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.video.make import clip, other_packets, psnr
from vidinv.errors import InputMissing, MissingExtra, OutputExists, OutputIsInput, OutputUnwritable, UsageError
from vidinv.video import EncoderSettings, Reader, Writer, frame_at, probe
from vidinv.video.encoder import CODECS, encoder_options
from vidinv.video.pixels import RgbConverter


def _installed(*names):
    missing = [n for n in names if importlib.util.find_spec(n) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


_ffmpeg_writer = partial(Writer, backend="ffmpeg")


writers = pytest.mark.parametrize(
    "make",
    [
        pytest.param(Writer, id="pyav"),
        pytest.param(
            _ffmpeg_writer,
            id="ffmpeg",
            marks=[
                _installed("ffmpeg"),
                pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no program called ffmpeg"),
            ],
        ),
    ],
)


@pytest.mark.parametrize("index", [0, 1, 13, 37, 59])
def test_seeking_gives_the_frame_of_that_number(tmp_path, index):
    path = clip(tmp_path / "in.mp4", count=60, options={"g": "12", "crf": "12"}, colour=(1, 1, 1, 1))
    with Reader(path) as reader:
        frames = list(reader)
    for seconds in (frames[index].time, frames[index].time + Fraction(1, 50)):
        found = frame_at(path, seconds)
        assert (found.index, found.pts, found.time) == (index, frames[index].pts, frames[index].time)
        assert psnr(found.image, frames[index].image) > 60


def test_seeking_in_avi_gives_the_picture_that_reading_gives_at_that_time(tmp_path):
    """Pictures that follow a key picture and are shown before it cannot be decoded behind a seek."""
    options = {"bf": "2", "g": "12", "qscale": "2", "flags": "+qscale"}
    path = clip(tmp_path / "in.avi", codec="mpeg4", options=options, time_base=Fraction(1, 25), audio=())
    with Reader(path) as reader:
        frames = list(reader)
    for frame in frames[9:16]:
        assert np.array_equal(frame_at(path, frame.time).image, frame.image)


@pytest.mark.parametrize("suffix", ["ts", "avi"])
def test_where_all_before_a_time_is_decoded_one_picture_is_converted(tmp_path, monkeypatch, suffix):
    how = {"codec": "mpeg4", "options": {}, "time_base": Fraction(1, 25)} if suffix == "avi" else {}
    path = clip(tmp_path / f"in.{suffix}", audio=(), count=10, **how)
    converted, convert = [], RgbConverter.__call__
    monkeypatch.setattr(RgbConverter, "__call__", lambda self, frame: converted.append(1) or convert(self, frame))
    assert frame_at(path, Fraction(7, 25)).index == 7
    assert len(converted) == 1


def test_seeking_outside_gives_the_ends(tmp_path):
    path = clip(tmp_path / "in.mp4", count=20)
    assert frame_at(path, -3).index == 0
    assert frame_at(path, 1000).index == 19


def test_seeking_at_a_variable_rate_finds_what_is_on_screen(tmp_path):
    times = [0, 512, 1500, 1600, 4000, 9000, 9500, 12000]
    path = clip(tmp_path / "in.mp4", times=times)
    for seconds, pts in [(0.0, 0), (0.1, 512), (0.3, 1600), (0.6, 4000), (0.72, 9000), (0.94, 12000)]:
        assert frame_at(path, seconds).pts == pts


def test_seeking_shows_pictures_upright(tmp_path):
    path = clip(tmp_path / "in.mp4", rotation=90, count=5)
    assert frame_at(path, 0).image.shape == (128, 96, 3)


def test_seeking_in_nothing(tmp_path):
    with pytest.raises(InputMissing):
        frame_at(tmp_path / "none.mp4", 0)


@writers
def test_written_files_hold_times_pixels_and_the_rest(tmp_path, make):
    src, dst = clip(tmp_path / "in.mp4", times=[0, 512, 1500, 1600, 4000, 9000, 9500, 12000], colour=(1, 1, 1, 1),
                    sar=Fraction(15, 16), rotation=90, audio=("aac", "aac")), tmp_path / "out.mp4"  # fmt: skip
    with Reader(src) as reader, make(dst, reader.info, EncoderSettings(crf=8)) as writer:
        frames = list(reader)
        for frame in frames:
            writer.write(frame)
    assert writer.warnings == []
    with Reader(dst) as again:
        written = list(again)
    for name in ("display_width", "rotation", "sample_aspect_ratio", "time_base", "colour", "other_streams"):
        assert getattr(again.info, name) == getattr(reader.info, name), name
    assert [f.time for f in written] == [f.time for f in frames]
    assert other_packets(dst) == other_packets(src)
    assert np.mean([psnr(a.image, b.image) for a, b in zip(frames, written, strict=True)]) > 40
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


@writers
@pytest.mark.parametrize("folder", ["10:30 pm", "-n", "a%03d"])
def test_a_folder_may_be_called_anything(tmp_path, monkeypatch, make, folder):
    monkeypatch.chdir(tmp_path)
    (tmp_path / folder).mkdir()
    src, dst = clip(tmp_path / "in.mp4", count=3, audio=()), Path(folder, "out.mp4")
    with Reader(src) as reader, make(dst, reader.info) as writer:
        for frame in reader:
            writer.write(frame)
    assert probe(dst).frames == 3


@writers
def test_an_exception_leaves_nothing(tmp_path, make):
    src = clip(tmp_path / "in.mp4")
    with Reader(src) as reader, pytest.raises(KeyError), make(tmp_path / "out.mp4", reader.info) as writer:  # noqa: PT012
        for frame in reader:
            writer.write(frame)
            if frame.index == 9:
                raise KeyError
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


@writers
def test_refusals(tmp_path, make):
    src = clip(tmp_path / "in.mp4", count=3)
    info = probe(src)
    (tmp_path / "there.mp4").touch()
    with pytest.raises(OutputIsInput):
        make(src, info)
    with pytest.raises(OutputExists):
        make(tmp_path / "there.mp4", info)
    with pytest.raises(OutputUnwritable):
        make(tmp_path / "none" / "out.mp4", info)
    with pytest.raises(UsageError):
        make(tmp_path / "out.mp4", info, EncoderSettings(codec="nonsense"))
    with pytest.raises(OutputUnwritable, match="nothing to write"), make(tmp_path / "out.mp4", info):
        pass
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "there.mp4"]


def test_a_missing_extra_says_what_to_install(tmp_path, monkeypatch):
    path = clip(tmp_path / "in.mp4", count=3)
    monkeypatch.setitem(sys.modules, "ffmpeg", None)
    with pytest.raises(MissingExtra, match=r"vidinv\[ffmpeg\]"):
        _ffmpeg_writer(tmp_path / "out.mp4", probe(path))


@_installed("ffmpeg")
def test_a_missing_program_is_said(tmp_path, monkeypatch):
    info = probe(clip(tmp_path / "in.mp4", count=3))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtra, match="program called ffmpeg"):
        _ffmpeg_writer(tmp_path / "out.mp4", info)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9", "mpeg4"])
def test_parts_of_few_frames_are_joined_to_the_same_times(tmp_path, codec):
    """An encoder that has fewer frames than it reorders may say nonsense of when they are decoded."""
    times = [512 * i + (200 if i % 3 == 1 else 0) + (9000 if i > 12 else 0) for i in range(24)]
    src = clip(tmp_path / "in.mp4", times=times)
    with Reader(src) as reader:
        frames, info = list(reader), reader.info
    for lengths in ([1] * 24, [2, 1, 3, 18], [24]):
        settings = EncoderSettings(codec=codec, preset="ultrafast", crf=8)
        with Writer(tmp_path / "out.mp4", info, settings, overwrite=True) as writer:
            rest = iter(frames)
            for length in lengths:
                for frame in islice(rest, length):
                    writer.write(frame)
                writer.split()
        with Reader(tmp_path / "out.mp4") as again:
            written = list(again)
        assert [f.time for f in written] == [f.time for f in frames]
        assert min(psnr(a.image, b.image) for a, b in zip(frames, written, strict=True)) > 35


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("crf", [-1, 64, 1e300, float("nan"), float("inf")])
def test_a_quality_that_no_encoder_has_is_refused(codec: str, crf: float) -> None:
    with pytest.raises(UsageError, match=f"{codec} has no crf .*; give a number from 0 to"):
        encoder_options(EncoderSettings(codec=codec, crf=crf))


@pytest.mark.parametrize("codec", CODECS)
def test_a_better_quality_takes_more_room(tmp_path: Path, codec: str) -> None:
    source = clip(tmp_path / "in.mp4", count=6, audio=())
    sizes = []
    for crf in (0, 18, 40):
        with Reader(source) as reader:
            settings = EncoderSettings(codec=codec, crf=crf, preset="ultrafast")
            with Writer(target := tmp_path / f"{crf}.mkv", reader.info, settings) as writer:
                for frame in reader:
                    writer.write(frame)
        sizes.append(target.stat().st_size)
    assert sizes[0] > 1.3 * sizes[1] > 1.3 * sizes[2]


@pytest.mark.parametrize(("codec", "most"), [("libsvtav1", "13"), ("libvpx-vp9", "8")])
def test_a_preset_of_the_encoders_own_is_one_of_its_numbers(tmp_path: Path, codec: str, most: str) -> None:
    source = clip(tmp_path / "in.mp4", count=3, audio=())
    for preset in ("0", most):
        settings = EncoderSettings(codec=codec, preset=preset)
        with Reader(source) as reader, Writer(tmp_path / f"{preset}.mkv", reader.info, settings) as writer:
            for frame in reader:
                writer.write(frame)
        assert probe(tmp_path / f"{preset}.mkv").frames == 3
    for preset in (str(int(most) + 1), "-1", "\u00b2", "1" * 5000):
        with pytest.raises(UsageError, match=f"no preset called .*veryslow, and 0 to {most}$"):
            encoder_options(EncoderSettings(codec=codec, preset=preset))
