"""Frames -> video file; each frame is handed on once it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vidinv.errors import UsageError
from vidinv.types import Backend, Frame
from vidinv.video import EncoderSettings, VideoInfo, Writer
from vidinv.video.interfaces import FrameWriter


@dataclass(frozen=True)
class EncodeOptions(EncoderSettings):
    overwrite: bool = False  # replace an existing output
    backend: Backend = "pyav"


def encode(
    frames: Iterable[Frame],
    dst: str | Path,
    source: VideoInfo,
    options: EncodeOptions | None = None,
    warn: Callable[[str], None] = lambda message: None,
) -> Iterator[Frame]:
    """Write ``frames`` to ``dst`` beside everything else of ``source``, and yield them, one out per one in.

    The file gets its name after the last frame; closing the generator early, or an error, leaves none. ``warn`` is told
    at the end what could not be kept. Raises UsageError, an OutputError or MissingExtra.
    """
    options = options or EncodeOptions()
    with _writer(dst, source, options) as writer:
        for frame in frames:
            writer.write(frame)
            yield frame
    for message in writer.warnings:
        warn(message)


def _writer(dst: str | Path, source: VideoInfo, options: EncodeOptions) -> FrameWriter:
    if options.backend == "ffmpeg":
        from vidinv.video.ffmpeg_writer import FfmpegWriter

        return FfmpegWriter(dst, source, options, overwrite=options.overwrite)
    if options.backend != "pyav":
        raise UsageError(f"no encoding backend called {options.backend!r}; there are pyav, ffmpeg")
    return Writer(dst, source, options, overwrite=options.overwrite)
