"""What every way of reading one frame, and of writing all of them, has in common."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Protocol, Self

from vidinv.types import Frame


class FrameAt(Protocol):
    """The frame on screen at a time: the last one that starts at or before ``seconds``, clamped to the stream."""

    def __call__(self, path: str | Path, seconds: float | Fraction) -> Frame: ...


class FrameWriter(Protocol):
    """A context manager that takes frames; leaving it normally publishes the file, an exception leaves nothing."""

    warnings: list[str]

    def write(self, frame: Frame) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...
