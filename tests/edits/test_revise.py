"""Edits as somebody moves, times and drops them, one after the other."""

from __future__ import annotations

import pytest

from vidinv.edits import revise
from vidinv.edits.parse import parse_edit
from vidinv.errors import MalformedEdit, UsageError

ONE = frozenset({0})


def texts(requests: revise.Requests) -> list[str]:
    assert all(parse_edit(str(one)) == one for one in requests)
    return [str(one) for one in requests]


def test_an_amount_comes_changes_and_goes_and_others_stay() -> None:
    some = revise.moved((), None, "age", 2.0)
    some = revise.moved(some, ONE, "age", 5.0, in_years=True)
    some = revise.moved(some, None, "age", -1.5)
    assert texts(some) == ["age=-1.5", "0:age=+5y"]
    assert texts(revise.moved(some, None, "age", 0.0)) == ["0:age=+5y"]
    assert revise.moved((), None, "age", 0.0) == ()
    assert texts(revise.dropped(some, ONE, "age")) == ["age=-1.5"]
    assert revise.dropped(some, ONE, "smile") == some


def test_a_range_outlives_an_amount_of_nothing() -> None:
    some = revise.timed(revise.moved((), ONE, "age", 2.0), ONE, "age", 1.0, 3.0, 0.5)
    assert texts(some) == ["0:age=+2@1s-3s~0.5s"]
    some = revise.moved(some, ONE, "age", 0.0)
    assert texts(some) == ["0:age=+0@1s-3s~0.5s"]
    assert texts(revise.always(revise.moved(some, ONE, "age", 1.0), ONE, "age")) == ["0:age=+1"]
    with pytest.raises(MalformedEdit, match="ends before"):
        revise.timed(some, ONE, "age", 3.0, 1.0)


def test_key_frames_are_set_where_one_is_and_taken_away() -> None:
    some = revise.keyed(revise.moved((), None, "age", 2.0), None, "age", 4.0)
    assert texts(some) == ["age=+2@0s..+2@4s"]
    some = revise.moved(some, None, "age", -1.0, time=1.0)
    some = revise.moved(some, None, "age", 0.0, time=1.001)  # the same key
    assert texts(some) == ["age=+2@0s..+0@1.001s..+2@4s"]
    assert revise.amount_at(revise.found(some, None, "age"), 1.001) == 0
    assert texts(revise.timed(some, None, "age", 0.0, 2.0, time=4.0)) == ["age=+2@0s-2s"]
    some = revise.unkeyed(some, None, "age", 1.2)
    assert texts(some) == ["age=+2@0s..+2@4s"]
    assert texts(revise.unkeyed(some, None, "age", 0.0)) == ["age=+2"]


def test_nothing_is_timed_that_is_not_asked_for() -> None:
    assert revise.timed((), None, "age", 0.0, 1.0) == revise.keyed((), None, "age", 1.0) == ()
    assert revise.unkeyed((), None, "age", 1.0) == ()
    assert revise.amount_at(None, 1.0) == 0


def test_the_other_keys_of_a_curve_mean_the_same_in_another_unit() -> None:
    some = (parse_edit("age=+1@0s..+2@4s"),)
    assert texts(revise.moved(some, None, "age", 7.0, True, 2.0, lambda steps: 5 * steps)) == [
        "age=+5y@0s..+7y@2s..+10y@4s"
    ]
    with pytest.raises(UsageError, match="are in steps"):
        revise.moved(some, None, "age", 7.0, True, 2.0)
