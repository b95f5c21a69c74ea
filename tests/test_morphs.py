"""vidinv.morph: frames and videos between faces."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import vidinv
from tests.toy import write_toy_pack
from vidinv.errors import NoFaceFound, OutputExists, OutputUnwritable, UsageError
from vidinv.morphs import shares
from vidinv.video import Reader


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_pack(tmp_path_factory.mktemp("packs") / "toy")


@pytest.fixture(scope="module")
def crops() -> list[np.ndarray]:
    y, x = np.mgrid[0:64, 0:64]
    first = np.stack([x * 3, y * 3, (x + y) * 2], -1).astype(np.uint8)
    return [first, 255 - first, np.ascontiguousarray(first[:, ::-1])]


def test_a_morph_begins_and_ends_with_the_faces_themselves(toy: Path, crops: list[np.ndarray]) -> None:
    how = {"pack": toy, "aligned": True, "precision": "fp32"}
    faces = vidinv.draw(vidinv.invert(crops, **how), pack=toy, precision="fp32")
    frames = list(vidinv.morph(crops, seconds=0.5, rate=10, **how))
    assert len(frames) == 11
    for at, face in zip((0, 5, 10), faces, strict=True):
        assert np.abs(frames[at].astype(int) - face).max() <= 1
    steps = [np.abs(b.astype(int) - a).mean() for a, b in pairwise(frames)]
    assert steps[0] < steps[2], "a morph starts slowly"


def test_a_loop_ends_before_it_begins_again() -> None:
    assert list(shares(2, 2, loop=False)) == [(0, 0.0), (0, 0.5), (1, 0.0)]
    assert list(shares(2, 2, loop=True)) == [(0, 0.0), (0, 0.5), (1, 0.0), (1, 0.5)]


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".mov"])
def test_a_video_has_every_frame_at_its_rate_and_size(
    toy: Path, crops: list[np.ndarray], tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"m{suffix}"
    count = vidinv.morph_video(crops[:2], out, seconds=0.4, rate=25, size=96, pack=toy, aligned=True)
    with Reader(out) as reader:
        frames = list(reader)
        assert float(reader.info.rate) == pytest.approx(25, rel=0.01)
    assert len(frames) == count == 11
    assert frames[0].image.shape == (96, 96, 3)
    assert float(frames[-1].time - frames[0].time) == pytest.approx(0.4, abs=0.002)
    drawn = next(iter(vidinv.morph(crops[:2], size=96, pack=toy, aligned=True)))
    assert np.abs(frames[0].image.astype(int) - drawn).mean() < 6


def test_what_cannot_be_done_is_said_and_leaves_nothing(toy: Path, crops: list[np.ndarray], tmp_path: Path) -> None:
    how = {"pack": toy, "aligned": True}
    taken = tmp_path / "taken.mp4"
    taken.write_bytes(b"old")
    with pytest.raises(OutputExists):
        vidinv.morph_video(crops, taken, **how)
    with pytest.raises(OutputUnwritable, match="no container"):
        vidinv.morph_video(crops, tmp_path / "m.gif", **how)
    with pytest.raises(UsageError, match="two pictures"):
        vidinv.morph_video(crops[:1], tmp_path / "m.mp4", **how)
    with pytest.raises(UsageError, match="even number"):
        vidinv.morph_video(crops, tmp_path / "m.mp4", size=63, **how)
    for seconds in (0, float("nan"), float("inf"), 1e9):
        with pytest.raises(UsageError, match=r"seconds is .* from 0.001 to 600"):
            vidinv.morph(crops, seconds=seconds, **how)
    with pytest.raises(NoFaceFound):
        vidinv.morph_video(crops[:2], tmp_path / "m.mp4", pack=toy)
    assert [path.name for path in tmp_path.iterdir()] == ["taken.mp4"]
    assert taken.read_bytes() == b"old"
