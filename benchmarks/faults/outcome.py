"""A command in a process of its own, and what became of it and of the files around it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.output import ROOT
from vidinv.errors import VidinvError
from vidinv.video import Reader


@dataclass(frozen=True)
class Outcome:
    """Of one trial. Everything but ``code`` and ``peak`` is a fault of the program's."""

    code: int  # negative: the signal that ended it
    peak: float  # MiB, resident
    hang: bool = False  # it had to be killed
    traceback: bool = False
    half: bool = False  # an output that is not whole, or something else beside it
    executed: bool = False  # code of a file's was run
    wrong: bool = False  # another exit code than is right for the kind
    early: bool = False  # no fault: it was killed before there was anything to go on from

    @property
    def right(self) -> bool:
        return not (self.hang or self.traceback or self.half or self.executed or self.wrong)


def vidinv(*args: object) -> list[str]:
    return [sys.executable, "-m", "vidinv", *map(str, args)]


def script(code: str, *args: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, args)]


def _begin(limits: Mapping[str, int]) -> None:
    """Whoever runs the suite in the background has switched Ctrl-C off for its children too."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if limits:
        import resource  # of POSIX alone

        for name, most in limits.items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


def attempt(
    command: list[str],
    folder: Path,
    *,
    timeout: float,
    at: float | None = None,
    number: int = 0,
    limits: Mapping[str, int] = {},
) -> tuple[Outcome, str]:
    """Run it in ``folder``; the outcome, as far as the process itself shows it, and what it printed.

    :param timeout: seconds after which it hangs. :param at: seconds after which the signal ``number`` is sent.
    :param limits: by what setrlimit calls them without RLIMIT_: {"AS": 2**30}.
    """
    paths = [folder.parent / f"{folder.name}.{name}" for name in ("out", "err")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with paths[0].open("wb") as out, paths[1].open("wb") as err:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            preexec_fn=partial(_begin, limits),
        )
    begun, hang = time.monotonic(), False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        passed = time.monotonic() - begun
        if at is not None and passed >= at:
            os.kill(process.pid, number)
            at = None
        if passed > timeout:
            hang = True
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.01)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = [path.read_text(errors="replace") for path in paths]
    for path in paths:
        path.unlink()
    return Outcome(process.returncode, usage.ru_maxrss / 1024, hang, "Traceback" in said[1]), said[0]


def judged(outcome: Outcome, right: Collection[int], folder: Path, kept: Iterable[Path], made: Path | None) -> Outcome:
    """With what the files say.

    :param kept: what was there before. :param made: the output, which is there and whole after 0 and 10, and else not.
    """
    left = set(folder.iterdir()) - set(kept)
    expected = {made} if made is not None and outcome.code in (0, 10) else set()
    half = left != expected or not all(whole(path) for path in expected)
    executed = any(path.name == "executed" for path in folder.rglob("executed"))
    return replace(outcome, half=half, executed=executed, wrong=outcome.code not in right)


def whole(path: Path) -> bool:
    """Can it be read to its end?"""
    if path.is_dir():
        return True
    try:
        with Reader(path, 1) as reader:
            return sum(1 for _ in reader) > 0 and reader.damage is None
    except VidinvError:
        return False


def counted(outcomes: list[Outcome]) -> dict[str, Any]:
    """How often what happened."""
    faults = ("hang", "traceback", "half", "executed", "wrong")
    codes = Counter(str(one.code) for one in outcomes)
    return {
        "trials": len(outcomes),
        "right": sum(one.right for one in outcomes),
        **{name: sum(getattr(one, name) for one in outcomes) for name in faults},
        "early": sum(one.early for one in outcomes),
        "codes": dict(sorted(codes.items(), key=lambda item: int(item[0]))),
        "peak_mib": round(max((one.peak for one in outcomes), default=0.0)),
    }
