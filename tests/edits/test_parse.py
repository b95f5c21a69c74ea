"""What the user types is what is done, and what cannot be read is refused with an example."""

import time

import pytest

from vidinv.edits.curve import Curve
from vidinv.edits.parse import EditRequest, parse_edit, parse_edits
from vidinv.errors import MalformedEdit, UsageError


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("age=+2", EditRequest("age", 2)),
        ("age=-1.5", EditRequest("age", -1.5)),
        ("age=+20y", EditRequest("age", 20, in_years=True)),
        ("smile=.5@1s-3.5s", EditRequest("smile", 0.5, start=1, end=3.5)),
        ("smile=1@2-", EditRequest("smile", 1, start=2)),
        ("smile=1@1:05-1:10.5", EditRequest("smile", 1, start=65, end=70.5)),
        ("smile=1@.5-2.s", EditRequest("smile", 1, start=0.5, end=2)),
        (" age=0 ", EditRequest("age", 0)),
        ("2:age=1", EditRequest("age", 1, persons=frozenset({2}))),
        ("0+2:age=1@1s-", EditRequest("age", 1, start=1, persons=frozenset({0, 2}))),
        ("smile=1@1s-3.5s~.5s", EditRequest("smile", 1, start=1, end=3.5, ease=0.5)),
        ("smile=1@2-~0", EditRequest("smile", 1, start=2, ease=0)),
        ("age=0@0s..+3@4s", EditRequest("age", Curve(((0, 0), (4, 3))))),
        ("age=0@0...5@1..-1@1:00.5", EditRequest("age", Curve(((0, 0), (1, 0.5), (60.5, -1))))),
        ("age=0@0s..+20y@4s", EditRequest("age", Curve(((0, 0), (4, 20))), in_years=True)),
        ("anna:age=1", EditRequest("age", 1, persons=frozenset({"anna"}))),
        ("bärbel-2+0:age=0@1..1@2", EditRequest("age", Curve(((1, 0), (2, 1))), persons=frozenset({"bärbel-2", 0}))),
    ],
)
def test_edits_are_read(text: str, request_: EditRequest) -> None:
    assert parse_edit(text) == request_


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age",
        "age=",
        "age=old",
        "=2",
        "age=+-2",
        "age=2@3s-1s",
        "age=2@1s",
        "age=2y3",
        "age=nan",
        "a ge=1",
        ":age=1",
        "x+:age=1",
        "2x:age=1",
        "age=0@0s..",
        "age=1..2@1s",
        "age=0@1s..1@1s",
        "age=0@1s..1@.5s",
        "age=5@0s..+20y@4s",
        "age=0@0s..1@2s~1s",
        "age=1~1s",
        "age=@",
    ],
)
def test_what_is_no_edit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(MalformedEdit, match=r"for example|ends before|order of time"):
        parse_edit(text)


def test_several_edits_in_one_text_or_a_list() -> None:
    assert parse_edits("age=+2,smile=1") == parse_edits(["age=+2", EditRequest("smile", 1)])
    with pytest.raises(MalformedEdit):
        parse_edits("")


CURVES = [
    "age=+0@0s..+3@4s..+1@6.25s",
    "age=-10y@0s..+20y@4s",
    "smile=+1@1s-3.5s~0.5s",
    "smile=+1@2s-~0s",
    "1+anna+zoe:age=+1.2345678@0s..-1000@12345.678s",
]


@pytest.mark.parametrize(
    "text", ["age=+2", "age=+20y", "smile=-0.5@1s-3.5s", "smile=+1@2s-", "0+2:age=+1@2s-3s", *CURVES]
)
def test_a_request_prints_as_it_is_typed(text: str) -> None:
    assert str(parse_edit(text)) == text
    assert parse_edit(str(parse_edit(text))) == parse_edit(text)


def test_a_curve_has_no_range_beside_its_own_times() -> None:
    with pytest.raises(MalformedEdit, match="no range"):
        EditRequest("age", Curve(((0, 0), (1, 1))), start=1)


def test_only_what_has_a_range_or_a_curve_changes() -> None:
    changing = {text: parse_edit(text).changes for text in ("age=2", "0:age=2y", "age=2@1-", "age=1@0..2@1")}
    assert list(changing.values()) == [False, False, True, True]


@pytest.mark.parametrize(
    "wrong", [{"start": 3, "end": 1}, {"amount": float("nan")}, {"amount": float("inf")}, {"ease": -1.0}]
)
def test_a_request_that_could_do_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(MalformedEdit, match="age"):
        EditRequest(**{"name": "age", "amount": 2.0} | wrong)


@pytest.mark.parametrize(
    "text",
    [
        "age=" + "1" * 100_000 + "x",
        "1" * 5000 + ":age=1",
        "1+" * 50_000 + "1:age=1x",
        "age=1@1s-" + "1" * 100_000 + "x",
    ],
    ids=["digits", "an id", "ids", "a time"],
)
def test_long_texts_that_are_no_edits_are_refused_at_once(text: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(MalformedEdit, match="cannot read the edit"):
        parse_edit(text)
    assert time.perf_counter() - begun < 5, "minutes, where digits can be taken in two ways"


def test_there_are_so_many_edits() -> None:
    assert len(parse_edits(",".join(["age=1"] * 1000))) == len(parse_edits(["age=1"] * 1000)) == 1000
    for edits in (",".join(["age=1"] * 1001), ["age=1"] * 1001):
        with pytest.raises(UsageError, match="edits are 1001, and 1000 are the most of one job"):
            parse_edits(edits)
