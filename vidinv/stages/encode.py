"""Frames -> video file; each frame is handed on once it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from vidinv.bounds import checked
from vidinv.runtime.steps import Snapshot
from vidinv.types import Backend, Frame
from vidinv.video import EncoderSettings, VideoInfo, Writer
from vidinv.video.parts import Part


@dataclass(frozen=True)
class EncodeOptions(EncoderSettings):
    overwrite: bool = False  # replace an existing output
    backend: Backend = "pyav"
    segment: float = 8.0  # seconds that one encoder takes, and after which an interrupted run can go on
    mark: bool = True  # say in the file's own tags that it was edited, and what was

    def __post_init__(self) -> None:
        checked("segment", self.segment)
        checked("encoder_threads", self.threads, "threads")
        if self.crf is not None:
            checked("crf", self.crf)


@dataclass(frozen=True)
class EncodeState:
    """What is written so far."""

    parts: tuple[Part, ...] = ()


def encode(
    frames: Iterable[Frame | Snapshot],
    dst: str | Path,
    source: VideoInfo,
    options: EncodeOptions | None = None,
    warn: Callable[[str], None] = lambda message: None,
    folder: Path | None = None,
    state: EncodeState = EncodeState(),
    hurt: Callable[[], None] = lambda: None,
    mark: str = "",
) -> Iterator[Frame | Snapshot]:
    """Write ``frames`` to ``dst`` beside everything else of ``source``, and yield them, one out per one in.

    The file gets its name after the last frame; closing the generator early, or an error, leaves none. ``warn`` is told
    at the end what could not be kept. Raises UsageError, an OutputError or MissingExtra.

    A snapshot ends a part of the video, and comes out with the state added under "encode": with it and the same folder
    writing goes on behind that part.

    :param folder: where parts lie, and stay; None: in a hidden one that is removed. :param state: to go on from.
    :param hurt: is called at the end if a stream beside the video is damaged.
    :param mark: what the file says of its making, where the options want that it does; "": nothing.
    """
    options = options or EncodeOptions()
    writer = Writer(
        dst,
        source,
        options,
        overwrite=options.overwrite,
        backend=options.backend,
        folder=folder,
        parts=state.parts,
        mark=mark if options.mark else "",
    )
    with writer:
        for item in frames:
            if isinstance(item, Snapshot):
                yield replace(item, states={**item.states, "encode": EncodeState(writer.split())})
                continue
            writer.write(item)
            yield item
    for message in writer.warnings:
        warn(message)
    if writer.damaged:
        hurt()
