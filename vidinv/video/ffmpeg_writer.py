"""Encodes through the system's ``ffmpeg`` (extra "ffmpeg"), for encoders that the bundled libraries lack.

Only the encoding is handed over. Frames are converted here and go through a pipe as NUT, which carries exact times
where raw video has none; what comes back is joined with the source's other streams by the same code as everywhere.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, Self

from vidinv.errors import MissingExtra, OutputError, OutputUnwritable
from vidinv.types import Frame
from vidinv.video import colour, container
from vidinv.video.encoder import EncoderSettings, encoder_options
from vidinv.video.info import VideoInfo
from vidinv.video.output import part_path, write_error
from vidinv.video.writer import FrameTimes, Muxer, check_output, check_size

_SUPPORTED = ("yuv420p", "yuv422p", "yuv444p")


class FfmpegWriter:
    """Same contract as ``Writer``. Raises MissingExtra when opened without ffmpeg-python or without the binary."""

    def __init__(
        self, dst: str | Path, source: VideoInfo, settings: EncoderSettings | None = None, *, overwrite: bool = False
    ) -> None:
        self._dst, self._info, self._overwrite = Path(dst), source, overwrite
        check_output(source.path, dst, overwrite)
        settings = settings or EncoderSettings()
        pix_fmt, warning = colour.output_pix_fmt(source.pix_fmt, source.width, source.height, _SUPPORTED)
        self.warnings = [warning] if warning else []
        self._times = FrameTimes(source)
        self._to_yuv = container.YuvConverter(source, pix_fmt)
        self._durations: dict[int, int] = {}
        self._last: int | None = None
        self._encoded = part_path(self._dst.with_suffix(".mp4"))
        self._errors: Any = tempfile.TemporaryFile()  # noqa: SIM115, lives as long as the process that writes to it
        try:
            command = _command(source, settings, self._encoded)
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._errors
            )
        except BaseException:
            self._errors.close()
            raise
        self._pipe, self._stream = container.open_raw_pipe(self._stdin, source, pix_fmt)

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None  # it was opened with a pipe
        return self._process.stdin

    def write(self, frame: Frame) -> None:
        """Append one upright frame, [display_height, display_width, 3] RGB 0..255."""
        check_size(frame, self._info)
        pts, duration = self._times.next(frame)
        if duration is not None and self._last is not None:
            self._durations[self._last] = duration
        self._last = pts
        picture = self._to_yuv(frame.image)
        picture.pts, picture.time_base = pts, self._info.time_base
        try:
            self._pipe.mux(self._stream.encode(picture))
        except (container.Broken, OSError) as error:
            raise self._failure() from error

    def _failure(self) -> OutputError:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else f"exit status {self._process.returncode}"
        if any("No space left" in line for line in lines):
            return write_error(OSError(28, said), self._dst)
        return OutputUnwritable(f"the system's ffmpeg stopped: {said}. Try without it, or another --codec")

    def _finish(self) -> None:
        if self._last is None:
            raise OutputUnwritable("no frame was given, so there is nothing to write")
        self._durations[self._last] = self._times.end()
        try:
            self._pipe.close()
            self._stdin.close()
        except (container.Broken, OSError) as error:
            raise self._failure() from error
        if self._process.wait() != 0:
            raise self._failure()
        with container.open_input(self._encoded) as encoded:
            video = container.video_stream(encoded, self._encoded)
            add_video = partial(container.add_copy, encoded=video, info=self._info)
            muxer = Muxer(self._dst, self._info, self._overwrite, add_video)
            try:
                shift = round(muxer.shift / self._info.time_base)
                for packet in container.demux(encoded, video):
                    if packet.size:
                        pts, dts = container.to_ticks(packet, self._info.time_base)
                        packet.duration = self._durations[pts]
                        packet.pts, packet.dts = pts - shift, dts - shift
                        muxer.mux(packet)
            except BaseException:
                muxer.abort()
                raise
            muxer.finish()
            self.warnings += muxer.warnings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            if self._process.poll() is None:
                self._process.kill()
            with suppress(container.Broken, OSError, ValueError):
                self._pipe.close()
            with suppress(OSError):
                self._stdin.close()
            self._process.wait()
            self._errors.close()
            self._encoded.unlink(missing_ok=True)


def _command(info: VideoInfo, settings: EncoderSettings, encoded: Path) -> list[str]:
    try:
        import ffmpeg
    except ImportError as error:
        raise MissingExtra(
            'the ffmpeg backend needs the package ffmpeg-python: pip install "vidinv[ffmpeg]"'
        ) from error
    if shutil.which("ffmpeg") is None:
        raise MissingExtra("no program called ffmpeg was found; install it (apt install ffmpeg, brew install ffmpeg)")
    tags = colour.output_tags(info.colour, info.pix_fmt)
    options = {"c:v": settings.codec, "threads": settings.threads, **encoder_options(settings)}
    options |= {"color_primaries": tags.primaries, "color_trc": tags.transfer, "colorspace": tags.matrix}
    if tags.range:
        options["color_range"] = tags.range
    if info.sample_aspect_ratio is not None:
        options["aspect"] = str(info.sample_aspect_ratio * info.width / info.height)
    # Times pass as they are: nothing is duplicated, dropped or moved to zero.
    stream = ffmpeg.input("pipe:", format="nut", copyts=None)
    # Its time base in numbers: the word for "as the input's" is -1 in old programs and demux in new ones.
    base = f"{info.time_base.numerator}:{info.time_base.denominator}"
    timing = {"fps_mode": "passthrough", "enc_time_base": base}
    # MP4 keeps decoding times, which NUT does not; its clocks are set to the source's, so that nothing is rounded.
    clock = info.time_base.denominator
    clocks = {"video_track_timescale": clock, "movie_timescale": clock}
    # Newer programs let the pictures' own tags, of which raw ones have none, overrule the encoder's options.
    tagged = stream.video.filter("setparams", **_picture_tags(tags))
    output = ffmpeg.output(tagged, str(encoded), format="mp4", **clocks, **timing, **options)
    return output.global_args("-v", "error", "-y").compile()


def _picture_tags(tags: colour.ColourTags) -> dict[str, int]:
    """Options of the filter "setparams"."""
    found = {"color_primaries": tags.primaries, "color_trc": tags.transfer, "colorspace": tags.matrix}
    return found | ({"range": tags.range} if tags.range else {})
