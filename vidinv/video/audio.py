"""Everything beside the picture: audio, subtitles, data, chapters. Packets are copied as they are, never decoded.

Works on whatever looks like a packet or a stream; the library behind them is container.py's business.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

# Written by the muxer itself, or true of the source file only.
_CONTAINER_KEYS = {"major_brand", "minor_version", "compatible_brands", "encoder", "DURATION"}
_VIDEO_KEYS = {
    "encoder",
    "DURATION",
    "BPS",
    "NUMBER_OF_BYTES",
    "NUMBER_OF_FRAMES",
    "vendor_id",
    "alpha_mode",
    "ALPHA_MODE",
}


def container_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in metadata.items() if k not in _CONTAINER_KEYS}


def video_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Tags of the encoded stream; the statistics of the source's encoding no longer hold."""
    return {k: v for k, v in metadata.items() if k.split("-")[0] not in _VIDEO_KEYS and not k.startswith("_STATISTICS")}


def describe(stream: Any) -> str:
    """ "#1 audio aac (eng)" """
    context = stream.codec_context
    codec = context.codec.canonical_name if context else getattr(stream, "name", None) or "unknown"
    language = stream.metadata.get("language")
    return f"#{stream.index} {stream.type} {codec}" + (f" ({language})" if language not in (None, "und") else "")


def is_chapter_track(stream: Any, chapters: Sequence[Any]) -> bool:
    """MP4 keeps chapters a second time, as a track of titles; they are copied as chapters."""
    return bool(chapters) and stream.type == "data" and stream.name == "bin_data"


class Passthrough:
    """Copies packets in step with the video, so that neither side waits in memory for the other.

    ``packets`` is a demuxer in file order, ``targets`` maps an input stream's index to its output stream, ``write``
    muxes one packet, ``broken`` is what a damaged input raises.
    ``again`` has by index what encodes a stream once more: called with a packet it gives packets, and so does its
    ``last()`` at the end.
    """

    def __init__(
        self,
        packets: Iterator[Any],
        targets: Mapping[int, Any],
        write: Callable[[Any], None],
        broken: type[Exception],
        again: Mapping[int, Any] = {},
    ) -> None:
        self._packets, self._targets, self._write, self._broken = packets, targets, write, broken
        self._again = again
        self._ready: deque[tuple[Any, Any]] = deque()  # packets and their output streams
        self._decoded: dict[int, int] = {}  # by stream of pictures: its last packet's dts
        self.cut_short = False  # the input could not be read to its end

    def until(self, seconds: Fraction | None) -> None:
        """Write what is due before ``seconds`` (output time); None writes the rest."""
        while True:
            if not self._ready and not self._more():
                return
            packet, target = self._ready[0]
            if seconds is not None and packet.dts * packet.time_base > seconds:
                return
            self._ready.popleft()
            packet.stream = target
            self._write(packet)

    def _more(self) -> bool:
        """Read on until there is a packet; False at the end."""
        while not self._ready:
            try:
                packet = next(self._packets, None)
            except self._broken:
                self.cut_short = True
                packet = None
            if packet is None:
                again, self._again = self._again, {}
                self._ready += [(one, made.stream) for made in again.values() for one in made.last()]
                return bool(self._ready)
            if packet.size == 0:  # a demuxer's last words, meant for decoders
                continue
            if packet.stream_index in self._again:
                made = self._again[packet.stream_index]
                self._ready += [(one, made.stream) for one in made(packet)]
            elif (
                packet.size != 2
                or packet.stream.codec_context is None
                or packet.stream.codec_context.name != "mov_text"
            ):
                # Two bytes say "show nothing", with which MP4 fills the gaps between subtitles, and will again.
                self._ready.append((self._timed(packet), self._targets[packet.stream_index]))
        return True

    def _timed(self, packet: Any) -> Any:
        # A cover picture has no time at all; some containers give only one of the two.
        pts = packet.pts if packet.pts is not None else packet.dts
        dts = packet.dts if packet.dts is not None else pts
        if packet.dts is None and (last := self._decoded.get(packet.stream_index)) is not None:
            dts = last
        packet.pts, packet.dts = (0, 0) if pts is None else (pts, dts)
        self._in_order(packet)
        return packet

    def _in_order(self, packet: Any) -> None:
        """Matroska knows only when pictures are shown; of a video's first ones nobody says when they are decoded."""
        if packet.stream.type != "video":
            return
        last = self._decoded.get(packet.stream_index)
        if last is not None:
            packet.dts = min(max(packet.dts, last + 1), max(packet.pts, packet.dts))
        self._decoded[packet.stream_index] = packet.dts
