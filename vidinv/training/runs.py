"""A training run that stops and resumes: when to write a checkpoint, when to stop, and what to write into the log."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

MEASURE = 20.0  # seconds of training after which its speed is told


class State(Protocol):
    """What a run trains: networks, optimisers, counters."""

    seen: int  # images, by which a run's length is measured


@dataclass
class Run:
    """A run while its program works on it; ``begun`` is when that started, so that loading counts too."""

    log: Path
    minutes: float = float("inf")
    every: float = 120.0  # seconds between checkpoints
    begun: float = field(default_factory=time.monotonic)
    sums: dict[str, Tensor] = field(default_factory=dict, init=False)
    counts: dict[str, int] = field(default_factory=dict, init=False)
    images: int = field(default=0, init=False)
    resumed: float = field(default_factory=time.monotonic, init=False)  # when training went on after the last line
    paced: tuple[float, int] | None = field(default=None, init=False)  # when speed was first looked at, images then

    @property
    def over(self) -> bool:
        return time.monotonic() - self.begun > 60 * self.minutes

    def add(self, figures: dict[str, Tensor], images: int) -> bool:
        """Take the figures of a step, 0-d tensors on any device; is a checkpoint due?

        The tensors are summed where they are: asking for their values would make the device wait.
        """
        for name, value in figures.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
            self.counts[name] = self.counts.get(name, 0) + 1
        self.images += images
        return self.over or time.monotonic() - self.resumed > self.every

    def length(self, seen: int) -> int:
        """Images that the run will have seen when its time is over, at the speed so far, checkpoints included; more
        than any before there is a speed."""
        now = time.monotonic()
        if self.paced is None:
            self.paced = now, seen
        since, first = now - self.paced[0], self.paced[1]
        if since < min(MEASURE, 3 * self.minutes) or not math.isfinite(self.minutes):
            return sys.maxsize
        return round(seen + (seen - first) / since * max(60 * self.minutes - (now - self.begun), 0))

    def means(self) -> dict[str, float]:
        """Of what was added since :meth:`rest`; images per second of training alone, and the GPU memory used.

        :raises FloatingPointError: one of them is not finite. Called before a checkpoint is written, it saves the last
            good one.
        """
        means = {k: float(total) / self.counts[k] for k, total in self.sums.items()}  # waits for the device
        if broken := [k for k, v in means.items() if not math.isfinite(v)]:
            names = ", ".join(broken)
            cure = "nothing was overwritten: resume with a smaller rate or, where there is one, a larger r1"
            raise FloatingPointError(f"diverged ({names}); {cure}")
        means["images_per_second"] = self.images / max(time.monotonic() - self.resumed, 1e-9)
        if torch.cuda.is_available():
            means["gpu_gib"] = torch.cuda.max_memory_allocated() / 2**30
        return means

    def write(self, seen: int, figures: dict[str, Any]) -> None:
        """A line of the log, also printed."""
        line = json.dumps({"seen": seen, **{k: _rounded(v) for k, v in figures.items()}})
        print(line, flush=True)
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(line + "\n")

    def rest(self) -> None:
        """Forget what was summed; called when training goes on, so that a checkpoint's own time is not counted."""
        self.sums, self.counts, self.images, self.resumed = {}, {}, 0, time.monotonic()


def train(
    run: Run,
    state: State,
    images: int,
    batch: int,
    step: Callable[[], dict[str, Tensor]],
    checkpoint: Callable[[], dict[str, Any]],
) -> None:
    """Steps until ``state.seen`` reaches ``images`` or the run's time is over, with a checkpoint whenever one is due.

    :param step: trains on ``batch`` images and tells its figures, 0-d tensors.
    :param checkpoint: writes all files of a checkpoint and tells what else belongs into its line of the log.
    """
    while state.seen < images and not run.over:
        if run.add(step(), batch) or state.seen >= images:
            log_checkpoint(run, state, checkpoint)


def complete(run: Run, state: State, checkpoint: Callable[[], dict[str, Any]]) -> None:
    """A checkpoint for a state that was carried here from elsewhere, if there was no time or need for a step."""
    if state.seen and not run.log.with_name("checkpoint.pt").exists():
        log_checkpoint(run, state, checkpoint)


def log_checkpoint(run: Run, state: State, checkpoint: Callable[[], dict[str, Any]]) -> None:
    """Write a checkpoint, unless training has diverged, and its line of the log."""
    means = run.means()
    run.write(state.seen, {**means, **checkpoint()})
    run.rest()


def _rounded(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else value
