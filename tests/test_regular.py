"""Tables that would take all memory are refused, and say by which line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vidinv import regular
from vidinv.directions import read_labels
from vidinv.edits import driver_table
from vidinv.edits.curve import read_curve
from vidinv.edits.driver_table import read_driver_table
from vidinv.errors import DamagedPack, InputError, UsageError, VidinvError
from vidinv.faces.boxes import FARTHEST, MOST, given_boxes, read_boxes
from vidinv.job import read_jobs
from vidinv.packs.load import load_pack
from vidinv.streams import as_frame

Read = Callable[[Path], object]
READERS = [
    (read_boxes, "frame,x0,y0,x1,y1", "0,1,2,3,4"),
    (read_curve, "time,strength", "{},1"),
    (read_driver_table, "time,yaw", "{},0"),
    (read_labels, "file,value", "f{},1"),
]
each = pytest.mark.parametrize(("read", "head", "row"), READERS, ids=["boxes", "curve", "driver", "labels"])


@each
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{head},{wide}\n{row}\n", "line 1 has more than 65536"),
        ("{head}\n{row}{wide}\n", "line 2 has more than 65536"),
        ('{head}\n{row},"\n","\n', "line 2 ends within quotes"),
    ],
)
def test_a_line_without_an_end_is_refused_by_number(
    read: Read, head: str, row: str, bad: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(bad.format(head=head, row=row.format(0), wide=",c" * 40_000))
    with pytest.raises(VidinvError, match=rf"{path}.*{said}"):
        read(path)


@pytest.mark.parametrize(("read", "head", "row"), [READERS[0], READERS[3]], ids=["boxes", "labels"])
def test_further_columns_may_hold_line_breaks_in_quotes(read: Read, head: str, row: str, tmp_path: Path) -> None:
    plain, noted = tmp_path / "plain.csv", tmp_path / "noted.csv"
    rows = [row.format(i) for i in range(3)]
    plain.write_text("\n".join([head, *rows]))
    note = '"seen twice,\nsays ""he""\n\n"'
    noted.write_bytes("\r\n".join([f"{head},note", f"{rows[0]},{note}", f"{rows[1]},", f"{rows[2]},{note}"]).encode())
    assert repr(read(noted)) == repr(read(plain))
    noted.write_text(f'{head},note\n{rows[0]},"{"x" * 100}\n{"y" * 66_000}"\n')
    with pytest.raises(VidinvError, match="line 2 has more than 65536 characters from its quotes on"):
        read(noted)


@each
def test_lines_without_an_end_are_refused(
    read: Read, head: str, row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regular, "MOST_LINES", 20)
    path = tmp_path / "table.csv"
    path.write_text("\n".join([head, *(row.format(i) for i in range(19))]))
    read(path)
    path.write_text("\n".join([head, *(row.format(i) for i in range(20))]))
    with pytest.raises(VidinvError, match="more than 20 lines"):
        read(path)


@each
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_table_that_is_a_pipe_is_not_waited_for(read: Read, head: str, row: str, tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "table.csv")
    with pytest.raises(InputError, match="a device or a pipe"):
        read(path)


def test_a_driver_holds_so_many_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_table, "MOST_NUMBERS", 20)
    (path := tmp_path / "table.csv").write_text("time,yaw\n" + "".join(f"{i},0\n" for i in range(11)))
    with pytest.raises(InputError, match="more than 20 numbers"):
        read_driver_table(path)


def test_rows_of_a_driver_that_cannot_be_smoothed_are_refused_by_line(tmp_path: Path) -> None:
    names = ",".join(f"x{i},y{i}" for i in range(68))
    path = tmp_path / "table.csv"
    for rows, said in (
        (f"0{',1' * 136}\n0.0001{',1' * 136}\n", "line 3: rows are 0.001 s apart"),
        (f"0{',1' * 136}\n1{',1e9' * 136}\n", "line 3: a landmark goes from"),
    ):
        path.write_text(f"time,{names}\n{rows}")
        with pytest.raises(UsageError, match=said):
            read_driver_table(path)


def test_a_driver_may_have_a_row_every_millisecond(tmp_path: Path) -> None:
    (path := tmp_path / "table.csv").write_text("time,yaw\n" + "".join(f"{i / 1000:.3f},0\n" for i in range(2000)))
    assert len(read_driver_table(path).times) == 2000


def test_boxes_are_so_many_in_a_frame_and_near_it() -> None:
    given_boxes([[[0, 0, 9, 9]] * MOST])
    with pytest.raises(UsageError, match=f"frame 0 has {MOST + 1} boxes"):
        given_boxes([[[0, 0, 9, 9]] * (MOST + 1)])
    with pytest.raises(UsageError, match="frame 0: a box lies"):
        given_boxes([[[0, 0, 9, FARTHEST * 2]]])


def test_a_picture_without_pixels_is_refused_by_number() -> None:
    with pytest.raises(UsageError, match="frame 3 has 0x5 pixels"):
        as_frame(np.zeros((5, 0, 3), np.uint8), 3, 25.0)


JOB = 'format = 1\n[[job]]\nsource = "a.mp4"\noutput = "b.mp4"\nedits = ["age=1"]\n'
BOMBS = {
    "dotted": (".".join(["a"] * 20_000) + " = 1", r"a name of more than 50 parts \(line 6\)"),
    "dotted in quotes": (" . ".join(['"a b"'] * 20_000) + " = 1", "a name of more than 50 parts"),
    "dotted table": ("[" + ".".join(["a"] * 20_000) + "]", "a name of more than 50 parts"),
    "nested": ("x = " + "[" * 50_000, "nested too deep"),
    "nested tables": ("x = " + "{a = " * 50_000, "nested too deep"),
    "digits": ("crf = " + "9" * 5000, "4300 digits"),
    "hex digits": ("crf = 0x" + "f" * 5000, "more than 64 bits"),
    "nul": ('codes = "a\\u0000b"', "a text with a nul character"),
    "nul in a key": ('x = {"a\\u0000b" = 1}', "a text with a nul character"),
    "a seed": ("[job.search]\nseed = 0x1" + "0" * 16, "more than 64 bits"),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_jobs_and_packs_that_would_take_all_time_are_refused(tmp_path: Path, kind: str) -> None:
    text, said = BOMBS[kind]
    (path := tmp_path / "jobs.toml").write_text(JOB + text)
    with pytest.raises(UsageError, match=f"jobs.toml is no TOML file .*{said}"):
        read_jobs(path)
    (tmp_path / "pack.toml").write_text(text)
    with pytest.raises(DamagedPack, match=r"pack\.toml cannot be read"):
        load_pack(tmp_path)


def test_links_are_followed_by_what_stands_those_that_lead_to_themselves(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert regular.resolved(tmp_path / "a" / "c").name == "c"
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert regular.resolved(tmp_path / "link" / "none") == regular.resolved(tmp_path / "real") / "none"
    package = Path(regular.__file__).parent
    for path in package.rglob("*.py"):
        if "training" not in path.parts:  # whose names are ours
            assert ".resolve()" not in path.read_text(encoding="utf-8"), f"{path}: resolved() of vidinv.regular"


def test_names_of_files_may_have_dots(tmp_path: Path) -> None:
    name = ".".join(["a"] * 40)
    (path := tmp_path / "jobs.toml").write_text(JOB.replace("a.mp4", name) + "# " + "." * 1000 + "\n")
    assert read_jobs(path)[0].source.name == name


def test_a_job_has_so_many_edits(tmp_path: Path) -> None:
    (path := tmp_path / "jobs.toml").write_text(JOB.replace('"age=1"', '"' + "age=1," * 1001 + '"'))
    with pytest.raises(UsageError, match=r"job 1: edits are 1001, and 1000 are the most of one job"):
        read_jobs(path)
