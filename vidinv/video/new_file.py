"""Writes frames into a new video file that is made of no other."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Self

from vidinv.errors import OutputUnwritable
from vidinv.types import Frame
from vidinv.video import container
from vidinv.video.container import Broken
from vidinv.video.encoder import EncoderSettings
from vidinv.video.info import ColourTags, VideoInfo
from vidinv.video.output import check_writable, chosen, output_format, part_path, publish, write_error
from vidinv.video.pixels import YuvConverter


def check_new(dst: str | Path, overwrite: bool = False) -> None:
    """Raise now what would otherwise be raised after the work: an OutputError."""
    output_format(Path(dst))
    check_writable(Path(dst), overwrite)


class NewVideo:
    """Encodes frames of one size and rate to ``dst``; the file appears at the end of the ``with`` block, or not at all.

    :param size: width and height, pixels. :param rate: frames per second.
    :raises OutputError: the file cannot be written. :raises UsageError: an encoder or a preset that is not there.
    """

    def __init__(
        self,
        dst: str | Path,
        size: tuple[int, int],
        rate: Fraction,
        settings: EncoderSettings | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        check_new(dst, overwrite)
        self._dst, self._overwrite, self._part = Path(dst), overwrite, part_path(Path(dst))
        self._info = VideoInfo(
            path=self._dst, container="", codec="", pix_fmt="yuv420p", width=size[0], height=size[1],
            display_width=size[0], display_height=size[1], rotation=0, matrix=None, sample_aspect_ratio=None, rate=rate,
            time_base=1 / rate, frames=None, duration=None, colour=ColourTags(), stream_index=0, start=Fraction(0),
            other_streams=(),
        )  # fmt: skip
        self.warnings: list[str] = []
        self._count = 0
        self._output: Any = None
        try:
            self._output = container.open_output(self._part, output_format(self._dst), {"movflags": "+faststart"})
            asked = chosen(settings or EncoderSettings(), self._dst)
            self._encoder, warning = container.add_encoder(self._output, self._info, asked)
            self.warnings += [warning] if warning else []
            self._to_yuv = YuvConverter(self._info, self._encoder.codec_context.pix_fmt)
            self._output.start_encoding()
        except BaseException as error:
            self._abort()
            raise self._translated(error) from error

    def write(self, frame: Frame) -> None:
        """Append one frame, [H, W, 3] RGB 0..255; it lasts for one tick of the rate."""
        if frame.image.shape != (self._info.height, self._info.width, 3):
            raise OutputUnwritable(f"frame {frame.index} is {frame.image.shape}; keep the size of the first")
        picture = self._to_yuv(frame.picture())
        picture.pts, picture.time_base = self._count, self._info.time_base
        self._count += 1
        self._mux(picture)

    def _mux(self, picture: Any) -> None:
        try:
            for packet in self._encoder.encode(picture):
                packet.stream = self._encoder
                packet.duration = packet.duration or 1
                self._output.mux_one(packet)
        except (Broken, OSError) as error:
            raise write_error(error, self._dst) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._abort()
            return
        try:
            if not self._count:
                raise OutputUnwritable("no frame was given, so there is nothing to write")
            self._mux(None)
            self._output.close()
            publish(self._part, self._dst, self._overwrite)
        except BaseException as error:
            self._abort()
            raise self._translated(error) from error

    def _translated(self, error: BaseException) -> BaseException:
        return write_error(error, self._dst) if isinstance(error, Broken | OSError) else error

    def _abort(self) -> None:
        """Leave nothing behind."""
        if self._output is not None:
            container.discard(self._output)
        self._part.unlink(missing_ok=True)
