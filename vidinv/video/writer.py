"""Writes frames into a new file beside everything else that the source carries."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any, Self

from vidinv.errors import OutputUnwritable
from vidinv.types import Frame
from vidinv.video import container
from vidinv.video.audio import Passthrough, container_metadata, describe, is_chapter_track, video_metadata
from vidinv.video.container import Broken, YuvConverter
from vidinv.video.encoder import EncoderSettings
from vidinv.video.info import VideoInfo
from vidinv.video.output import FORMATS, check_paths, output_format, part_path, publish, write_error


def check_output(src: str | Path, dst: str | Path, overwrite: bool = False) -> None:
    """Raise now what would otherwise be raised after the work: an OutputError, or an InputError of ``src``."""
    src, dst = Path(src), Path(dst)
    check_paths(src, dst, overwrite)
    with container.open_input(src) as source:
        _refuse_streams(source, container.video_stream(source, src).index, dst)


def _refuse_streams(source: Any, video_index: int, dst: Path) -> list[Any]:
    """The streams of the source that ``dst`` cannot carry. Raises OutputUnwritable if one of them would be missed."""
    others = [s for s in source.streams if s.index != video_index]
    refused = [s for s in others if not container.takes(output_format(dst), s)]
    for stream in refused:
        if stream.type in ("audio", "subtitle"):
            fits = [suffix for suffix in (".mp4", ".mkv") if all(container.takes(FORMATS[suffix], s) for s in others)]
            instead = f"write to {' or '.join(fits)} instead" if fits else "convert or remove that stream first"
            name = Path(source.name).name
            raise OutputUnwritable(f"{dst.suffix} cannot carry stream {describe(stream)} of {name}; {instead}")
    return refused


def _muxer_options(info: VideoInfo, source: Any) -> dict[str, str]:
    """Options of the muxers; each ignores what it does not know."""
    options = {"movflags": "+faststart", "default_mode": "passthrough"}
    if any(key.startswith("com.") for key in source.metadata):
        options["movflags"] += "+use_metadata_tags"  # cameras' own keys, as com.apple.quicktime.location
    if info.time_base.numerator == 1:
        options["video_track_timescale"] = str(info.time_base.denominator)
    # MP4 writes the offset between tracks in ticks of the movie, by default milliseconds, which would round it.
    ticks = lcm(*(s.time_base.denominator for s in source.streams if s.type in ("video", "audio") and s.time_base))
    if ticks < 2**31:
        options["movie_timescale"] = str(ticks)
    return options


class Muxer:
    """A hidden output file with all streams of the source in their order, its video replaced by ours."""

    def __init__(self, dst: Path, info: VideoInfo, overwrite: bool, add_video: Callable[[Any], Any]) -> None:
        check_paths(info.path, dst, overwrite)
        self._dst, self._overwrite, self._part = dst, overwrite, part_path(dst)
        self._source: Any = None
        self._output: Any = None
        self.warnings: list[str] = []
        self._refused = 0
        try:
            self._source = container.open_input(info.path)
            dropped = _refuse_streams(self._source, info.stream_index, dst)
            chapters = self._source.chapters()
            missed = [describe(s) for s in dropped if not is_chapter_track(s, chapters)]
            self.warnings += [f"{dst.suffix} cannot carry stream {name}; it was left out" for name in missed]
            self._output = container.open_output(self._part, output_format(dst), _muxer_options(info, self._source))
            targets: dict[int, Any] = {}
            for stream in self._source.streams:
                if stream.index == info.stream_index:
                    self.video = add_video(self._output)
                    self.video.metadata.update(video_metadata(stream.metadata))
                    self.video.disposition = stream.disposition
                    self.video.set_display_matrix(info.matrix)
                elif stream not in dropped:
                    copy = targets[stream.index] = self._output.add_stream_from_template(stream, opaque=True)
                    copy.metadata.update(stream.metadata)
                    copy.disposition = stream.disposition
            self._output.metadata.update(container_metadata(self._source.metadata))
            self._output.set_chapters(chapters)
            # Broadcast streams start at an arbitrary hour; files do not.
            self.shift = info.start if "mpegts" in info.container else Fraction(0)
            copied = [s for s in self._source.streams if s.index in targets]
            packets = container.demux(self._source, copied) if copied else iter(())
            self._others = Passthrough(packets, targets, self.shift, self._copy, Broken)
            self.counts_durations = self._output.format.name in ("mp4", "mov")
            self._output.start_encoding()
        except BaseException as error:
            self.abort()
            raise self._translated(error) from error

    def _copy(self, packet: Any) -> None:
        try:
            self._output.mux_one(packet)
        except Broken as error:
            if error.errno != errno.EINVAL:
                raise
            self._refused += 1  # timestamps that run backwards, in a damaged source

    def mux(self, packet: Any) -> None:
        """One video packet, after everything that comes before it."""
        try:
            if packet.dts is not None:
                self._others.until(packet.dts * packet.time_base)
            packet.stream = self.video
            self._output.mux_one(packet)
        except (Broken, OSError) as error:
            raise write_error(error, self._dst) from error

    def finish(self) -> None:
        """Write the rest and give the file its name."""
        try:
            self._others.until(None)
            self._output.close()
            publish(self._part, self._dst, self._overwrite)
        except BaseException as error:
            self.abort()
            raise self._translated(error) from error
        self._source.close()
        if self._others.cut_short:
            self.warnings.append("the streams beside the video could not be read to their end")
        if self._refused:
            self.warnings.append(f"{self._refused} packets with impossible timestamps were left out beside the video")

    def _translated(self, error: BaseException) -> BaseException:
        return write_error(error, self._dst) if isinstance(error, Broken | OSError) else error

    def abort(self) -> None:
        """Leave nothing behind."""
        if self._output is not None:
            with suppress(Broken, OSError):
                self._output.close()
        self._part.unlink(missing_ok=True)
        if self._source is not None:
            self._source.close()


def check_size(frame: Frame, info: VideoInfo) -> None:
    """Raise OutputUnwritable for a frame that is not [display_height, display_width, 3]."""
    shape = (info.display_height, info.display_width, 3)
    if frame.image.shape != shape:
        raise OutputUnwritable(f"frame {frame.index} is {frame.image.shape}, the output is {shape}; keep the size")


class FrameTimes:
    """Ticks of the output for every frame, and how long each stays on screen, which is known one frame later."""

    def __init__(self, info: VideoInfo, shift: Fraction = Fraction(0)) -> None:
        self._info, self._shift = info, round(shift / info.time_base)
        self._step = max(1, round(1 / (info.rate * info.time_base)))
        self._constant = True
        self._first: int | None = None
        self._last: int | None = None
        self._stays: int | None = None

    def next(self, frame: Frame) -> tuple[int, int | None]:
        """(pts of this frame, duration of the one before). Raises OutputUnwritable if time does not advance."""
        pts = (frame.index * self._step if frame.pts is None else frame.pts) - self._shift
        before, self._last, self._stays = self._last, pts, frame.stays
        if before is None:
            self._first = pts
            return pts, None
        if pts <= before:
            raise OutputUnwritable(f"frame {frame.index} is not later than the one before; keep their order")
        self._constant &= pts - before == self._step
        return pts, pts - before

    @property
    def length(self) -> int:
        """From the first frame to the end of the last one; 0 before there is any."""
        return 0 if self._first is None or self._last is None else self._last - self._first + self.end()

    def end(self) -> int:
        """Duration of the last frame: at a varying rate what the source's duration leaves for it, if believable."""
        if self._stays is not None:
            return self._stays
        if self._info.duration is not None and self._first is not None and self._last is not None:
            rest = self._first + round(self._info.duration / self._info.time_base) - self._last
            if not self._constant and 0 < rest * self._info.time_base <= 2:
                return rest
        return self._step


class Writer:
    """Encodes frames of the size of ``source`` to ``dst``; everything else is copied from the source's file.

    Leaving the ``with`` block normally publishes the file, an exception leaves nothing. Opening raises UsageError or an
    OutputError before any work; writing raises DiskFull or OutputUnwritable.
    """

    def __init__(
        self, dst: str | Path, source: VideoInfo, settings: EncoderSettings | None = None, *, overwrite: bool = False
    ) -> None:
        self._info, self._settings = source, settings or EncoderSettings()
        self._encoder: Any  # set by _add_video, while the muxer is made
        self.warnings: list[str] = []
        self._muxer = Muxer(Path(dst), source, overwrite, self._add_video)
        self.warnings += self._muxer.warnings
        self._to_yuv = YuvConverter(source, self._encoder.codec_context.pix_fmt)
        self._times = FrameTimes(source, self._muxer.shift)
        self._held: Any = None  # encoded when its duration is known
        self._given = 0
        self._first_dts: int | None = None
        self._inside: dict[int, tuple[int, int]] = {}  # pts as the encoder sees it -> true pts, duration

    def write(self, frame: Frame) -> None:
        """Append one upright frame, [display_height, display_width, 3] RGB 0..255."""
        check_size(frame, self._info)
        pts, duration = self._times.next(frame)
        picture = self._to_yuv(frame.image)
        picture.pts, picture.time_base = pts, self._info.time_base
        if duration is not None:
            self._encode(duration)
        self._held = picture

    def _add_video(self, output: Any) -> Any:
        self._encoder, warning = container.add_encoder(output, self._info, self._settings)
        self.warnings += [warning] if warning else []
        return self._encoder

    def _encode(self, duration: int) -> None:
        picture, true_pts = self._held, self._held.pts
        if self._counts_frames:
            picture.pts, picture.time_base = self._given, self._encoder.codec_context.time_base
        self._inside[picture.pts] = (true_pts, duration)
        self._given += 1
        self._mux(picture)

    @property
    def _counts_frames(self) -> bool:
        """The encoder cannot count in the source's ticks, so it is given frame numbers."""
        return container.exact(self._encoder.codec_context.time_base) != self._info.time_base

    def _mux(self, picture: Any) -> None:
        try:
            packets = self._encoder.encode(picture)
        except Broken as error:
            raise OutputUnwritable(f"{self._settings.codec} failed: {error.strerror}; try another --codec") from error
        for packet in packets:
            pts, packet.duration = self._inside.pop(packet.pts)
            if self._first_dts is None:
                self._first_dts = packet.dts
            if picture is None and packet is packets[-1] and self._muxer.counts_durations and not self._counts_frames:
                # The last in decoding order need not be the last on screen, but MP4 ends the track where it ends.
                packet.duration = max(1, self._times.length - (packet.dts - self._first_dts))
            if self._counts_frames:
                packet.pts = packet.dts = pts
                packet.time_base = self._info.time_base
            self._muxer.mux(packet)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._muxer.abort()
            return
        try:
            if self._held is None:
                raise OutputUnwritable("no frame was given, so there is nothing to write")
            self._encode(self._times.end())
            self._mux(None)
        except BaseException:
            self._muxer.abort()
            raise
        before = len(self._muxer.warnings)
        self._muxer.finish()
        self.warnings += self._muxer.warnings[before:]
