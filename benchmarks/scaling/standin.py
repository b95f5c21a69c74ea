"""Jobs that take their time and no processor: what the scheduling costs by itself, on fewer cores than workers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vidinv.types import Progress

FRAMES = 25  # per job, told of one by one


@dataclass(frozen=True)
class Sleep:
    """A job that lasts, and that may kill its worker half way, once."""

    seconds: float
    kills: Path | None = None  # exists once it did


class Sleeper:
    """A worker's runner."""

    def run(self, job: Sleep, tell: Callable[[Progress], None]) -> float:
        """:return: seconds that it took in its worker."""
        begun = time.perf_counter()
        for frame in range(1, FRAMES + 1):
            # To a moment, not for a time: a late waking is made up for.
            time.sleep(max(0.0, begun + job.seconds * frame / FRAMES - time.perf_counter()))
            tell(Progress(frame, FRAMES, 0))
            if job.kills is not None and frame > FRAMES // 2 and not job.kills.exists():
                job.kills.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return time.perf_counter() - begun
