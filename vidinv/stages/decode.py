"""Video file -> frames, in order, as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vidinv.types import Frame
from vidinv.video import Reader


@dataclass(frozen=True)
class DecodeOptions:
    threads: int = 0  # of the decoder; 0: as many as there are cores, and above 1080p four at most


def decode(source: str | Path | Reader, options: DecodeOptions | None = None) -> Iterator[Frame]:
    """Every frame of a file, or of a Reader that the caller keeps in order to ask it for ``damage`` afterwards.

    A path is opened at the first frame and closed at the end or when the generator is. Raises an InputError.
    """
    if isinstance(source, Reader):
        yield from source
        return
    with Reader(source, (options or DecodeOptions()).threads) as reader:
        yield from reader
