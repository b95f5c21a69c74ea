"""What is known of a video file, without the library that read it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

UNSPECIFIED = 2  # of primaries, transfer and matrix
LARGE = 1 << 23  # bytes of a frame's RGB from which it is large: those of 1080p are not


@dataclass(frozen=True)
class ColourTags:
    """The numbers of ITU-T H.273, as the stream states them; nothing is guessed here."""

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    range: int = 0  # 0 unspecified, 1 limited (16..235), 2 full (0..255)


@dataclass(frozen=True)
class VideoInfo:
    """One video stream of one file, and the names of the streams beside it."""

    path: Path
    container: str  # name of the format, as "mov,mp4,m4a,3gp,3g2,mj2"
    codec: str  # "h264"
    pix_fmt: str  # "yuv420p"
    width: int  # pixels, as coded
    height: int
    display_width: int  # pixels, after rotation; the sample aspect ratio is not applied
    display_height: int
    rotation: int  # degrees counter-clockwise that bring the coded picture upright
    matrix: tuple[int, ...] | None  # 9 integers, the display matrix as stored; None: none stored
    sample_aspect_ratio: Fraction | None  # None: not stated, which means square
    rate: Fraction  # frames per second, the average
    time_base: Fraction  # seconds per tick of a frame's pts
    frames: int | None  # as declared, or estimated from duration and rate; None: neither is known
    duration: Fraction | None  # seconds; None: not stated, or stated by a clock that jumps or is not known not to
    colour: ColourTags
    stream_index: int
    start: Fraction  # seconds, the earliest time in the file
    other_streams: tuple[str, ...]  # as "#1 audio aac (eng)"
    left_out: tuple[str, ...] = ()  # warnings of what is too large to be read

    @property
    def step(self) -> int:
        """Ticks between frames at the rate."""
        return max(1, round(1 / (self.rate * self.time_base)))

    @property
    def is_large(self) -> bool:
        """Whether a frame's room is worth more than the time that doing without it takes."""
        return are_large(self.width, self.height)


def are_large(width: int, height: int) -> bool:
    """Frames of so many pixels."""
    return 3 * width * height >= LARGE


@dataclass(frozen=True)
class Damage:
    """What a damaged file did not give."""

    frames_lost: int  # declared, but never decoded
    frames_corrupt: int  # decoded with errors, kept
    at: Fraction | None  # seconds, where the first loss showed
    cause: str = ""  # what is known of the file itself, as "it ends 1000 bytes early"

    def __str__(self) -> str:
        counts = ((self.frames_lost, "lost"), (self.frames_corrupt, "decoded with errors"))
        parts = [f"{count} frame{'s' * (count != 1)} {what}" for count, what in counts if count]
        where = "" if self.at is None or not parts else f", the first near {float(self.at):.2f} s"
        cause = f"{self.cause}{'; ' if parts else ''}" if self.cause else ""
        return f"the input is damaged: {cause}{' and '.join(parts)}{where}"
