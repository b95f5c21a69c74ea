"""Encodes through the system's ``ffmpeg`` (extra "ffmpeg"), for encoders that the bundled libraries lack.

Only the encoding is handed over. Frames are converted here and go through a pipe as NUT, which carries exact times
where raw video has none.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from vidinv.errors import MissingExtra, OutputError, OutputUnwritable
from vidinv.types import Frame
from vidinv.video import colour, container
from vidinv.video.encoder import EncoderSettings, encoder_options
from vidinv.video.info import VideoInfo
from vidinv.video.pixels import YuvConverter

_SUPPORTED = ("yuv420p", "yuv422p", "yuv444p")


class FfmpegEncoder:
    """A :class:`vidinv.video.parts.PartEncoder`. :raises MissingExtra: no ffmpeg-python, or no such program."""

    def __init__(self, path: Path, info: VideoInfo, settings: EncoderSettings) -> None:
        self._path, self._info = path, info
        pix_fmt, warning = colour.output_pix_fmt(info.pix_fmt, info.width, info.height, _SUPPORTED)
        self.warnings = [warning] if warning else []
        self._to_yuv = YuvConverter(info, pix_fmt)
        command = _command(info, settings, path)
        self._errors: Any = tempfile.TemporaryFile()  # noqa: SIM115, lives as long as the process that writes to it
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._errors
            )
        except BaseException:
            self._errors.close()
            raise
        self._pipe, self._stream = container.open_raw_pipe(self._stdin, info, pix_fmt)

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None  # it was opened with a pipe
        return self._process.stdin

    def write(self, frame: Frame, pts: int) -> None:
        picture = self._to_yuv.encodable(frame)
        picture.pts, picture.time_base = pts, self._info.time_base
        try:
            self._pipe.mux(self._stream.encode(picture))
        except (container.Broken, OSError) as error:
            raise self._failure() from error

    def close(self) -> None:
        try:
            self._pipe.close()
            self._stdin.close()
        except (container.Broken, OSError) as error:
            raise self._failure() from error
        if self._process.wait() != 0:
            raise self._failure()
        self._errors.close()

    def abort(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        with suppress(container.Broken, OSError, ValueError):
            self._pipe.close()
        with suppress(OSError):
            self._stdin.close()
        self._process.wait()
        self._errors.close()
        self._path.unlink(missing_ok=True)

    def _failure(self) -> OutputError | OSError:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else f"exit status {self._process.returncode}"
        if any("No space left" in line for line in lines):
            return OSError(errno.ENOSPC, said)
        return OutputUnwritable(f"the system's ffmpeg stopped: {said}. Try without it, or another --codec")


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
    threads = container.threads_for(info.width, info.height, settings.threads)
    options = {"c:v": settings.codec, "threads": threads, **encoder_options(settings, info.is_large)}
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
    # Newer programs let the pictures' own tags, of which raw ones have none, overrule the encoder's options.
    tagged = stream.video.filter("setparams", **_picture_tags(tags))
    # The whole file's clock has milliseconds by default, in which frames could fall together.
    clocks = dict.fromkeys(("video_track_timescale", "movie_timescale"), info.time_base.denominator)
    # A name is never an address or an option, whatever it begins with.
    output = ffmpeg.output(tagged, f"file:{encoded}", format="mp4", **clocks, **timing, **options)
    return output.global_args("-v", "error", "-y").compile()


def _picture_tags(tags: colour.ColourTags) -> dict[str, int]:
    """Options of the filter "setparams"."""
    found = {"color_primaries": tags.primaries, "color_trc": tags.transfer, "colorspace": tags.matrix}
    return found | ({"range": tags.range} if tags.range else {})
