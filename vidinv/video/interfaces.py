"""What every way of writing frames has in common."""

from __future__ import annotations

from typing import Protocol, Self

from vidinv.types import Frame


class FrameWriter(Protocol):
    """A context manager that takes frames; leaving it normally publishes the file, an exception leaves nothing."""

    warnings: list[str]

    def write(self, frame: Frame) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, /, *rest: object) -> None: ...
