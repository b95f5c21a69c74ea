"""Streams and containers: what fits is asked of the muxer, and a stream beside the video never stops the job."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.shared import shared
from tests.video.make import clip
from vidinv.errors import OutputUnwritable
from vidinv.stages.encode import EncodeOptions, encode
from vidinv.video import Reader, check_output
from vidinv.video.spans import read_spans

QUICK = EncodeOptions(preset="ultrafast")


def through(src: Path, dst: Path) -> tuple[list[str], bool]:
    """Written without an edit: what was told, and whether something beside the video is damaged."""
    told, hurt = list[str](), list[bool]()
    check_output(src, dst)
    with Reader(src) as reader:
        list(encode(reader, dst, reader.info, QUICK, told.append, hurt=lambda: hurt.append(True)))
    return told, bool(hurt)


def sounds(path: Path) -> list[str]:
    with av.open(str(path)) as file:
        return [s.codec_context.codec.canonical_name for s in file.streams.audio]


def with_sound(path: Path, codec: str, rate: int = 44100) -> Path:
    """Half a second of picture and a sine."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = output.add_stream(codec, rate=rate)
        sound.layout, sound.bit_rate = "stereo", 128000
        for i in range(15):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 * i, np.uint8), "rgb24")
            frame.pts = i
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        wave = (8000 * np.sin(np.arange(rate // 2) / 20)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], "s16", "stereo")
        frame.sample_rate, frame.pts = rate, 0
        resampler = av.AudioResampler(sound.format, "stereo", rate, sound.codec_context.frame_size or None)
        for one in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(sound.encode(one))
        output.mux(sound.encode(None))
    return path


def test_without_a_word_the_encoder_is_one_that_the_container_takes(tmp_path: Path) -> None:
    src = clip(tmp_path / "in.mkv", count=5, audio=("libopus",))
    for suffix, codec in ((".webm", "vp9"), (".mp4", "h264"), (".mkv", "h264")):
        dst = tmp_path / f"out{suffix}"
        assert through(src, dst) == ([], False)
        with Reader(dst) as reader:
            assert reader.info.codec == codec
        assert sounds(dst) == ["opus"]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_of_which_only_the_number_of_channels_is_known_is_kept(tmp_path: Path, suffix: str) -> None:
    src = with_sound(tmp_path / "in.avi", "pcm_s16le")
    assert through(src, tmp_path / f"out{suffix}") == ([], False)
    assert sounds(tmp_path / f"out{suffix}") == ["pcm_s16le"]
    spans = read_spans(tmp_path / f"out{suffix}")
    assert spans.audio == pytest.approx((0, 0.5), abs=0.05)


@pytest.mark.parametrize("codec", ["pcm_mulaw", "adpcm_ima_wav", "adpcm_ms"])
def test_what_another_container_takes_is_named_with_it_before_the_work(tmp_path: Path, codec: str) -> None:
    src = with_sound(tmp_path / "in.avi", codec)
    try:
        told, _ = through(src, tmp_path / "out.mp4")
    except OutputUnwritable as error:
        named = [suffix for suffix in (".mov", ".mkv") if suffix in str(error)]
        assert named
        for suffix in named:
            assert through(src, tmp_path / f"out{suffix}") == ([], False)
            assert sounds(tmp_path / f"out{suffix}") == [codec]
    else:
        assert not told or "encoded as aac" in told[0]
        assert len(sounds(tmp_path / "out.mp4")) == 1


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".mkv", "aac"), (".webm", "opus")])
def test_sound_that_no_container_takes_is_encoded_once_more_and_that_is_said(
    tmp_path: Path, suffix: str, codec: str
) -> None:
    src = with_sound(tmp_path / "in.wmv", "wmav2")
    [told], hurt = through(src, tmp_path / f"out{suffix}")
    assert "#1 audio wmav2" in told
    assert f"encoded as {codec}" in told
    assert not hurt
    assert sounds(tmp_path / f"out{suffix}") == [codec]
    spans = read_spans(tmp_path / f"out{suffix}")
    assert spans.audio is not None
    assert spans.audio[1] == pytest.approx(read_spans(src).audio[1], abs=0.12)  # type: ignore[index]


def test_a_damaged_packet_beside_the_video_costs_that_packet(tmp_path: Path) -> None:
    data = bytearray(clip(tmp_path / "plain.ts", count=30, audio=("aac",)).read_bytes())
    heads = [i for i in range(len(data) - 1) if data[i] == 0xFF and data[i + 1] == 0xF1]  # ADTS
    data[heads[6] + 2] ^= 0xFF
    data[heads[6] + 3] ^= 0xFF
    (tmp_path / "in.ts").write_bytes(data)
    told, hurt = through(tmp_path / "in.ts", tmp_path / "out.mp4")
    with Reader(tmp_path / "out.mp4") as reader:
        assert len(list(reader)) == 30
    assert hurt == bool(told)
    assert read_spans(tmp_path / "out.mp4").audio is not None


def test_real_files_are_kept_or_say_what_is_not(tmp_path: Path) -> None:
    expected = {
        "01_pcm.avi": (None, False), "02_plain.webm": (None, False), "06_apac.mov": ("left out", False),
        "10_wma.wmv": ("encoded as aac", False), "27_bad_audio_header.ts": ("damaged packets", True),
    }  # fmt: skip
    for name, (text, damaged) in expected.items():
        src = shared(f"cases/{name}")
        told, hurt = through(src, tmp_path / f"{name}.{'webm' if name.endswith('webm') else 'mp4'}")
        assert hurt == damaged, name
        assert (text is None and not told) or any(text in one for one in told), (name, told)
