"""A curve goes through its keys, never beyond them, and a file that is none says where."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from vidinv.edits.curve import Curve, read_curve
from vidinv.edits.parse import EditRequest, parse_edit
from vidinv.errors import InputMissing, MalformedEdit, UsageError

TIMES = np.linspace(-1, 10, 2201)


def values(curve: Curve) -> np.ndarray:
    return np.array([curve.at(time) for time in TIMES])


@pytest.mark.parametrize("seed", range(5))
def test_no_curve_leaves_the_amounts_of_its_keys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.05, 3, 6))
    curve = Curve(tuple(zip(times, rng.integers(-3, 4, 6), strict=True)))
    assert [curve.at(time) for time, _ in curve.keys] == [amount for _, amount in curve.keys]
    for (t0, a0), (t1, a1) in zip(curve.keys, curve.keys[1:], strict=False):
        between = [curve.at(time) for time in np.linspace(t0, t1, 50)]
        assert min(between) >= min(a0, a1) - 1e-9
        assert max(between) <= max(a0, a1) + 1e-9
        assert (np.diff(between) * np.sign(a1 - a0) >= -1e-9).all(), "it never turns between two keys"


def test_it_is_held_before_the_first_and_after_the_last_key_and_where_two_are_alike() -> None:
    curve = Curve(((1, -1), (2, 3), (4, 3), (5, 0)))
    assert (curve.at(-5), curve.at(1), curve.at(5), curve.at(1e9)) == (-1, -1, 0, 0)
    assert {curve.at(time) for time in np.linspace(2, 4, 30)} == {3}


def test_it_has_no_corner_and_does_not_stop_at_every_key() -> None:
    curve = Curve(tuple((t, 2.0 * t) for t in range(1, 6)))
    speed = np.diff(values(curve)) / np.diff(TIMES)
    assert np.abs(np.diff(speed)).max() < 0.1
    assert np.interp(3.0, TIMES[1:], speed) == pytest.approx(2, abs=0.01)
    assert curve.at(2.5) == pytest.approx(5)


def test_two_keys_are_an_ease_in_and_out() -> None:
    assert [Curve(((0, 0), (4, 2))).at(t) for t in (1, 2, 3)] == pytest.approx([2 * 5 / 32, 1, 2 * 27 / 32])


@pytest.mark.parametrize(
    "keys", [(), ((0, 1),), ((0, 1), (0, 2)), ((1, 0), (0, 1)), ((0, 0), (1, float("nan"))), (0, 1)]
)
def test_what_is_no_curve_is_refused(keys) -> None:
    with pytest.raises(MalformedEdit):
        Curve(keys)


def test_curves_are_compared_hashed_and_pickled() -> None:
    request = parse_edit("age=0@0s..+3@4s")
    assert pickle.loads(pickle.dumps(request)) == request == EditRequest("age", Curve(((0, 0), (4, 3))))
    assert len({request, parse_edit("age=+0@0..3.0@4")}) == 1


def test_a_file_is_read_and_the_request_prints_as_it_was_typed(tmp_path: Path) -> None:
    path = tmp_path / "ages.csv"
    path.write_text("\ufefftime, years, note\n0, 0, now\n2.5s,+10,\n1:02.5,-5.5,later\n", encoding="utf-8")
    request = parse_edit(f"0:age=@{path}")
    assert request.amount == Curve(((0, 0), (2.5, 10), (62.5, -5.5)))
    assert request.in_years
    assert str(request) == f"0:age=@{path}"
    path.write_text("strength,time\n0,0\n1,2\n")
    assert read_curve(path) == (Curve(((0, 0), (2, 1))), False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: it must name the columns"),
        ("0,1\n2,3\n", "line 1.*names 0, 1"),
        ("time,amount\n0,1\n", "line 1.*time,strength or time,years"),
        ("time,strength,years\n0,1,2\n", "line 1"),
        ("time,strength\n", "0 lines"),
        ("time,strength\n0,1\n", "1 lines"),
        ("time,strength\n0,1\n1,old\n", "line 3: strength is 'old'"),
        ("time,strength\n0,1\n1,nan\n", "line 3"),
        ("time,strength\n0,1\n1\n", "line 3"),
        ("time,strength\n0,1\nsoon,1\n", "line 3: cannot read the time 'soon'"),
        ("time,strength\n0,1\n2,1\n1,1\n", "line 4: 1 s comes after 2 s"),
        ("time,strength\n0,1\n0,1\n", "line 3"),
    ],
)
def test_a_file_that_is_no_curve_names_itself_and_the_line(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "ages.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=says) as raised:
        parse_edit(f"age=@{path}")
    assert str(path) in str(raised.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=r"gone\.csv cannot be read"):
        read_curve(tmp_path / "gone.csv")
    (tmp_path / "noise.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(UsageError, match="no CSV file"):
        read_curve(tmp_path / "noise.csv")


def test_names_of_columns_may_have_spaces_around_them(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("time ,  strength\n0,0\n2,1\n")
    assert read_curve(tmp_path / "c.csv") == (Curve(((0, 0), (2, 1))), False)
