"""Encoded video into a new file beside everything else that the source carries, which is copied as it is."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any

from vidinv.errors import OutputUnwritable
from vidinv.video import container
from vidinv.video.attachments import Attached, append
from vidinv.video.audio import Passthrough, container_metadata, describe, is_chapter_track, video_metadata
from vidinv.video.container import Broken
from vidinv.video.info import VideoInfo
from vidinv.video.marks import mark_tags
from vidinv.video.output import FORMATS, check_paths, output_format, publish, write_error
from vidinv.video.oversized import hiding

OWN_ERRORS = 1 << 20  # the libraries number what they find wrong in data from here on, above all of the system's errors
MOST_CHAPTERS = 10_000  # the libraries look at every one for every other: 100,000 are minutes


def check_output(src: str | Path, dst: str | Path, overwrite: bool = False) -> None:
    """Raise now what would otherwise be raised after the work: an OutputError, or an InputError of ``src``."""
    src, dst = Path(src), Path(dst)
    check_paths(src, dst, overwrite)
    with container.open_input(src) as source:
        _sorted(source, container.video_stream(source, src).index, dst)


@dataclass(frozen=True)
class Sorted:
    """What becomes of the streams beside the video."""

    kept: tuple[Any, ...]  # as they are
    again: tuple[Any, ...]  # sound that no container takes as it is, and that is encoded once more
    left: tuple[Any, ...]  # left out


def _sorted(source: Any, video_index: int, dst: Path) -> Sorted:
    """Asked of the muxer, stream by stream. Raises OutputUnwritable if another container keeps what would be missed."""
    others = [s for s in source.streams if s.index != video_index]
    kept = [s for s in others if container.takes(output_format(dst), s)]
    again, left = list[Any](), list[Any]()
    for stream in others:
        if stream in kept:
            continue
        missed = stream.type in ("audio", "subtitle") and container.readable(stream)
        fits = [x for x in (".mp4", ".mov", ".mkv") if missed and container.takes(FORMATS[x], stream)]
        if fits:
            name = Path(source.name.removeprefix("file:")).name
            raise OutputUnwritable(
                f"{dst.suffix} cannot carry stream {describe(stream)} of {name}; write to {' or '.join(fits)} instead"
            )
        (again if missed and stream.type == "audio" else left).append(stream)
    return Sorted(tuple(kept), tuple(again), tuple(left))


def _muxer_options(info: VideoInfo, source: Any) -> dict[str, str]:
    """Options of the muxers; each ignores what it does not know."""
    # Matroska numbers its files and tracks at random, so that no two runs would give the same file.
    options = {"movflags": "+faststart", "default_mode": "passthrough", "fflags": "+bitexact"}
    if any(key.startswith("com.") for key in source.metadata):
        options["movflags"] += "+use_metadata_tags"  # cameras' own keys, as com.apple.quicktime.location
    if info.time_base.numerator == 1:
        options["video_track_timescale"] = str(info.time_base.denominator)
    # MP4 writes the offset between tracks in ticks of the movie, by default milliseconds, which would round it.
    ticks = lcm(*(s.time_base.denominator for s in source.streams if s.type in ("video", "audio") and s.time_base))
    if ticks < 2**31:
        options["movie_timescale"] = str(ticks)
    return options


def _moved(chapters: list[Any], by: Fraction) -> list[Any]:
    """Chapters so many seconds earlier, as all packets are; those that end before the beginning are left out."""
    if not by:
        return chapters
    late = [(one, round(by / container.exact(one["time_base"]))) for one in chapters]
    return [
        {**one, "start": max(one["start"] - ticks, 0), "end": one["end"] - ticks}
        for one, ticks in late
        if one["end"] > ticks
    ]


class Muxer:
    """A hidden output file with all streams of the source in their order, its video replaced by ours.

    :param source: the source's file, opened; it stays open, and so readable where it is removed meanwhile.
    :param hidden: what the file is called until it is complete; on the file system of ``dst``.
    :param add_video: makes the video's stream in an opened output.
    :param mark: what the file is to say of its making: see :mod:`vidinv.video.marks`; "": nothing.
    :raises OutputError: the container cannot carry it, or the file cannot be written.
    """

    def __init__(
        self,
        dst: Path,
        info: VideoInfo,
        source: Any,
        overwrite: bool,
        hidden: Path,
        add_video: Callable[[Any], Any],
        mark: str = "",
    ) -> None:
        check_paths(info.path, dst, overwrite)
        self._dst, self._overwrite, self._part = dst, overwrite, hidden
        self._source = source
        self._output: Any = None
        self.warnings: list[str] = []
        self._refused = 0
        self.damaged = False  # a stream beside the video; known at the end
        try:
            streams = _sorted(self._source, info.stream_index, dst)
            chapters = self._source.chapters()
            missed = [f"stream {describe(s)}" for s in streams.left if not is_chapter_track(s, chapters)]
            missed += [one.told for one in self._attached] if output_format(dst) != "matroska" else []
            if len(chapters) > MOST_CHAPTERS:
                told = f"{len(chapters)} chapters, and {MOST_CHAPTERS} are the most that are copied"
                self.warnings.append(f"{info.path.name} has {told}; they were left out")
                chapters = []
            self.warnings += info.left_out
            self.warnings += [f"{dst.suffix} cannot carry {name}; it was left out" for name in missed]
            options = _muxer_options(info, self._source)
            self._output = container.open_output(self._part, output_format(dst), options)
            targets: dict[int, Any] = {}
            again: dict[int, container.Reencoder] = {}
            for stream in self._source.streams:
                if stream.index == info.stream_index:
                    self.video = add_video(self._output)
                    self.video.metadata.update(video_metadata(stream.metadata))
                    self.video.disposition = stream.disposition
                    self.video.set_display_matrix(info.matrix)
                elif stream not in streams.left:
                    if stream in streams.again:
                        made = again[stream.index] = container.Reencoder(self._output, stream)
                        copy = targets[stream.index] = made.stream
                        self.warnings.append(
                            f"no container takes stream {describe(stream)}; it is encoded as {made.name}"
                        )
                    else:
                        copy = targets[stream.index] = container.add_as_it_is(self._output, stream)
                    copy.metadata.update(stream.metadata)
                    copy.disposition = stream.disposition
            self._output.metadata.update(container_metadata(self._source.metadata))
            if mark:
                own = "use_metadata_tags" in options["movflags"]
                self._output.metadata.update(mark_tags(output_format(dst), own, self._source.metadata, mark))
            self._output.set_chapters(_moved(chapters, container.beginning(self._source)))
            copied = [s for s in self._source.streams if s.index in targets]
            packets = container.demux(self._source, copied) if copied else iter(())
            self._again = again
            self._others = Passthrough(packets, targets, self._copy, Broken, again)
            self.counts_durations = self._output.format.name in ("mp4", "mov")
            self._output.start_encoding()
        except BaseException as error:
            self.abort()
            raise self._translated(error) from error

    @property
    def _attached(self) -> tuple[Attached, ...]:
        """Attached files of the source that are copied past the libraries."""
        hides = hiding(self._source)
        return () if hides is None else hides.attached

    def _append_attached(self) -> None:
        hides = hiding(self._source)
        if hides is None or not hides.attached or self._output.format.name != "matroska":
            return
        if not append(self._part, hides.as_it_is, hides.attached):
            names = ", ".join(one.told for one in hides.attached)
            self.warnings.append(f"{names} could not be copied; left out")
            self.damaged = True

    def _copy(self, packet: Any) -> None:
        try:
            self._output.mux_one(packet)
        except Broken as error:
            if error.errno != errno.EINVAL and (error.errno or 0) < OWN_ERRORS:
                raise
            self._refused += 1  # times that run backwards, contents that are none: the source is damaged

    def mux(self, packet: Any) -> None:
        """One video packet, after everything that comes before it."""
        try:
            if packet.dts is not None:
                self._others.until(packet.dts * packet.time_base)
            packet.stream = self.video
            self._output.mux_one(packet)
        except (Broken, OSError) as error:
            raise write_error(error, self._dst) from error

    def finish(self, note: Path) -> None:
        """Write the rest and give the file its name. :param note: see :func:`vidinv.video.output.publish`."""
        try:
            self._others.until(None)
            self._output.close()
            self._append_attached()
            publish(self._part, self._dst, self._overwrite, note)
        except BaseException as error:
            self.abort()
            raise self._translated(error) from error
        if self._others.cut_short:
            self.warnings.append("the streams beside the video could not be read to their end")
        self._refused += sum(one.lost for one in self._again.values())
        self.damaged |= self._others.cut_short or self._refused > 0
        if self._refused:
            self.warnings.append(f"{self._refused} damaged packets were left out beside the video")

    def _translated(self, error: BaseException) -> BaseException:
        return write_error(error, self._dst) if isinstance(error, Broken | OSError) else error

    def abort(self) -> None:
        """Leave nothing behind."""
        if self._output is not None:
            container.discard(self._output)
        self._part.unlink(missing_ok=True)
