"""What workers do in tests of workers: what a job's text says, without networks, and quickly imported."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Standin:
    """A job is what to do, and a folder."""

    def run(self, job: tuple[str, Path], tell: Callable[[Any], None]) -> str:
        what, folder = job
        tell(what)
        if what.startswith("dies"):
            before = len(list(folder.glob(f"{what}-*")))
            (folder / f"{what}-{before}").touch()
            if what == "dies always" or not before:
                os.kill(os.getpid(), signal.SIGKILL)
        if what == "breaks":
            raise ZeroDivisionError("by nothing")
        if what == "waits":
            (folder / "waiting").touch()
            time.sleep(60)
        return what
