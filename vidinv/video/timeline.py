"""One clock for a file whose own clock jumps: recordings that were joined, broadcasts whose counter was set anew.

Only times are touched, those of all streams alike, so that sound stays in step with the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

FORWARD = Fraction(10)  # seconds: a longer gap is no pause but another clock (as the ffmpeg program has it)
BACK = Fraction(1, 10)  # ... and so is a step back by more than this
PATIENCE = Fraction(1)  # seconds of the new clock within which the other streams have to follow
TICK = Fraction(1, 90000)  # seconds, of the clock of MPEG systems


@dataclass
class _Track:
    """Where a stream of pictures or sound stands."""

    raw: Fraction  # decoding time of its last packet, on the file's clock
    length: Fraction = Fraction(0)  # of that packet
    dts: Fraction = Fraction(0)  # the same on the one clock
    end: Fraction = Fraction(0)  # when everything so far has been shown
    part: int = 0  # of the file, counted by the jumps of its clock

    def leap(self, raw: Fraction) -> Fraction:
        """By how much a next packet misses what was expected; 0: no more than a pause."""
        by = raw - self.raw - self.length
        return by if by > FORWARD or raw < self.raw - BACK else Fraction(0)


@dataclass
class _Joint:
    """A part that has begun, and waits for its place on the one clock."""

    leap: Fraction
    before: dict[int, _Track] = field(default_factory=dict)  # where its streams stood at the end of the part before
    held: list[tuple[Any, int]] = field(default_factory=list)  # packets, and the part that each is of
    first: dict[int, Fraction] = field(default_factory=dict)  # decoding time of each stream's first packet
    earliest: dict[int, Fraction] = field(default_factory=dict)  # and the first time at which it shows anything


def continuous(packets: Iterable[Any]) -> Iterator[Any]:
    """The packets of all streams of a file, in its order, with times that go on where its clock jumps.

    Every part is moved as a whole, to the first place at which it overlaps nothing of what went before.
    """
    clock = _Clock()
    for packet in packets:
        yield from clock.take(packet)
    yield from clock.placed()


def goes_on(packets: Iterable[Any], most: int) -> bool:
    """Does the clock of a file go on from its beginning to its end? False also where so many packets do not tell.

    :param packets: of all streams, in the file's order; their times are changed.
    """
    clock = _Clock()
    for count, packet in enumerate(packets):
        for _ in clock.take(packet):
            pass
        if clock.parts > 1 or count == most:
            return False
    for _ in clock.placed():
        pass
    return clock.parts == 1


class _Clock:
    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._offsets = [Fraction(0)]  # of the parts that have their place
        self._joint: _Joint | None = None  # the part after them

    @property
    def parts(self) -> int:
        """Those that have their place."""
        return len(self._offsets)

    @property
    def _newest(self) -> int:
        return len(self._offsets) - (self._joint is None)

    def take(self, packet: Any) -> Iterator[Any]:
        """What may go on, now that this packet has come."""
        raw = _raw(packet)
        if raw is None:  # without a time; also a demuxer's last words, before which everything is said
            yield from self.placed()
            yield packet
            return
        if packet.stream.type not in ("video", "audio"):  # too sparse to tell anything of the clock
            yield from self._held_or_moved(packet, self._newest)
            return
        number = packet.stream_index
        track = self._tracks.setdefault(number, _Track(raw))
        if self._joint is not None and track.part == self._newest and self._is_back(number, raw):
            yield from self._undone()
            track = self._tracks[number]
        leap = track.leap(raw)
        if leap and track.part == self._newest:
            yield from self.placed()
            self._joint = _Joint(leap)
        if track.part < self._newest and (leap or self._follows(track, raw)):
            if self._joint is not None:
                self._joint.before[number] = replace(track)
            track.part = self._newest
        track.raw, track.length = raw, _seconds(packet, packet.duration or 0)
        yield from self._held_or_moved(packet, track.part)
        joint = self._joint
        if joint is not None and track.part == self._newest:
            since, first = raw - joint.first[number], raw == joint.first[number]
            if since > PATIENCE or (not first and all(one.part == self._newest for one in self._tracks.values())):
                yield from self.placed()

    def _is_back(self, number: int, raw: Fraction) -> bool:
        """One packet had a wrong time, and the clock goes on as it was before."""
        before = None if self._joint is None else self._joint.before.get(number)
        return before is not None and bool(self._tracks[number].leap(raw)) and not before.leap(raw)

    def _follows(self, track: _Track, raw: Fraction) -> bool:
        """Is it the jump of another stream, which is smaller here, as that ended or begins otherwise?"""
        by = raw - track.raw - track.length
        return self._joint is not None and by * self._joint.leap > 0 and abs(by) * 2 >= abs(self._joint.leap)

    def _held_or_moved(self, packet: Any, part: int) -> Iterator[Any]:
        joint = self._joint
        if joint is None or part < self._newest:
            yield self._counted(packet, part)
            return
        joint.held.append((packet, part))
        number, shown = packet.stream_index, _shown(packet)
        if number in self._tracks:
            joint.first.setdefault(number, self._tracks[number].raw)
            joint.earliest[number] = min(joint.earliest.get(number, shown), shown)

    def placed(self) -> Iterator[Any]:
        """Give the last part its place, and let its packets go."""
        joint, self._joint = self._joint, None
        if joint is None:
            return
        tracks = self._tracks
        room = [
            max(tracks[n].end - joint.earliest[n], tracks[n].dts + TICK - first) for n, first in joint.first.items()
        ]
        self._offsets.append(max(room, default=self._offsets[-1]))
        for packet, part in joint.held:
            yield self._counted(packet, part)

    def _undone(self) -> Iterator[Any]:
        joint, self._joint = self._joint, None
        if joint is None:
            return
        self._tracks.update(joint.before)
        for packet, _ in joint.held:
            if packet.stream_index in joint.before:
                packet.pts = packet.dts = None
                yield packet
            else:
                yield self._counted(packet, self._newest)

    def _counted(self, packet: Any, part: int) -> Any:
        offset, track = self._offsets[part], self._tracks.get(packet.stream_index)
        if track is not None:
            track.dts = (_raw(packet) or Fraction(0)) + offset
            track.end = max(track.end, _shown(packet) + _seconds(packet, packet.duration or 0) + offset)
        return moved(packet, offset)


def moved(packet: Any, by: Fraction) -> Any:
    """The packet itself, so many seconds later."""
    if by:
        ticks = round(by / _base(packet))
        packet.pts = None if packet.pts is None else packet.pts + ticks
        packet.dts = None if packet.dts is None else packet.dts + ticks
    return packet


def _raw(packet: Any) -> Fraction | None:
    """Decoding time, seconds."""
    time = packet.dts if packet.dts is not None else packet.pts
    return None if time is None else _seconds(packet, time)


def _shown(packet: Any) -> Fraction:
    time = packet.pts if packet.pts is not None else packet.dts
    return _seconds(packet, time)


def _seconds(packet: Any, ticks: int) -> Fraction:
    return ticks * _base(packet)


def _base(packet: Any) -> Fraction:
    return Fraction(packet.time_base.numerator, packet.time_base.denominator)
