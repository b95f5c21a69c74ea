"""A thousand people in a sentence."""

from __future__ import annotations

from vidinv.report.outcome import people


def test_ids_that_follow_one_another_are_told_by_their_ends() -> None:
    assert people(dict.fromkeys(range(1008))) == "0 to 1007"
    assert people({0: None, 1: None, 2: None}) == "0, 1, 2"
    assert people({0: None, 1: None, 2: None, 3: None, 4: "anna", 5: None, 9: None}) == "0 to 3, 4 (anna), 5, 9"
    assert people({}) == ""
