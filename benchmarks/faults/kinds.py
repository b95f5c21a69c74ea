"""One function per kind of fault: trials, and what became of each. Another kind is a function and a row of KINDS."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.faults import inputs, programs
from benchmarks.faults.carrying import KINDS as KINDS_CARRYING
from benchmarks.faults.carrying import carrying
from benchmarks.faults.outcome import Outcome, attempt, counted, judged, script, vidinv

HANGS = 180.0  # seconds; a trial takes some ten at most
EDIT = ("-e", "age=+1", "-q")


@dataclass(frozen=True)
class Setting:
    """What all kinds work with."""

    folder: Path  # for whatever they make
    pack: Path
    seed: int = 0
    frames: int = 12  # of a clip
    stream: int = 300  # frames of one generator
    killed: int = 40  # frames of a clip of a run that is killed


Trials = Callable[[Setting, int], Iterator[Outcome]]


@contextmanager
def fresh(setting: Setting) -> Iterator[Path]:
    """An empty folder, for one trial."""
    folder = setting.folder / "trial"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def source(setting: Setting, ending: str = ".mp4") -> Path:
    """The clip that is spoilt, or interrupted."""
    path = setting.folder / f"source{ending}"
    return path if path.exists() else inputs.clip(path, setting.frames)


def run(setting: Setting, folder: Path, video: Path, pack: Path, right: set[int], **how: Any) -> Outcome:
    """vidinv run in a trial's folder, which holds what the trial needs and nothing else."""
    made, kept = folder / f"out{video.suffix}", list(folder.iterdir())
    command = vidinv("run", video, "-o", made.name, "--pack", pack, *EDIT)
    return judged(attempt(command, folder, timeout=HANGS, **how)[0], right, folder, kept, made)


def videos(setting: Setting, count: int) -> Iterator[Outcome]:
    """Flipped bytes, ends that are missing, heads of something else, holes: 0, 10 or, of what is no video, 3."""
    for seed in range(setting.seed, setting.seed + count):
        ending = inputs.ENDINGS[seed // 4 % len(inputs.ENDINGS)]
        data = source(setting, ending).read_bytes()
        with fresh(setting) as folder:
            (folder / f"in{ending}").write_bytes(inputs.spoilt(data, seed))
            yield run(setting, folder, folder / f"in{ending}", setting.pack, {0, 3, 10})


def packs(setting: Setting, count: int) -> Iterator[Outcome]:
    """Other values, weights and names: 5, or 0 where it does no harm (a text, a grade), 2: the edit has gone, or 3: the
    networks give no numbers, so nothing was edited."""
    for seed in range(setting.seed, setting.seed + count):
        chance = random.Random(seed)
        with fresh(setting) as folder:
            pack = folder / "pack"
            shutil.copytree(setting.pack, pack, copy_function=shutil.copyfile)
            inputs.TAMPERS[seed % len(inputs.TAMPERS)](pack, chance)
            yield run(setting, folder, source(setting), pack, {0, 2, 3, 5})


def pickles(setting: Setting, count: int) -> Iterator[Outcome]:
    """Weights that would run something, or take all memory, given to vidinv packs import: 5."""
    for seed in range(setting.seed, setting.seed + count):
        with fresh(setting) as folder:
            weights = inputs.hostile_pickle(folder / "weights.pkl", seed)
            command = vidinv("packs", "import", "--generator", weights, "--name", "new", "--out", folder / "packs")
            outcome = attempt(command, folder, timeout=HANGS)[0]
            empty = folder / "packs"
            if empty.is_dir() and not any(empty.iterdir()):
                empty.rmdir()
            yield judged(outcome, {5}, folder, [weights], None)


def signals(setting: Setting, count: int) -> Iterator[Outcome]:
    """SIGINT, SIGTERM and SIGKILL at random moments: 130, or 0 if it was ready. What a SIGKILL leaves may be hidden."""
    chance, begun = random.Random(setting.seed), time.monotonic()
    with fresh(setting) as folder:
        yield run(setting, folder, source(setting), setting.pack, {0})
    lasts = time.monotonic() - begun
    for at in range(count - 1):
        number = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[at % 3]
        right = {0, -signal.SIGKILL} if number == signal.SIGKILL else {0, 130}
        with fresh(setting) as folder:
            done = run(
                setting, folder, source(setting), setting.pack, right, at=chance.uniform(0, lasts), number=number
            )
            seen = (folder / "out.mp4").exists() and done.code != 0
            yield replace(done, half=seen) if number == signal.SIGKILL else done


def kills(setting: Setting, count: int) -> Iterator[Outcome]:
    """SIGKILL at a random moment, and the same command again: the bytes of a run that nobody killed, and no rest.

    Containers take turns, with sound, subtitles and uneven times: see :data:`benchmarks.faults.carrying.KINDS`.
    """
    chance, whole = random.Random(setting.seed), dict[str, tuple[bytes, float]]()
    for at in range(count):
        ending = list(KINDS_CARRYING)[at % len(KINDS_CARRYING)]
        video = setting.folder / f"carrying{ending}"
        if ending not in whole:
            carrying(video, setting.killed)
            with fresh(setting) as folder:
                begun = time.monotonic()
                attempt(_resumable(setting, video), folder, timeout=HANGS)
                whole[ending] = (folder / f"out{ending}").read_bytes(), time.monotonic() - begun
        right, lasts = whole[ending]
        with fresh(setting) as folder:
            moment = chance.uniform(0, lasts)
            attempt(_resumable(setting, video), folder, timeout=HANGS, at=moment, number=signal.SIGKILL)
            begun_anew = not any(folder.glob(".*.run/states-*")) and not (folder / f"out{ending}").exists()
            again = attempt([*_resumable(setting, video), "--overwrite"], folder, timeout=HANGS)[0]
            made = folder / f"out{ending}"
            same = made.exists() and made.read_bytes() == right and [p.name for p in folder.iterdir()] == [made.name]
            yield replace(again, half=not same, wrong=again.code != 0, early=begun_anew)


def _resumable(setting: Setting, video: Path) -> list[str]:
    return vidinv("run", video, "-o", f"out{video.suffix}", "--pack", setting.pack, "--segment", "0.5", *EDIT)


def _program(setting: Setting, code: str, count: int, right: int = 0) -> Iterator[Outcome]:
    """A program that tells of each of its trials whether it went well, and the process as one more."""
    with fresh(setting) as folder:
        command = script(code, source(setting), setting.pack, count, setting.stream)
        outcome, said = attempt(command, folder, timeout=HANGS + setting.stream)
        for well in json.loads(said or "[]"):
            yield Outcome(0, outcome.peak, wrong=not well)
        yield judged(outcome, {right}, folder, [], None)


LIMITS = (
    # what, from, to, and what is right
    ("AS", 600 * 2**20, 6000 * 2**20, {0, 7}),
    ("FSIZE", 0, 40_000, {0, 4}),
    ("NOFILE", 12, 128, {0}),
    ("NPROC", 1, 40, {0, 7}),  # the superuser has no such limit
)


def limits(setting: Setting, count: int) -> Iterator[Outcome]:
    """Memory, sizes of files, open files and processes that are bounded: 7 or 4, and nothing left, or 0."""
    chance = random.Random(setting.seed)
    for at in range(count):
        what, least, most, right = LIMITS[at % len(LIMITS)]
        with fresh(setting) as folder:
            bound = {what: chance.randrange(least, most)}
            yield run(setting, folder, source(setting), setting.pack, right, limits=bound)


def closes(setting: Setting, count: int) -> Iterator[Outcome]:
    """Generators that are closed after some frames: threads and handles are as many as before."""
    yield from _program(setting, programs.CLOSES, count)


def ends(setting: Setting, count: int) -> Iterator[Outcome]:
    """Programs that end while a generator is unfinished, with an exit code of their own."""
    for _ in range(count):
        yield from _program(setting, programs.ENDS, 0, right=7)


def threads(setting: Setting, count: int) -> Iterator[Outcome]:
    """Generators in threads of their own, and in asyncio: all give the same pictures."""
    yield from _program(setting, programs.THREADS, count)


def long_streams(setting: Setting, count: int) -> Iterator[Outcome]:
    """Many frames of one generator: memory, threads and handles never exceed those after the first quarter."""
    for _ in range(count):
        yield from _program(setting, programs.LONG, 1)


KINDS: dict[str, tuple[str, Trials, int]] = {
    # name: what it is called in the table, its trials, how many without being asked
    "videos": ("hostile video files", videos, 8),
    "packs": ("tampered packs", packs, 6),
    "pickles": ("hostile weights", pickles, 10),
    "signals": ("signals at random moments", signals, 7),
    "kills": ("kill -9 at random moments, and once more", kills, 4),
    "limits": ("limits of memory, files and processes", limits, 8),
    "closes": ("early closes of generators", closes, 10),
    "ends": ("programs that end with an unfinished generator", ends, 2),
    "threads": ("generators in threads and in asyncio", threads, 4),
    "streams": ("long streams", long_streams, 1),
}


def measured(name: str, setting: Setting, count: int) -> dict:
    """The figures of one kind."""
    begun = time.monotonic()
    outcomes = list(KINDS[name][1](setting, count)) if count else []
    return {"name": KINDS[name][0], **counted(outcomes), "seconds": round(time.monotonic() - begun)}
