"""The streams of the process in whatever state it was given them, and texts that a terminal only shows.

A command goes on with a closed or a full stream, and what it writes to files is whole either way.
"""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import suppress
from typing import TextIO

from vidinv.errors import OutputError

# What a terminal obeys in place of showing it: C0 but for tabs and ends of lines, C1, and what turns the writing round.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain(text: object) -> str:
    """As text that is only shown: names of files, persons and packs may come from anybody, as ``\\x1b[2J``."""
    return _OBEYED.sub(lambda found: repr(found[0])[1:-1], str(text))


class _Lossy(io.TextIOWrapper):
    """What cannot be said is lost; the work that it would be said of is not."""

    def write(self, text: str, /) -> int:
        with suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()


class _Watched(io.TextIOWrapper):
    """Results. Remembers why it could not take them: some libraries above try again, others give up."""

    failure: OSError | None = None

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self.failure = error
            raise

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self.failure = error
            raise


def prepare() -> None:
    """Before anything is opened or said."""
    # A closed descriptor goes to the next file that is opened: what a library prints would then end up in a video.
    while (free := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(free)
    sys.stdout, sys.stderr = _as(_Watched, sys.stdout), _as(_Lossy, sys.stderr)


def _as(kind: type[io.TextIOWrapper], stream: TextIO | None) -> TextIO:
    """The same stream as another kind; what is none of a file, as in tests, stays what it is."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    raw = open(stream.fileno(), "wb", closefd=False)  # noqa: SIM115, as long as the process
    at_once = stream.line_buffering or stream.write_through
    # File names may hold what a terminal cannot show.
    return kind(raw, stream.encoding, "backslashreplace", line_buffering=at_once)


def is_unwritten(error: BaseException) -> bool:
    """Is it standard output that failed?"""
    return error is getattr(sys.stdout, "failure", None)


def finish() -> int:
    """At the end. :return: the exit code that standard output deserves: 0, or OutputError's where it took not all."""
    with suppress(OSError):
        sys.stdout.flush()
    error = getattr(sys.stdout, "failure", None)
    if error is None:
        return 0
    # The interpreter would try once more on its way out, and complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # whoever read us has gone
        return 0
    why = f"error: standard output cannot be written ({error.strerror}); what was written to files is complete"
    print(why, file=sys.stderr, flush=True)
    return OutputError.exit_code
