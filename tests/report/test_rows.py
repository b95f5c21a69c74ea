"""Rows come back as they were, also behind an interruption, and a report holds a bounded number of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidinv.report import rows as module
from vidinv.report.rows import Rows, beginning, thinned
from vidinv.types import Score


def score(frame: int, person: int = 0) -> Score:
    attributes = {"age": (23.1, 31.4 + frame / 3)} if frame % 5 == 0 else {}
    doubts = ("pose", "identity") if frame % 7 == 0 else ()
    return Score(frame, frame / 25, person, 0.1 + 1 / 3, amount=2.0, edited=0.9, doubts=doubts, attributes=attributes)


def filled(path: Path, count: int) -> Rows:
    rows = Rows(path, path)
    for frame in range(count):
        for person in (0, 1):
            rows.append(score(frame, person))
    return rows


def test_rows_come_back_equal_and_can_be_read_while_more_are_written(tmp_path: Path) -> None:
    rows = filled(tmp_path / "rows", 20)
    assert list(rows) == list(rows) == [score(frame, person) for frame in range(20) for person in (0, 1)]
    rows.append(score(20))
    assert len(rows) == len(list(rows)) == 41


def test_what_came_behind_the_last_complete_segment_is_forgotten(tmp_path: Path) -> None:
    rows = filled(tmp_path / "rows", 10)
    size, digest = rows.written()
    rows.append(score(10))
    rows.close()
    again = Rows(tmp_path / "rows", tmp_path / "out.mp4", beginning(tmp_path / "rows", size), 20)
    assert again.written() == (size, digest)
    assert list(again) == [score(frame, person) for frame in range(10) for person in (0, 1)]


@pytest.mark.parametrize(("most", "every"), [(40, 1), (39, 5), (7, 10)])
def test_a_report_holds_so_many_and_those_in_which_attributes_were_read_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, every: int
) -> None:
    monkeypatch.setattr(module, "MOST", most)
    kept, told = thinned(filled(tmp_path / "rows", 20))
    assert told == every
    assert len(kept) == 2 * 20 // every
    assert every == 1 or all(row.attributes for row in kept)
