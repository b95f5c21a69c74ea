"""Parts of a video: what one encoder made of a run of frames, in a file of its own that is never encoded again.

A part is an MP4 file of one stream. In which order its pictures are decoded and shown is read off it; when they are
shown says ``Part.pts``, in ticks of the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vidinv.errors import OutputUnwritable
from vidinv.types import Frame
from vidinv.video import container
from vidinv.video.container import Broken
from vidinv.video.encoder import EncoderSettings
from vidinv.video.info import VideoInfo
from vidinv.video.pixels import YuvConverter


@dataclass(frozen=True)
class Part:
    """A part that is complete."""

    file: str  # its name, without folders
    pts: NDArray[np.int64]  # [N] of its frames as they are shown, ticks of the source
    order: NDArray[np.int64]  # [N] of its packets as they are decoded, which frame of the part each one shows
    stays: int | None = None  # ticks, of the last frame: see Frame

    def __post_init__(self) -> None:
        if Path(self.file).name != self.file:
            raise ValueError(f"{self.file!r} is no name of a part")

    @property
    def delay(self) -> int:
        """Frames by which decoding runs ahead of showing."""
        return int((np.arange(len(self.order)) - self.order).max())


class PartEncoder(Protocol):
    """Makes one part. After ``close`` the file is complete; after ``abort`` there is none.

    Opening raises UsageError, OutputError or MissingExtra; the others OutputUnwritable where the encoder fails, and
    ``container.Broken`` or OSError where the file cannot be written.
    """

    warnings: list[str]

    def write(self, frame: Frame, pts: int) -> None:
        """Append an upright frame, [display_height, display_width, 3] RGB 0..255, shown at ``pts`` (ticks from 0)."""
        ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


MakePart = Callable[[Path, VideoInfo, EncoderSettings], PartEncoder]


CLOCK = Fraction(1, 1000)  # seconds, a tick of built-in parts, as MP4 counts by itself
STEP = 40  # ticks of theirs from frame to frame
LEAD = 64  # frames by which decoding runs ahead in them: more than any encoder reorders


class BuiltInEncoder:
    """A :class:`PartEncoder` by the bundled libraries.

    The clock of its parts counts frames. Encoders' own decoding times are not used: those of very short streams can be
    garbage (x265 4.1 for fewer frames than it reorders).
    """

    def __init__(self, path: Path, info: VideoInfo, settings: EncoderSettings) -> None:
        self._path, self._info, self._settings = path, info, settings
        self._output = container.open_output(path, "mp4", {})
        try:
            self._stream, warning = container.add_encoder(self._output, info, settings)
            self._stream.time_base = CLOCK
            self._to_yuv = YuvConverter(info, self._stream.codec_context.pix_fmt)
            self._output.start_encoding()
        except BaseException:
            self.abort()
            raise
        self.warnings = [warning] if warning else []
        # An encoder that cannot count in the source's ticks is given frame numbers.
        self._counts_frames = container.exact(self._stream.codec_context.time_base) != info.time_base
        self._given = self._muxed = 0
        self._inside: dict[int, int] = {}  # pts as the encoder sees it -> number of the frame

    def write(self, frame: Frame, pts: int) -> None:
        picture = self._to_yuv.encodable(frame)
        picture.pts, picture.time_base = pts, self._info.time_base
        if self._counts_frames:
            picture.pts, picture.time_base = self._given, self._stream.codec_context.time_base
        self._inside[picture.pts] = self._given
        self._given += 1
        self._mux(picture)

    def _mux(self, picture: Any) -> None:
        try:
            packets = self._stream.encode(picture)
        except Broken as error:
            raise OutputUnwritable(f"{self._settings.codec} failed: {error.strerror}; try another --codec") from error
        for packet in packets:
            packet.pts, packet.dts = STEP * self._inside.pop(packet.pts), STEP * (self._muxed - LEAD)
            packet.duration, packet.time_base, packet.stream = STEP, CLOCK, self._stream
            self._muxed += 1
            self._output.mux_one(packet)

    def close(self) -> None:
        self._mux(None)
        self._output.close()

    def abort(self) -> None:
        container.discard(self._output)
        self._path.unlink(missing_ok=True)


def finished(path: Path, pts: Sequence[int], stays: int | None = None) -> Part:
    """The part in a file, of frames that are shown at ``pts``; the last of them ``stays``.

    :raises OutputUnwritable: the file holds others.
    """
    shown = [packet.pts for packet in packets_of(path)]
    if len(set(shown)) != len(pts):
        raise OutputUnwritable(f"the encoder gave {len(set(shown))} pictures for {len(pts)}; try another --codec")
    order = np.argsort(np.argsort(shown))
    return Part(path.name, np.array(pts, np.int64), order.astype(np.int64), stays)


def packets_of(path: Path) -> Iterator[Any]:
    """Packets of a part as they are decoded. :raises OutputUnwritable: it cannot be read back."""
    try:
        with container.open_input(path) as encoded:
            yield from (packet for packet in encoded.demux(encoded.streams.video[0]) if packet.size)
    except (Broken, OSError) as error:
        raise OutputUnwritable(f"{path} cannot be read back ({error}); begin anew") from error
