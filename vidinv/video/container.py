"""The door to FFmpeg's libraries: the only file that imports ``av``. Opens, demuxes, adds streams.

``reader.py``, ``writer.py`` and ``pixels.py`` are built on it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
from av import VideoFrame as VideoFrame
from av.sidedata.sidedata import SideDataContainer
from av.video.reformatter import Interpolation as Interpolation
from av.video.reformatter import VideoReformatter as VideoReformatter

from vidinv.errors import InputMissing, NotAVideo, NoVideoStream, OutputUnwritable
from vidinv.video import colour, orientation
from vidinv.video.audio import describe
from vidinv.video.demuxers import MOST_PIXELS, READING
from vidinv.video.encoder import EncoderSettings, encoder_options
from vidinv.video.info import ColourTags, VideoInfo, are_large
from vidinv.video.inputs import kind_of_picture, refuse_others
from vidinv.video.oversized import as_read, left_out
from vidinv.video.timeline import continuous, goes_on, moved
from vidinv.video.timing import believed_rate, stream_duration

LIBRARIES = f"av {av.__version__}"
Broken = av.error.FFmpegError  # what every call here raises on data or files that do not work
_PICTURE = av.stream.Disposition
_NOT_VIDEO = _PICTURE.attached_pic | _PICTURE.timed_thumbnails | _PICTURE.still_image
_DEMUX_RETRIES = 64
_CLOCK_JUMPS = 0x200  # AVFMT_TS_DISCONT: of formats that recordings may be joined in without anybody's saying so
_LATE = 1  # seconds: a file that starts later than this does not mean it
_COUNTED = 300  # packets from which a frame rate is counted
_LOOKED_THROUGH = 20_000  # packets in which a jump of the clock is looked for before anything is decoded
MOST_THREADS = 4  # for large frames, where nobody says how many
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 8: "7.1"}


def open_input(path: Path) -> av.container.InputContainer:
    refuse_others(path)
    try:
        container = av.open(as_read(path), "r", options=READING, metadata_errors="surrogateescape")
    except PermissionError as error:
        raise InputMissing(f"{path} may not be read; change its permissions") from error
    except (Broken, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        why = "a playlist, or of a format that is not read" if isinstance(error, av.error.ArgumentError) else why
        raise NotAVideo(f"{path} is not a video, or too damaged to be opened ({why}); check the file") from error
    if container.format.name.endswith("_pipe") or container.format.name == "image2":
        container.close()
        raise NotAVideo(f"{path} is {kind_of_picture(path)}")
    return container


def video_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    streams = [s for s in container.streams.video if not s.disposition & _NOT_VIDEO]
    if not streams:
        what = ", ".join(describe(s) for s in container.streams) or "nothing"
        error = NoVideoStream if container.streams else NotAVideo
        raise error(f"{path} has no video stream, only {what}; name a file with moving pictures")
    streams = [s for s in streams if s.codec_context is not None]
    if not streams:
        raise NotAVideo(f"{path}: this build of FFmpeg cannot decode its video codec; convert it to H.264 first")
    # Where several are for playing, the one that players begin with.
    stream = next((s for s in streams if s.disposition & _PICTURE.default), streams[0])
    context = stream.codec_context
    if context.width * context.height > MOST_PIXELS:
        size = f"{context.width}x{context.height}"
        raise NotAVideo(
            f"{path} says it is {size}, and {MOST_PIXELS} pixels (8192x4320) are the most; scale it down first"
        )
    context.options = {"max_pixels": READING["max_pixels"]}  # a stream may grow on the way
    return stream


def demux(container: Any, streams: Any, failed: Callable[[], None] = lambda: None) -> Iterator[av.Packet]:
    """Packets of some streams to the end of the file, over places where the demuxer stumbles.

    Their clock begins at 0 where the file's begins at an arbitrary hour, and goes on where the file's jumps.
    """
    start = beginning(container)
    packets = _packets(container, streams, failed)
    if clock_jumps(container):
        wanted = {s.index for s in ([streams] if isinstance(streams, av.stream.Stream) else streams)}
        every = continuous(_packets(container, None, failed))
        packets = (packet for packet in every if packet.stream_index in wanted)
    return (moved(packet, -start) for packet in packets)


def _packets(container: Any, streams: Any, failed: Callable[[], None]) -> Iterator[av.Packet]:
    for _ in range(_DEMUX_RETRIES):
        try:
            yield from container.demux(streams)
            return
        except (Broken, IndexError):  # the latter of a stream that showed up after the file was opened
            failed()


def beginning(container: Any) -> Fraction:
    """Seconds on the file's own clock that :func:`demux` calls 0: broadcasts and live recordings start at any hour."""
    start = Fraction(container.start_time or 0, av.time_base)
    return start if clock_jumps(container) or start > _LATE else Fraction(0)


def clock_jumps(container: Any) -> bool:
    """Whether files of this format may be recordings that were joined, each with a clock of its own."""
    return bool(container.format.flags & _CLOCK_JUMPS)


def exact(ratio: Any) -> Fraction:
    """The library's own rational, whose type changed between its versions, as Python's."""
    return Fraction(ratio.numerator, ratio.denominator)


def frame_rate(path: Path, container: Any, stream: av.VideoStream) -> Fraction:
    """Frames per second; 25 where nothing in the file tells. :param path: is read once more where that is needed."""
    if "mov" in container.format.name:
        times = [entry.timestamp for entry in stream.index_entries]
    else:
        times = _first_times(path, stream.index)
    # Where there are no times, the average is the demuxer's own invention, and the pictures may state something.
    told = stream.average_rate if times else stream.codec_context.framerate
    return believed_rate(exact(told) if told else None, times, exact(stream.time_base)) or Fraction(25)


def _first_times(path: Path, index: int) -> list[int]:
    """When the first pictures are shown, in ticks of their stream."""
    times: list[int] = []
    with suppress(Broken), open_input(path) as container:
        for count, packet in enumerate(demux(container, container.streams[index])):
            time = packet.pts if packet.pts is not None else packet.dts
            if count == _COUNTED or (count == 1 and not times):
                break
            if time is not None:
                times.append(time)
    return times


def _one_clock(path: Path) -> bool:
    """Whether a file has one clock that goes on to its end; False also of those that are too long to look through."""
    with suppress(Broken, IndexError), open_input(path) as container:
        return goes_on(container.demux(), _LOOKED_THROUGH)
    return False


def carried(frame: av.VideoFrame) -> set[str]:
    """Names of what a frame carries beside its pixels. ``frame.side_data`` would keep what it finds in the frame, which
    then holds itself: its pixels would stay until a collector of garbage comes by, long after everybody let go of it.
    """
    return {str(data.type).rpartition(".")[2] for data in SideDataContainer(frame)}  # type: ignore[call-arg]


def read_info(path: Path, container: Any, stream: av.VideoStream, frame: av.VideoFrame) -> VideoInfo:
    context = stream.codec_context
    stored: Any = frame.side_data.get("DISPLAYMATRIX") if frame.side_data else None
    matrix = tuple(int(v) for v in np.frombuffer(bytes(stored), np.int32)) if stored is not None else None
    turned = (orientation.from_matrix(matrix) or orientation.Orientation()).transpose
    rate = frame_rate(path, container, stream)
    duration = stream_duration(stream) or (Fraction(container.duration, av.time_base) if container.duration else None)
    if clock_jumps(container) and not _one_clock(path):
        duration = None  # it is no more than the last time less the first
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
        start=Fraction(container.start_time or 0, av.time_base) - beginning(container),
        other_streams=tuple(describe(s) for s in container.streams if s.index != stream.index),
        left_out=left_out(path),
    )


def threads_for(width: int, height: int, asked: int) -> int:
    """Of a decoder or an encoder, each of whose threads holds frames: of large ones no more than pay. 0: its choice."""
    return asked or (min(os.cpu_count() or 1, MOST_THREADS) if are_large(width, height) else 0)


def open_output(path: Path, container_format: str, options: dict[str, str]) -> av.container.OutputContainer:
    return av.open(
        f"file:{path}", "w", format=container_format, container_options=options, metadata_errors="surrogateescape"
    )


def discard(output: Any) -> None:
    """Close what is not wanted any more, whatever state it is in."""
    with suppress(Broken, OSError):
        output.close()


def add_encoder(output: Any, info: VideoInfo, settings: EncoderSettings) -> tuple[Any, str | None]:
    """An opened encoder as a new stream of ``output``, and a warning. Raises UsageError or OutputUnwritable."""
    options = encoder_options(settings, info.is_large)
    assert settings.codec is not None  # the options are of one
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
    context.thread_type, context.thread_count = "AUTO", threads_for(info.width, info.height, settings.threads)
    _tag(output, context)
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
    if info.sample_aspect_ratio is not None:
        stream.codec_context.sample_aspect_ratio = info.sample_aspect_ratio
    _tag(output, stream.codec_context)
    return stream


def _tag(output: Any, context: Any) -> None:
    if context.codec.canonical_name == "hevc" and output.format.name in ("mp4", "mov"):
        context.codec_tag = "hvc1"  # Apple's players accept no other


def open_raw_pipe(pipe: IO[bytes], info: VideoInfo, pix_fmt: str) -> tuple[Any, Any]:
    """Uncompressed frames with their exact times, for another program to read: (container, stream)."""
    output = av.open(pipe, "w", format="nut")
    stream = output.add_stream("rawvideo", rate=info.rate)
    context = stream.codec_context
    context.width, context.height, context.pix_fmt, context.time_base = info.width, info.height, pix_fmt, info.time_base
    stream.time_base = info.time_base
    return output, stream


def takes(container_format: str, stream: Any) -> bool:
    """Whether a muxer takes a stream as it is, asked of the muxer itself, with a header and an empty end."""
    output = av.open(io.BytesIO(), "w", format=container_format)
    try:
        add_as_it_is(output, stream)
        output.start_encoding()
    except (Broken, ValueError):
        return False
    finally:
        with suppress(Broken):
            output.close()
    return True


def add_as_it_is(output: Any, stream: Any) -> Any:
    """A stream for packets that are copied. Raises Broken or ValueError where the muxer takes no such stream."""
    copy = output.add_stream_from_template(stream, opaque=True)
    context = copy.codec_context
    if stream.type == "audio" and context is not None and context.layout.name not in _LAYOUTS.values():
        context.layout = _LAYOUTS.get(context.channels, context.layout)  # AVI, for one, tells only how many
    return copy


def readable(stream: Any) -> bool:
    """Whether anything here knows what its packets are."""
    return stream.codec_context is not None


class Reencoder:
    """Sound that no container takes as it is, made into sound that this one takes."""

    def __init__(self, output: Any, stream: Any) -> None:
        source = stream.codec_context
        codec = "libopus" if output.format.name == "webm" else "aac"
        rate = 48000 if codec == "libopus" else min(source.rate, 96000)
        self.stream = output.add_stream(codec, rate=rate)
        encoder = self.stream.codec_context
        encoder.layout, encoder.bit_rate = _LAYOUTS.get(source.channels, "stereo"), 96000 * min(source.channels, 6)
        encoder.open()
        self._resampler = av.AudioResampler(encoder.format, encoder.layout, rate, encoder.frame_size or None)
        self.name = codec.removeprefix("lib")
        self.lost = 0  # packets that could not be decoded

    def __call__(self, packet: Any) -> list[Any]:
        """Encoded packets for one of the source; None, or an empty one, at the end."""
        frames: list[Any] = [None]
        if packet is not None:
            try:
                frames = packet.decode()
            except Broken:
                self.lost += 1
                return []
        return [p for frame in frames for one in self._resampler.resample(frame) for p in self.stream.encode(one)]

    def last(self) -> list[Any]:
        return [*self(None), *self.stream.encode(None)]
