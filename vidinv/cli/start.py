"""Where the program begins: a signal ends it like any other, also while it is still being read from disk."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn

from vidinv.errors import INTERRUPTED_EXIT_CODE


def _leave(number: int, frame: FrameType | None) -> None:
    """Nothing has begun, so there is nothing to tidy up; and half-read modules are no place for an exception."""
    try:
        os.write(2, b"interrupted, nothing was written\n")
    finally:
        os._exit(INTERRUPTED_EXIT_CODE)


def main() -> NoReturn:
    """Run the program and leave with its exit code."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # switched off by the caller: nohup
            signal.signal(number, _leave)

    # Late: this is what takes the time, and it takes signals over when it is there.
    from vidinv.cli.main import main as run

    run()
