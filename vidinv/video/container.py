"""The door to FFmpeg's libraries: the only file that imports ``av``. Opens, demuxes, converts pixels, adds streams.

``reader.py`` and ``writer.py`` are built on it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from vidinv.errors import InputMissing, NotAVideo, NoVideoStream, OutputUnwritable
from vidinv.video import colour, orientation
from vidinv.video.audio import describe
from vidinv.video.demuxers import MOST_PIXELS, READING
from vidinv.video.encoder import EncoderSettings, encoder_options
from vidinv.video.info import ColourTags, VideoInfo

Broken = av.error.FFmpegError  # what every call here raises on data or files that do not work
# Without these flags swscale takes its table converters, which move every pixel by about one level (45 dB).
_TO_RGB = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_TO_YUV = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
_PICTURE = av.stream.Disposition
_NOT_VIDEO = _PICTURE.attached_pic | _PICTURE.timed_thumbnails | _PICTURE.still_image
_DEMUX_RETRIES = 64


def open_input(path: Path) -> av.container.InputContainer:
    if not path.exists():
        raise InputMissing(f"{path} does not exist; check the name")
    if path.is_dir():
        raise NotAVideo(f"{path} is a folder; name a video file")
    try:
        container = av.open(str(path), options=READING, metadata_errors="surrogateescape")
    except PermissionError as error:
        raise InputMissing(f"{path} may not be read; change its permissions") from error
    except (Broken, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        why = "a playlist, or of a format that is not read" if isinstance(error, av.error.ArgumentError) else why
        raise NotAVideo(f"{path} is not a video, or too damaged to be opened ({why}); check the file") from error
    if container.format.name.endswith("_pipe") or container.format.name == "image2":
        container.close()
        raise NotAVideo(f"{path} is a still picture; vidinv reads videos")
    return container


def video_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    streams = [s for s in container.streams.video if not s.disposition & _NOT_VIDEO]
    if not streams:
        what = ", ".join(describe(s) for s in container.streams) or "nothing"
        error = NoVideoStream if container.streams else NotAVideo
        raise error(f"{path} has no video stream, only {what}; name a file with moving pictures")
    context = streams[0].codec_context
    if context is None:
        raise NotAVideo(f"{path}: this build of FFmpeg cannot decode its video codec; convert it to H.264 first")
    if context.width * context.height > MOST_PIXELS:
        size = f"{context.width}x{context.height}"
        raise NotAVideo(
            f"{path} says it is {size}, and {MOST_PIXELS} pixels (8192x4320) are the most; scale it down first"
        )
    context.options = {"max_pixels": READING["max_pixels"]}  # a stream may grow on the way
    return streams[0]


def demux(container: Any, streams: Any, failed: Callable[[], None] = lambda: None) -> Iterator[av.Packet]:
    """Packets to the end of the file, over places where the demuxer stumbles."""
    for _ in range(_DEMUX_RETRIES):
        try:
            yield from container.demux(streams)
            return
        except Broken:
            failed()


def exact(ratio: Any) -> Fraction:
    """The library's own rational, whose type changed between its versions, as Python's."""
    return Fraction(ratio.numerator, ratio.denominator)


def stream_duration(stream: av.VideoStream) -> Fraction | None:
    if stream.duration:
        return stream.duration * exact(stream.time_base)
    stated = stream.metadata.get("DURATION", "").split(":")  # Matroska: 00:01:02.345000000
    with suppress(ValueError):
        return Fraction(stated[0]) * 3600 + Fraction(stated[1]) * 60 + Fraction(stated[2]) if len(stated) == 3 else None
    return None


def read_info(path: Path, container: Any, stream: av.VideoStream, frame: av.VideoFrame) -> VideoInfo:
    context = stream.codec_context
    stored: Any = frame.side_data.get("DISPLAYMATRIX") if frame.side_data else None
    matrix = tuple(int(v) for v in np.frombuffer(bytes(stored), np.int32)) if stored is not None else None
    turned = (orientation.from_matrix(matrix) or orientation.Orientation()).transpose
    rate = exact(stream.average_rate or stream.guessed_rate or Fraction(25))
    duration = stream_duration(stream) or (Fraction(container.duration, av.time_base) if container.duration else None)
    tags = ColourTags(
        *(
            int(on_frame if on_frame != unset else on_stream)
            for on_frame, on_stream, unset in (
                (frame.color_primaries, context.color_primaries, 2),
                (frame.color_trc, context.color_trc, 2),
                (frame.colorspace, context.colorspace, 2),
                (frame.color_range, context.color_range, 0),
            )
        )
    )
    return VideoInfo(
        path=path,
        container=container.format.name,
        codec=context.codec.canonical_name,
        pix_fmt=frame.format.name,
        width=frame.width,
        height=frame.height,
        display_width=frame.height if turned else frame.width,
        display_height=frame.width if turned else frame.height,
        rotation=int(frame.rotation),
        matrix=matrix,
        sample_aspect_ratio=exact(stream.sample_aspect_ratio) if stream.sample_aspect_ratio else None,
        rate=rate,
        time_base=exact(stream.time_base),
        frames=stream.frames or (round(duration * rate) if duration else None),
        duration=duration,
        colour=tags,
        stream_index=stream.index,
        start=Fraction(container.start_time or 0, av.time_base),
        other_streams=tuple(describe(s) for s in container.streams if s.index != stream.index),
    )


class RgbConverter:
    """One swscale context for all frames: a new one per frame costs more than the conversion."""

    def __init__(self, info: VideoInfo) -> None:
        self._reformatter = VideoReformatter()
        self._matrix = colour.swscale_matrix(info.colour, info.width, info.height)
        self._range = colour.yuv_range(info.colour, info.pix_fmt)
        self._size = (info.width, info.height)
        self._orientation = orientation.from_matrix(info.matrix) or orientation.Orientation()

    def __call__(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """[H, W, 3] RGB 0..255, upright. Planes first: only planar RGB has an exact and fast path in swscale."""
        rgb = self._reformatter.reformat(
            frame,
            *self._size,  # a stream may change its size on the way; the output cannot
            format="gbrp",
            src_colorspace=self._matrix,
            dst_colorspace=self._matrix,
            src_color_range=self._range,
            dst_color_range=colour.FULL,
            interpolation=_TO_RGB,
            threads=1,
        )
        green, blue, red = (
            np.frombuffer(memoryview(p), np.uint8).reshape(-1, p.line_size)[: p.height, : p.width] for p in rgb.planes
        )
        return self._orientation.upright(np.asarray(cv2.merge((red, green, blue)), np.uint8))


class YuvConverter:
    """The way back: the inverse of ``RgbConverter`` up to rounding, into the format of the encoder."""

    def __init__(self, info: VideoInfo, pix_fmt: str) -> None:
        self._reformatter = VideoReformatter()
        self._pix_fmt = pix_fmt
        self._tags = colour.output_tags(info.colour, info.pix_fmt)
        self._matrix = colour.swscale_matrix(self._tags, info.width, info.height)
        self._range = colour.yuv_range(self._tags, pix_fmt)
        self._orientation = orientation.from_matrix(info.matrix) or orientation.Orientation()

    def __call__(self, image: NDArray[np.uint8]) -> av.VideoFrame:
        """[H, W, 3] RGB 0..255 upright -> a frame of its own memory, as coded."""
        rgb = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(self._orientation.coded(image)))
        return self._reformatter.reformat(
            rgb,
            format=self._pix_fmt,
            src_colorspace=self._matrix,
            dst_colorspace=self._matrix,
            src_color_range=colour.FULL,
            dst_color_range=self._range,
            interpolation=_TO_YUV,
            threads=1,
        )


def open_output(path: Path, container_format: str, options: dict[str, str]) -> av.container.OutputContainer:
    return av.open(
        str(path), "w", format=container_format, container_options=options, metadata_errors="surrogateescape"
    )


def add_encoder(output: Any, info: VideoInfo, settings: EncoderSettings) -> tuple[Any, str | None]:
    """An opened encoder as a new stream of ``output``, and a warning. Raises UsageError or OutputUnwritable."""
    options = encoder_options(settings)
    codec = av.Codec(settings.codec, "w")
    supported = [f.name for f in codec.video_formats or ()]
    pix_fmt, warning = colour.output_pix_fmt(info.pix_fmt, info.width, info.height, supported)
    try:
        stream = output.add_stream(settings.codec, rate=info.rate, options=options)
    except ValueError as error:
        name = output.format.name
        raise OutputUnwritable(f"{name} cannot carry {settings.codec}; write to .mp4 or .mkv instead") from error
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = info.width, info.height, pix_fmt
    # MPEG-4 counts time in at most 16 bits; its packets get their real times back afterwards.
    context.time_base = Fraction(1, round(info.rate) or 1) if settings.codec == "mpeg4" else info.time_base
    stream.time_base = info.time_base
    if info.sample_aspect_ratio is not None:
        context.sample_aspect_ratio = info.sample_aspect_ratio
    tags = colour.output_tags(info.colour, info.pix_fmt)
    context.color_primaries, context.color_trc = tags.primaries, tags.transfer
    context.colorspace, context.color_range = tags.matrix, tags.range
    # The library's own default, slices alone, makes x264 cut every picture into one slice per core: slower and worse.
    context.thread_type, context.thread_count = "AUTO", settings.threads
    if settings.codec == "libx265" and output.format.name in ("mp4", "mov"):
        context.codec_tag = "hvc1"  # Apple's players accept no other
    try:
        context.open()
    except Broken as error:
        raise OutputUnwritable(
            f"{settings.codec} refuses {info.width}x{info.height} {pix_fmt} ({error.strerror}); try --codec libx264"
        ) from error
    return stream, warning


def add_copy(output: Any, encoded: Any, info: VideoInfo) -> Any:
    """A stream for pictures that are encoded already, of the format of the stream ``encoded``."""
    stream = output.add_stream_from_template(encoded, opaque=True)
    stream.time_base = info.time_base
    stream.codec_context.framerate = info.rate
    return stream


def to_ticks(packet: Any, time_base: Fraction) -> tuple[int, int]:
    """Restate a packet's times in another time base that holds them exactly: (pts, dts)."""
    ratio = exact(packet.time_base) / time_base
    packet.pts, packet.dts = round(packet.pts * ratio), round(packet.dts * ratio)
    packet.time_base = time_base
    return packet.pts, packet.dts


def open_raw_pipe(pipe: IO[bytes], info: VideoInfo, pix_fmt: str) -> tuple[Any, Any]:
    """Uncompressed frames with their exact times, for another program to read: (container, stream)."""
    output = av.open(pipe, "w", format="nut")
    stream = output.add_stream("rawvideo", rate=info.rate)
    context = stream.codec_context
    context.width, context.height, context.pix_fmt, context.time_base = info.width, info.height, pix_fmt, info.time_base
    stream.time_base = info.time_base
    return output, stream


def takes(container_format: str, stream: Any) -> bool:
    """Whether a muxer takes a stream as it is, asked of the muxer itself."""
    output = av.open(io.BytesIO(), "w", format=container_format)
    try:
        output.add_stream_from_template(stream, opaque=True)
        output.start_encoding()
    except (Broken, ValueError):
        return False
    finally:
        with suppress(Broken):
            output.close()
    return True
