"""Reads frames: the whole stream in order, or one of them by time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import floor
from pathlib import Path
from threading import Lock
from typing import Any, Self

from vidinv.errors import InputError, NotAVideo
from vidinv.types import Frame, no_picture
from vidinv.video import colour, orientation
from vidinv.video.container import (
    Broken,
    beginning,
    carried,
    clock_jumps,
    demux,
    exact,
    open_input,
    read_info,
    threads_for,
    video_stream,
)
from vidinv.video.demuxers import MOST_PIXELS
from vidinv.video.dolby import DolbyVision, dolby_vision
from vidinv.video.info import UNSPECIFIED, Damage, VideoInfo
from vidinv.video.matroska import is_whole
from vidinv.video.pixels import Decoded, RgbConverter, is_cuttable
from vidinv.video.timing import stream_duration
from vidinv.video.whole import identity_of, missing_bytes, what_happened

INTERLACED = (
    "it is interlaced: its fields are edited woven into frames, and the output is marked progressive; deinterlace it "
    "first for clean edges (ffmpeg -i IN -vf bwdif -c:a copy OUT)"
)
CAPTIONS = "closed captions inside its pictures are not kept; extract them first, as a subtitle track or file"
RESIZED = "its pictures change their size on the way; they are fitted into the first one's size, with bars"
_RPU = {"DOVI_RPU_BUFFER", "DOVI_METADATA"}


def probe(path: str | Path) -> VideoInfo:
    """What a video file is. Decodes its first frame. Raises an InputError."""
    with Reader(path) as reader:
        return reader.info


@dataclass(frozen=True)
class _Coded:
    """A picture as it is decoded; beside it what Frame says of it."""

    picture: Any
    index: int
    pts: int
    stays: int | None


class Reader:
    """Decodes one video stream, once, from start to end. Raises an InputError when opened.

    ``warnings`` says what was changed on reading; ``damage`` is final when the iteration has ended.
    """

    def __init__(self, path: str | Path, threads: int = 0) -> None:
        self._path, self._threads = Path(path), threads
        self._identity = identity_of(self._path) if os.path.isfile(self._path) else None
        self._container = open_input(self._path)
        try:
            self._stream = video_stream(self._container, self._path)
            self._stream.codec_context.thread_type = "AUTO"
            size = self._stream.codec_context.width, self._stream.codec_context.height
            self._stream.codec_context.thread_count = threads_for(*size, threads)
            # MP4 lists its packets, also those that an edit list hides; elsewhere such counts go stale.
            self._promised = len(self._stream.index_entries) if "mov" in self._container.format.name else 0
            # Beside MP4 only Matroska says what has to be there.
            self._whole = "matroska" in self._container.format.name and is_whole(self._path)
            self._packets = self._hidden = self._errors = self._corrupt = self._frames = 0
            self._bad_at: Fraction | None = None
            self._end: Fraction | None = None
            self._decoded = self._decode()
            self._first = next(self._decoded, None)
            if self._first is None:
                raise NotAVideo(
                    f"{self._path} holds no picture that can be decoded; check that the file is complete, and its "
                    f"pictures have no more than {MOST_PIXELS} pixels (8192x4320)"
                )
            self.info = read_info(self._path, self._container, self._stream, self._first)
            record = dolby_vision(self._path, self.info.container)
            if record is None and _RPU & carried(self._first) and self.info.colour.transfer == UNSPECIFIED:
                record = DolbyVision(5, 0)  # a broadcast has no such record
            colour.refuse_hdr(self.info.colour, str(self._path), record)
            self._to_rgb, self._converting = RgbConverter(self.info), Lock()  # compact frames ask from any thread
        except BaseException:
            self._container.close()
            raise
        self.damage: Damage | None = None
        self.warnings: list[str] = []
        if self._stream.start_time is None and self._first.pts is None:
            self.warnings.append(
                f"the input carries no times; it is taken for {float(self.info.rate):g} frames per second"
            )
        alpha = any(part.is_alpha for part in self._first.format.components)
        if alpha and "gif" in self.info.container:  # which is always decoded with alpha
            alpha = bool(self._first.to_ndarray(format="rgba")[..., 3].min() < 255)
        if alpha or {k.lower(): v for k, v in self._stream.metadata.items()}.get("alpha_mode") == "1":
            self.warnings.append("its transparency is not kept: what is see-through is written as it is coded, opaque")
        if self._first.format.components[0].bits > 8:
            self.warnings.append(f"{self.info.pix_fmt} is read at 8 bits per channel")
        if orientation.from_matrix(self.info.matrix) is None:
            self.warnings.append(f"rotation by {self.info.rotation} degrees stays a tag; frames are read unrotated")

    def again(self) -> Reader:
        """A second decoder of this file, at its start. It has as many threads: of a damaged file their number tells how
        many frames come, and with what in them. To be opened with the first one, whatever becomes of the name later.

        :raises InputError: the name is another file's by now.
        """
        again = Reader(self._path, self._threads)
        if again._identity == self._identity:
            return again
        again.close()
        raise InputError(f"{self._path}: {what_happened(self._identity, again._identity)}; start again")

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(self, first: int = 0, *, compact: bool = False) -> Iterator[Frame]:
        """Every frame from that index on. Those before it are decoded too, which alone tells their number and times in
        any file, but not converted.

        :param compact: they stay as they are decoded until pixels are asked for, where parts of them can be made, or
            where they are large: see ``Frame.coded``.
        """
        for coded in self._timed():
            if coded.index >= first:
                yield self._converted(coded, compact)

    def _converted(self, coded: _Coded, compact: bool = False) -> Frame:
        time, picture = coded.pts * self.info.time_base, coded.picture
        frame = partial(Frame, index=coded.index, pts=coded.pts, time=time, stays=coded.stays)
        height, width = self.info.display_height, self.info.display_width
        cuttable = is_cuttable(picture, self.info)
        smaller = self.info.is_large and sum(plane.buffer_size for plane in picture.planes) < 3 * height * width
        if compact and (cuttable or smaller):
            return frame(no_picture(height, width), coded=Decoded(picture, self._to_rgb, self._converting, cuttable))
        with self._converting:
            return frame(self._to_rgb(picture))

    def _timed(self) -> Iterator[_Coded]:
        """All that is shown, with its times, for those who convert only some of it."""
        last: int | None = None
        stays: int | None = None
        step, fell = self.info.step, 0
        frame, self._first = self._first, None
        while frame is not None:
            after = next(self._decoded, None)
            self._look(frame)
            pts = frame.pts if frame.pts is not None else frame.dts
            if pts is None or (last is not None and pts <= last):
                # No container takes time that stands still. What falls back is shown a frame's time later: a tick, and
                # the rest of a video whose clock fell once would be over at once.
                fell += pts is not None and last is not None and pts < last
                pts = 0 if last is None else last + (1 if pts == last else step)
            last, self._end = pts, (pts + max(step, frame.duration or 0)) * self.info.time_base
            if after is None and (stays := self._stays(frame, pts, step)) is not None:
                self._end = (pts + stays) * self.info.time_base
            yield _Coded(frame, self._frames, pts, stays)
            self._frames += 1
            frame = after
        if fell:
            told = f"the times of {fell} of {self._frames} pictures fall back"
            self.warnings.append(f"{told}; each is shown a frame's time behind the one before it")
        self.damage = self._assess()

    def _look(self, frame: Any) -> None:
        """Say once what of a frame cannot be kept."""
        beside = carried(frame)
        found = (
            (frame.interlaced_frame, INTERLACED),
            ("A53_CC" in beside, CAPTIONS),
            ((frame.width, frame.height) != (self.info.width, self.info.height), RESIZED),
        )
        self.warnings += [text for is_so, text in found if is_so and text not in self.warnings]

    def _stays(self, frame: Any, pts: int, step: int) -> int | None:
        """See Frame: what a last frame's own record says, or what its stream's duration leaves for it."""
        if self._errors or self._corrupt or self._packets < self._promised:
            return None  # it is not the last that was meant
        own = frame.duration or 0
        if (self._whole or self._promised) and (end := self._promised_end()) is not None:
            own = round(end / self.info.time_base) - pts  # MP4's own record is of the last one stored
        return own if own > 1.5 * step else None

    def _decode(self) -> Generator[Any, None, None]:
        due: deque[int | None] = deque()
        stored = self._counts_places
        for packet in demux(self._container, self._stream, self._failed):
            if packet.size:
                self._packets += 1
                self._hidden += packet.is_discard
                if stored:
                    due.append(packet.dts)
            try:
                frames = packet.decode()
            except Broken:
                self._failed(packet.pts)
                if due:
                    due.pop()
                continue
            for frame in frames:
                if stored and due:
                    frame.pts = due.popleft()
                if frame.is_corrupt:
                    self._corrupt += 1
                    self._mark(frame.pts)
                yield frame

    @property
    def _counts_places(self) -> bool:
        """AVI tells when each picture is stored, one at each tick, and not which is shown when."""
        return "avi" in self._container.format.name

    @property
    def _stored_out_of_order(self) -> bool:
        """Pictures behind a seek would get the places of others, which can be decoded only with what lies before."""
        return self._counts_places and not self._stream.codec_context.codec.intra_only

    def _failed(self, pts: int | None = None) -> None:
        self._errors += 1
        self._mark(pts)

    def _mark(self, pts: int | None) -> None:
        if self._bad_at is None and pts is not None:
            self._bad_at = pts * exact(self._stream.time_base)

    def _assess(self) -> Damage | None:
        """Compare what came with what was promised; only where something points to damage, as counts may be wrong."""
        lost, info = self._errors, self.info
        if self._promised:
            missing = self._promised - self._hidden - self._frames
            lost = max(missing, 0) if self._errors or self._corrupt or self._packets < self._promised else 0
        elif (promised := self._promised_end()) is not None and self._end is not None:
            absent = promised - self._end
            lost = max(lost, round(absent * info.rate)) if absent > max(Fraction(1), 3 / info.rate) else lost
        cause = self._cause()
        if not lost and not self._corrupt and not cause:
            return None
        return Damage(lost, self._corrupt, self._bad_at if self._bad_at is not None else self._end, cause)

    def _cause(self) -> str:
        """What happened to the file meanwhile, or that it says it is longer."""
        if (happened := what_happened(self._identity, identity_of(self._path))) or self._identity is None:
            return happened
        with suppress(OSError):
            if missing := missing_bytes(self._path, self._listed):
                return f"the file ends {missing} byte{'s' * (missing != 1)} early"
        return ""

    def _listed(self) -> int:
        """Where the last packet of any stream ends that MP4's index names; 0: there is none."""
        ends = (one.pos + one.size for stream in self._container.streams for one in stream.index_entries)
        return max(ends, default=0) if self._promised else 0

    def _promised_end(self) -> Fraction | None:
        """Seconds, as the container says."""
        promised = stream_duration(self._stream)
        if promised is None or self.info.duration is None:  # a clock that jumps tells nothing of the end
            return None
        # Matroska's tag tells when a stream ends, others how long it is.
        return promised + (self._start if self._stream.duration else -beginning(self._container))

    @property
    def _start(self) -> Fraction:
        """Seconds, of the first picture."""
        return (self._stream.start_time or 0) * exact(self._stream.time_base) - beginning(self._container)

    def close(self) -> None:
        self._decoded.close()
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def frame_at(path: str | Path, seconds: float | Fraction) -> Frame:
    """The frame on screen at a time, found by seeking; before the start the first, after the end the last one.

    ``index`` is counted from time and average rate, so it is exact only at a constant frame rate.
    Raises an InputError.
    """
    with Reader(path) as reader:
        if clock_jumps(reader._container) or reader._stored_out_of_order:
            return _last_until(reader, Fraction(seconds))
        info, stream = reader.info, reader._stream
        start, shift = reader._start, beginning(reader._container)
        target = max(Fraction(seconds), start)
        best: Any = None
        for back in (0, 2, 10, None):  # a seek may land late where pictures are stored out of order
            offset = start if back is None else max(target - back, start)
            with suppress(Broken):
                reader._container.seek(floor((offset + shift) / info.time_base), stream=stream)
            for frame in reader._decode():
                if frame.pts is not None and frame.pts * info.time_base > target and best is not None:
                    break
                if frame.pts is not None:
                    best = frame
            if best is not None and (best.pts * info.time_base <= target or back is None):
                break
            best = None if back is not None else best
        best = best or reader._first
        time = (best.pts or 0) * info.time_base
        return Frame(reader._to_rgb(best), round((time - start) * info.rate), best.pts, time)


def _last_until(reader: Reader, seconds: Fraction) -> Frame:
    """By decoding all that lies before: a clock that jumps is none to seek by, and where only the places tell what is
    shown when, all have to be counted."""
    best: _Coded | None = None
    for coded in reader._timed():
        if best is not None and coded.pts * reader.info.time_base > seconds:
            break
        best = coded
    assert best is not None  # a reader has a first frame
    return reader._converted(best)
