"""What a report says of each person: what acted, what was reached, and what leaked."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.report.test_page import made_up
from vidinv.packs.spec import EditSpec
from vidinv.report import Tally, write_report
from vidinv.report.outcome import Outcome, Wanted, outcomes, sentence

AGE = EditSpec(unit="years", step="", strengths=(-2.0, 0.0, 2.0), effects=(-10.0, 0.0, 20.0), scale=20.0)
GENDER = EditSpec(unit="P(male)", step="", scale=2.0)
EDITS = {"age": AGE, "gender": GENDER}
WANTED = (Wanted("0:age=+2", "age", frozenset({0})), Wanted("a.jpg,b.jpg", None, None))


def tally() -> Tally:
    unit = np.array([1.0, 0.0], np.float32)
    found = Tally()
    for index in range(10):
        for person, years in ((0, 15.0), (1, 1.0)):
            views = dict.fromkeys(("source", "inversion", "edited"), unit)
            found = found.add_identity(person, index, views)
            found = found.add_amount(person, 2.0 * (index >= 5), {"gender": (0.4, 0.02)} if index >= 5 else {})
            if index % 5 == 0:
                found = found.add_attributes(person, {"age": (30.0, 30.0 + years), "gender": (0.5, 0.6)})
    return found


def told() -> list[Outcome]:
    return outcomes(tally(), WANTED, EDITS)


def test_what_was_asked_of_a_person_is_reached_and_everything_else_leaks() -> None:
    mine, other = told()
    assert set(mine.reached) == {"age"}
    assert set(mine.leaked) == {"gender"}
    assert set(other.reached) == set()  # nobody asked it of them
    assert set(other.leaked) == {"age", "gender"}
    age = mine.reached["age"]
    assert (age.source, age.edited, age.change, age.unit, age.asked) == (30.0, 45.0, 15.0, "years", ("0:age=+2",))
    assert age.steps == pytest.approx(1.5)  # of 20 years in two
    assert age.deviations == pytest.approx(0.75)
    leaked = mine.leaked["gender"]
    assert leaked.deviations == pytest.approx(np.log(0.6 / 0.4) / 2, abs=1e-3)
    assert leaked.steps is None  # nobody measured what a step does


def test_amounts_identity_and_what_was_held_are_means_over_the_frames() -> None:
    mine = told()[0]
    assert (mine.frames, mine.amount, mine.most) == (10, 1.0, 2.0)
    assert mine.identity == {"inversion": 1.0, "edited": 1.0}
    assert (mine.held["gender"].without, mine.held["gender"].left) == (0.4, 0.02)


def test_a_comparison_has_no_outcomes() -> None:
    compared = Tally().add_amount(0, None, {}).add_attributes(0, {"age": (30.0, 31.0)})
    assert outcomes(compared, (), EDITS) == []


def test_one_line_says_it_all() -> None:
    line = sentence(told()[0])
    for part in (
        "person 0",
        "age 30.00 -> 45.00 (+15.00 years, +1.5 steps)",
        "leaked gender +0.20 sd",
        "+0.40 -> +0.02",
    ):
        assert part in line, part


def test_without_a_known_deviation_leaks_are_told_in_units() -> None:
    assert "leaked gender +0.10 P(male)" in sentence(outcomes(tally(), WANTED, {"age": AGE})[0])


def test_the_page_and_the_json_have_them_and_amounts_over_time(tmp_path: Path) -> None:
    report = made_up(outcomes=told())
    report = replace(report, series=[replace(score, amount=1.5) for score in report.series])
    write_report(report, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    for part in ('id="outcomes"', 'id="amount"', "asked: 0:age=+2", "+0.20 sd"):
        assert part in text, part
    write_report(report, tmp_path / "r.json")
    read = json.loads((tmp_path / "r.json").read_text())
    assert read["outcomes"][0]["reached"]["age"]["steps"] == 1.5
    assert read["series"][0]["amount"] == 1.5
    write_report(made_up(), tmp_path / "old.html")  # of nobody who was edited
    assert 'id="outcomes"' not in (tmp_path / "old.html").read_text(encoding="utf-8")


def test_what_is_no_number_is_null_and_a_name_that_is_no_text_is_written(tmp_path: Path) -> None:
    strange = replace(made_up(), local_identity=float("nan"), attributes={"age": {"change": float("-inf")}})
    strange = replace(strange, source=os.fsdecode(b"caf\xe9.mp4"))
    write_report(strange, tmp_path / "r.json")
    read = json.loads((tmp_path / "r.json").read_text())
    assert read["local_identity"] is None
    assert read["attributes"] == {"age": {"change": None}}
    assert os.fsencode(read["source"]) == b"caf\xe9.mp4"
