"""What a driver asks for when, and tables of drivers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vidinv.edits.drive import FADE, NEAR, Drive, Motion
from vidinv.edits.driver_table import LANDMARKS, read_driver_table
from vidinv.edits.parse import persons_of
from vidinv.errors import InputMissing, UsageError
from vidinv.faces.regions import Touch
from vidinv.models.landmarks import LandmarkConfig, LandmarkNet
from vidinv.types import Code, Face


def motion(*values: float, times: tuple[float, ...] = (0.0, 0.1, 0.2)) -> Motion:
    return Motion(np.array(times), np.array(values, np.float32)[:, None, None].repeat(68, 1).repeat(2, 2), "driver.mp4")


def test_motion_is_linear_between_frames() -> None:
    assert motion(0, 1, 0).at(0.05) == pytest.approx(0.5)
    assert motion(0, 1, 0).at(0.1) == pytest.approx(1)


@pytest.mark.parametrize(("after", "share"), [(0, 1), (NEAR, 1), (NEAR + FADE / 2, 0.5), (NEAR + FADE, 0), (9, 0)])
def test_after_the_drivers_end_the_motion_fades(after: float, share: float) -> None:
    assert motion(0, 1, 1).at(0.2 + after) == pytest.approx(share)


def test_where_the_driver_is_out_of_sight_nothing_moves() -> None:
    gap = motion(1, 1, 1, 1, times=(0.0, 0.1, 3.0, 3.1))
    assert gap.at(1.5) == pytest.approx(0)
    assert gap.at(2.95) == pytest.approx(1)


def test_a_neutral_driver_does_not_act_and_others_act_on_their_persons() -> None:
    network = LandmarkNet(LandmarkConfig()).eval()
    face = Face(np.zeros(4, np.float32), person=1, crop=np.full((64, 64, 3), 120, np.uint8))
    code = Code(torch.zeros(2, 4), torch.zeros(1, 2, 2))
    still = Drive(motion(0, 0, 0), network)
    assert not still.acts(face, 0.1)
    assert still.apply(code, face, 0.1) == (code, 0.0)
    other = Drive(motion(0, 1, 0), network, frozenset({0}))
    assert not other.acts(face, 0.1)
    assert str(other) == "0:drive=driver.mp4"
    assert persons_of(other) == {0}
    mine = Drive(motion(0, 0.1, 0), network)
    edited, amount = mine.apply(code, face, 0.1)
    assert edited.w is code.w
    assert edited.change is not None
    assert amount == 0
    assert mine.touches(face, 0.1) == [Touch("crop")]
    assert mine.touches(face, 9.0) == []


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_tables_of_both_kinds_are_read(tmp_path: Path) -> None:
    table = read_driver_table(write(tmp_path / "a.csv", "time,mouth,yaw", "0,0,0", "0.5,1,-12"))
    assert table.points is None
    assert table.controls["yaw"].tolist() == [0, -12]
    row = ",".join(str(i) for i in range(136))
    table = read_driver_table(write(tmp_path / "b.csv", ",".join(["time", *LANDMARKS]), f"0,{row}", f"1,{row}"))
    assert table.points is not None
    assert table.points[1, 3].tolist() == [6, 7]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["time,x0,y0", "0,1,2"], "must name the columns"),
        (["time", "0"], "must name the columns"),
        (["mouth", "0"], "must name the columns"),
        (["time,mouth,mouth", "0,0,0"], "must name the columns"),
        (["time,mouth", "0,0", "1,wide"], "line 3: not 2 numbers"),
        (["time,mouth", "0,0", "1,nan"], "line 3: not 2 numbers"),
        (["time,mouth", "0,0,3"], "line 2: not 2 numbers"),
        (["time,mouth", "0,0", "0,1"], "line 3: times must rise"),
        (["time,mouth", "0,0", "1,2"], "line 3: mouth goes from -1 to 1"),
        (["time,yaw", "0,-50"], "line 2: yaw goes from -20 to 20"),
        (["time,mouth"], "holds no rows"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path: Path, lines: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_driver_table(write(tmp_path / "d.csv", *lines))


def test_a_table_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=r"no\.csv cannot be read"):
        read_driver_table(tmp_path / "no.csv")
    (tmp_path / "b.csv").write_bytes(b"time,\xff\xfe\x00")
    with pytest.raises(InputMissing, match="cannot be read"):
        read_driver_table(tmp_path / "b.csv")
