"""The suite of faults sees a fault where there is one, and the program has none in a small round of it."""

from __future__ import annotations

import random
import shutil
import signal
import sys
from pathlib import Path

import pytest

from benchmarks.faults import inputs
from benchmarks.faults.kinds import KINDS, Setting, measured
from benchmarks.faults.outcome import attempt, counted, judged, script, whole
from benchmarks.faults.report import table
from tests.toy import write_toy_pack
from tests.video.make import clip
from vidinv.errors import PackError
from vidinv.packs.load import load_pack
from vidinv.packs.published.reading import read_checkpoint
from vidinv.video import Reader

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes and signals of POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trial").mkdir()
    return tmp_path / "trial"


def test_what_a_process_does_is_seen(folder: Path) -> None:
    outcome, said = attempt(script("print('hello')"), folder, timeout=30)
    assert judged(outcome, {0}, folder, [], None).right
    assert said == "hello\n"
    assert outcome.peak > 1
    assert judged(outcome, {3}, folder, [], None).wrong
    assert judged(outcome, {0}, folder, [], folder / "out.mp4").half  # it said 0, and there is nothing
    outcome, _ = attempt(script("1 / 0"), folder, timeout=30)
    assert (outcome.code, outcome.traceback) == (1, True)
    outcome, _ = attempt(script("import time; time.sleep(60)"), folder, timeout=0.3)
    assert (outcome.code, outcome.hang) == (-signal.SIGKILL, True)
    outcome, _ = attempt(script("import time; time.sleep(60)"), folder, timeout=30, at=0.2, number=signal.SIGTERM)
    assert (outcome.code, outcome.hang) == (-signal.SIGTERM, False)
    few = {"NOFILE": 20}
    outcome, said = attempt(
        script("import resource as r; print(r.getrlimit(r.RLIMIT_NOFILE))"), folder, timeout=30, limits=few
    )
    assert (outcome.code, said) == (0, "(20, 20)\n")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    outcome, _ = attempt(script("import time; time.sleep(60)"), folder, timeout=30, at=0.5, number=signal.SIGINT)
    signal.signal(signal.SIGINT, before)
    assert outcome.code in (130, -signal.SIGINT)  # it listens, wherever the suite runs
    outcome, _ = attempt(script("open('executed', 'w')"), folder, timeout=30)
    assert judged(outcome, {0}, folder, [], None).executed
    assert judged(outcome, {0}, folder, [], None).half  # left behind
    told = counted([outcome, judged(outcome, {0}, folder, [], None)])
    assert (told["trials"], told["right"], told["executed"], told["codes"]) == (2, 1, 1, {"0": 2})


def test_half_a_video_is_not_whole(tmp_path: Path) -> None:
    made = clip(tmp_path / "in.mkv", audio=(), count=10)
    assert whole(made)
    made.write_bytes(made.read_bytes()[:-500])
    assert not whole(made)


def test_a_trial_can_be_had_again() -> None:
    data = random.Random(0).randbytes(50_000)
    for seed in range(8):
        assert inputs.spoilt(data, seed) == inputs.spoilt(data, seed) != data


def test_hostile_weights_and_packs_are_refused(tmp_path: Path) -> None:
    """The same files as the suite's, without a process for each."""
    for seed in range(10):
        path = inputs.hostile_pickle(tmp_path / f"{seed}.pkl", seed)
        with pytest.raises(PackError):
            read_checkpoint(path)
    assert not Path("executed").exists()
    toy = write_toy_pack(tmp_path / "toy")
    for seed in range(60):
        pack = shutil.copytree(toy, tmp_path / "pack")
        inputs.TAMPERS[seed % len(inputs.TAMPERS)](pack, random.Random(seed))
        try:
            loaded = load_pack(pack)
            for name in loaded.spec.networks:
                loaded.optional(name)
        except PackError:
            pass
        shutil.rmtree(pack)


def test_every_kind_is_a_row() -> None:
    kinds = {name: {"name": text, **counted([])} for name, (text, *_) in KINDS.items()}
    rows = table({"kinds": kinds})
    assert len(rows) == 2 + len(KINDS)
    assert all(row.count("|") == rows[0].count("|") for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_a_small_round_has_no_fault(tmp_path: Path, name: str) -> None:
    setting = Setting(tmp_path, write_toy_pack(tmp_path / "toy"), stream=40, killed=20)
    told = measured(name, setting, {"packs": 2, "closes": 2, "threads": 2}.get(name, 1))
    assert told["right"] == told["trials"] > 0, told


@pytest.mark.parametrize("ending", inputs.ENDINGS)
def test_the_clip_that_is_spoilt_can_be_made_in_every_container(tmp_path: Path, ending: str) -> None:
    if not inputs.SAMPLE.is_file():
        pytest.skip("the sample is not in this checkout")
    with Reader(inputs.clip(tmp_path / f"source{ending}", frames=3)) as reader:
        assert len(list(reader)) == 3
        assert len(reader.info.other_streams) == (ending != ".webm")
