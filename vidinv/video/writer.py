"""Frames to a new video file beside everything else that the source carries."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from vidinv.errors import OutputUnwritable, UsageError
from vidinv.types import Backend, Frame
from vidinv.video import container
from vidinv.video.container import Broken
from vidinv.video.encoder import EncoderSettings
from vidinv.video.info import VideoInfo
from vidinv.video.joining import join
from vidinv.video.muxer import Muxer, check_output
from vidinv.video.output import chosen, part_path, write_error
from vidinv.video.parts import BuiltInEncoder, MakePart, Part, PartEncoder, finished


class Writer:
    """Encodes frames of the size of ``source`` to ``dst``; everything else is copied from the source's file.

    Frames go into parts, one of which ends where :meth:`split` is called, and which are joined at the end. Leaving the
    ``with`` block normally publishes the file; an exception leaves none. Opening raises UsageError, MissingExtra or an
    OutputError before any work; writing raises DiskFull or OutputUnwritable.

    :param folder: where the parts lie, and stay; on the file system of ``dst``. None: in a hidden one that is removed.
    :param parts: those that are there already, from the first frame on.
    :param mark: what the file is to say of its making; "": nothing.
    """

    def __init__(
        self,
        dst: str | Path,
        source: VideoInfo,
        settings: EncoderSettings | None = None,
        *,
        overwrite: bool = False,
        backend: Backend = "pyav",
        folder: Path | None = None,
        parts: Sequence[Part] = (),
        mark: str = "",
    ) -> None:
        self._dst, self._info, self._overwrite = Path(dst), source, overwrite
        self._settings = chosen(settings or EncoderSettings(), Path(dst))
        self._make, self._mark = _encoder(backend), mark
        self.parts = tuple(parts)
        self._encoder: PartEncoder | None = None
        self._pts: list[int] = []  # of the part that grows
        self._stays: int | None = None  # of its last frame
        self.damaged = False  # a stream beside the video; known at the end
        self._step, self._last = source.step, int(parts[-1].pts[-1]) if parts else None
        check_output(source.path, dst, overwrite)
        self._source = container.open_input(source.path)
        self._own = folder is None
        self._folder = folder or part_path(self._dst)
        try:
            if self._own:
                self._folder.mkdir()
            self.warnings = self._tried()
        except BaseException as error:
            self._tidy()
            raise self._translated(error) from error

    def _tried(self) -> list[str]:
        """What would be lost or refused at the very end is known before the work."""
        told: list[str] = []
        if self._make is BuiltInEncoder:
            tried = self._folder / f"tried{self._dst.suffix}"
            muxer = Muxer(self._dst, self._info, self._source, self._overwrite, tried, self._add_video)
            told = muxer.warnings
            muxer.abort()
        self._begin()
        assert self._encoder is not None  # it was just made
        return told + self._encoder.warnings

    def _add_video(self, output: Any) -> Any:
        return container.add_encoder(output, self._info, self._settings)[0]

    def _begin(self) -> PartEncoder:
        self._encoder = self._make(self._growing, self._info, self._settings)
        return self._encoder

    def write(self, frame: Frame) -> None:
        """Append one upright frame, [display_height, display_width, 3] RGB 0..255."""
        shape = (self._info.display_height, self._info.display_width, 3)
        if frame.image.shape != shape:
            raise OutputUnwritable(f"frame {frame.index} is {frame.image.shape}, the output is {shape}; keep the size")
        pts = frame.index * self._step if frame.pts is None else frame.pts
        if self._last is not None and pts <= self._last:
            raise OutputUnwritable(f"frame {frame.index} is not later than the one before; keep their order")
        encoder = self._encoder or self._begin()
        self._pts.append(pts)
        self._last, self._stays = pts, frame.stays
        try:
            encoder.write(frame, pts - self._pts[0])
        except (Broken, OSError) as error:
            raise self._translated(error) from error

    def split(self) -> tuple[Part, ...]:
        """End a part here, unless it has no frame yet. Returns all that are complete."""
        if self._encoder is not None and self._pts:
            try:
                self._encoder.close()
            except (Broken, OSError) as error:
                raise self._translated(error) from error
            self._encoder = None
            self.parts = (*self.parts, finished(self._growing, self._pts, self._stays))
            self._pts = []
        return self.parts

    @property
    def _growing(self) -> Path:
        return self._folder / f"part-{len(self.parts):05d}.mp4"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._tidy()

    def _finish(self) -> None:
        if not self.split():
            raise OutputUnwritable("no frame was given, so there is nothing to write")
        place = (self._folder, self._dst, self._info, self._source, self._overwrite, self._mark)
        told, self.damaged = join(self.parts, *place)
        self.warnings += [warning for warning in told if warning not in self.warnings]

    def _translated(self, error: BaseException) -> BaseException:
        return write_error(error, self._dst) if isinstance(error, Broken | OSError) else error

    def _tidy(self) -> None:
        """Leave nothing behind that is not complete."""
        if self._encoder is not None:
            self._encoder.abort()
            self._encoder = None
        self._source.close()
        if self._own:
            shutil.rmtree(self._folder, ignore_errors=True)


def _encoder(backend: Backend) -> MakePart:
    if backend == "ffmpeg":
        from vidinv.video.ffmpeg_part import FfmpegEncoder

        return FfmpegEncoder
    if backend != "pyav":
        raise UsageError(f"no encoding backend called {backend!r}; there are pyav, ffmpeg")
    return BuiltInEncoder
