"""Where the program begins, and ends: a signal ends it like any other, also while it is still being read from disk, and
nothing keeps it when all is done."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from vidinv.errors import INTERRUPTED_EXIT_CODE


def _leave(number: int, frame: FrameType | None) -> None:
    """Nothing has begun, so there is nothing to tidy up; and half-read modules are no place for an exception."""
    try:
        os.write(2, b"interrupted, nothing was written\n")
    finally:
        os._exit(INTERRUPTED_EXIT_CODE)


_CODES: list[int] = []  # with which the program ends, once it does


def _end() -> None:
    """Threads have ended, and whoever wanted to be told of the end was: there is only memory left, which the system
    takes back at once. The interpreter and the libraries take a second over it, more where the machine is busy, and
    what got stuck there would keep a process that has said its last word."""
    if _CODES:  # else it is an error of our own, or a signal that the interpreter tells in its way
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(_CODES[0])


def main() -> NoReturn:
    """Run the program and leave with its exit code."""
    atexit.register(_end)  # before all others, and so called behind them
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # switched off by the caller: nohup
            signal.signal(number, _leave)

    # Late: this is what takes the time, and it takes signals over when it is there.
    from vidinv.cli.main import main as run

    try:
        run()
    except SystemExit as ending:
        if isinstance(ending.code, int):
            _CODES.append(ending.code)
        raise
