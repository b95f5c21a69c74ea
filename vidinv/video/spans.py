"""When picture and sound of a file begin and end, from the packets' times; nothing is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidinv.video.container import demux, open_input, video_stream


@dataclass(frozen=True)
class Spans:
    """Seconds on the file's clock; a packet ends when it has lasted its duration."""

    video: tuple[float, float]
    audio: tuple[float, float] | None  # of the first audio track; None: the file has none


def read_spans(path: str | Path) -> Spans:
    """Raises an InputError."""
    path = Path(path)
    container = open_input(path)
    try:
        picture, sound = video_stream(container, path), next(iter(container.streams.audio), None)
        ends: dict[int, tuple[float, float]] = {}
        for packet in demux(container, [s for s in (picture, sound) if s is not None]):
            time = packet.pts if packet.pts is not None else packet.dts
            if time is None or packet.is_discard:
                continue
            begin, end = (float(t * packet.time_base) for t in (time, time + (packet.duration or 0)))
            low, high = ends.get(packet.stream_index, (begin, end))
            ends[packet.stream_index] = min(low, begin), max(high, end)
        return Spans(ends.get(picture.index, (0.0, 0.0)), ends.get(sound.index) if sound is not None else None)
    finally:
        container.close()
