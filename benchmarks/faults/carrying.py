"""Clips that carry something: sound, subtitles, frames at uneven times; long enough for several segments of a run."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.faults.inputs import SAMPLE
from vidinv.types import known
from vidinv.video import Reader

# How names end, and what is in them: encoder of the pictures, of the sound, of subtitles; are times uneven.
KINDS: dict[str, tuple[str, str, str | None, bool]] = {
    ".mp4": ("libx264", "aac", "mov_text", False),
    ".mkv": ("libx264", "aac", "subrip", True),
    ".mov": ("libx264", "aac", None, True),
    ".webm": ("libvpx-vp9", "libopus", None, False),
}
RATE = 10  # frames per second: windows of the stages are in seconds, and few frames wait in them
TICK = Fraction(1, 1000)


def carrying(path: Path, frames: int, width: int = 320) -> Path:
    """A face for ``frames`` frames, in the container of the name, with all that it carries."""
    codec, sound, texts, uneven = KINDS[path.suffix]
    with Reader(SAMPLE) as reader, av.open(str(path), "w") as output:
        height = round(width * reader.info.height / reader.info.width / 2) * 2
        video, heard = output.add_stream(codec, rate=RATE, options={"crf": "20"}), output.add_stream(sound, rate=48000)
        assert isinstance(video, av.VideoStream)
        assert isinstance(heard, av.AudioStream)
        video.codec_context.width, video.codec_context.height, video.codec_context.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = video.time_base = TICK
        said = output.add_mux_stream(texts, time_base=TICK) if texts else None
        for index, frame in enumerate(islice(reader, frames)):
            small = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(small, np.uint8), format="rgb24").reformat(
                format="yuv420p"
            )
            picture.pts, picture.time_base = 100 * index + (37 if uneven and index % 3 == 1 else 0), TICK
            output.mux(video.encode(picture))
        output.mux(video.encode(None))
        for packet in _sine(heard, frames / RATE):
            output.mux(packet)
        for index in range(frames // RATE if said is not None else 0):
            line = av.Packet(b"\0\5words" if texts == "mov_text" else b"words")
            line.stream, line.time_base, line.duration = known(said), TICK, 500
            line.pts = line.dts = 1000 * index
            output.mux(line)
    return path


def _sine(stream: av.AudioStream, seconds: float) -> Iterator[av.Packet]:
    resampler = av.AudioResampler(stream.format, stream.layout, stream.rate, stream.frame_size or 960)
    wave = (8000 * np.sin(np.arange(int(48000 * seconds)) / 20)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]).T.reshape(1, -1), format="s16", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        yield from stream.encode(part)
    yield from stream.encode(None)
