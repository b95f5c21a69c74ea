"""Parts of a video: what one encoder made of a run of frames, in a file of its own that is never encoded again.

A part is an MP4 file of one stream whose clock starts at its first frame. It says in which order pictures are decoded;
when they are shown says ``Part.pts``, in ticks of the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vidinv.errors import OutputUnwritable
from vidinv.types import Frame
from vidinv.video import container
from vidinv.video.container import Broken, YuvConverter
from vidinv.video.encoder import EncoderSettings
from vidinv.video.info import VideoInfo


@dataclass(frozen=True)
class Part:
    """A part that is complete."""

    file: str  # its name, without folders
    size: int  # bytes
    pts: NDArray[np.int64]  # [N] of its frames as they are shown, ticks of the source
    delay: int  # frames by which decoding runs ahead of showing
    stays: int | None = None  # ticks, of the last frame: see Frame


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


def clocks(info: VideoInfo) -> dict[str, int]:
    """Options of MP4's muxer that keep the source's ticks: by default the whole file's clock has milliseconds."""
    return dict.fromkeys(("video_track_timescale", "movie_timescale"), info.time_base.denominator)


class BuiltInEncoder:
    """A :class:`PartEncoder` by the bundled libraries."""

    def __init__(self, path: Path, info: VideoInfo, settings: EncoderSettings) -> None:
        self._path, self._info, self._settings = path, info, settings
        options = {name: str(ticks) for name, ticks in clocks(info).items()}
        self._output = container.open_output(path, "mp4", options)
        try:
            self._stream, warning = container.add_encoder(self._output, info, settings)
            self._to_yuv = YuvConverter(info, self._stream.codec_context.pix_fmt)
            self._output.start_encoding()
        except BaseException:
            self.abort()
            raise
        self.warnings = [warning] if warning else []
        # An encoder that cannot count in the source's ticks is given frame numbers.
        self._counts_frames = container.exact(self._stream.codec_context.time_base) != info.time_base
        self._given = 0
        self._inside: dict[int, int] = {}  # pts as the encoder sees it -> true pts

    def write(self, frame: Frame, pts: int) -> None:
        picture = self._to_yuv(frame.image)
        picture.pts, picture.time_base = pts, self._info.time_base
        if self._counts_frames:
            picture.pts, picture.time_base = self._given, self._stream.codec_context.time_base
        self._inside[picture.pts] = pts
        self._given += 1
        self._mux(picture)

    def _mux(self, picture: Any) -> None:
        try:
            packets = self._stream.encode(picture)
        except Broken as error:
            raise OutputUnwritable(f"{self._settings.codec} failed: {error.strerror}; try another --codec") from error
        for packet in packets:
            pts = self._inside.pop(packet.pts)
            if self._counts_frames:
                packet.pts = packet.dts = pts
                packet.time_base = self._info.time_base
            packet.stream = self._stream
            self._output.mux_one(packet)

    def close(self) -> None:
        self._mux(None)
        self._output.close()

    def abort(self) -> None:
        container.discard(self._output)
        self._path.unlink(missing_ok=True)


def finished(path: Path, info: VideoInfo, pts: Sequence[int], stays: int | None = None) -> Part:
    """The part in a file, of frames that are shown at ``pts``; the last of them ``stays``.

    :raises OutputUnwritable: the file holds others.
    """
    shown = [ticks for ticks, _ in packets_of(path, info)]
    if sorted(shown) != [ticks - pts[0] for ticks in pts]:
        raise OutputUnwritable(f"the encoder gave {len(shown)} other pictures for {len(pts)}; try another --codec")
    ranks = np.argsort(np.argsort(shown))
    delay = int((np.arange(len(shown)) - ranks).max())
    return Part(path.name, path.stat().st_size, np.array(pts, np.int64), delay, stays)


def packets_of(path: Path, info: VideoInfo) -> Iterator[tuple[int, Any]]:
    """Packets of a part as they are decoded, each with when it is shown, in ticks after the part's first frame.

    :raises OutputUnwritable: it cannot be read back.
    """
    try:
        with container.open_input(path) as encoded:
            for packet in encoded.demux(encoded.streams.video[0]):
                if packet.size:
                    yield container.to_ticks(packet, info.time_base)[0], packet
    except (Broken, OSError) as error:
        raise OutputUnwritable(f"{path} cannot be read back ({error}); begin anew") from error
