"""Untrusted frames as spans."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vidinv.report.doubts import occluded, untrusted
from vidinv.types import Score


def entry(frame: int, trust: float = 1.0, *doubts: str, person: int = 0) -> Score:
    return Score(frame, frame / 25, person, 1.0, trust=trust, doubts=doubts)


def test_neighbouring_frames_make_a_span_that_says_what_was_done() -> None:
    series = [
        entry(0),
        entry(1, 0.5),
        entry(2, 0.0, "pose"),
        entry(3, 0.0, "pose", "identity"),
        entry(4, 0.4),
        entry(5),
    ]
    (span,) = untrusted(series)
    assert (span.first, span.last, span.reasons) == (1, 4, ("pose", "identity"))
    assert (span.start, span.end, span.trust) == (0.04, 0.16, 0.0)
    assert span.done == "the source is kept; the edit fades at the ends"


def test_persons_and_gaps_are_kept_apart_and_a_short_miss_is_only_marked() -> None:
    series = [
        entry(0, 1, "missed"),
        entry(0, 0, "pose", person=1),
        entry(1, 0, "pose", person=1),
        entry(7, 1, "missed"),
    ]
    spans = untrusted(series)
    assert [(s.person, s.first, s.last) for s in spans] == [(0, 0, 0), (1, 0, 1), (0, 7, 7)]
    assert spans[0].done.startswith("marked")


def test_a_cut_ends_a_span_for_what_was_doubted_before_it_is_over() -> None:
    series = [hidden(i, 0.5, 0.0) for i in range(4)]
    series[2] = replace(series[2], cut=True)
    assert [(s.first, s.last) for s in untrusted(series)] == [(0, 1), (2, 3)]
    assert [(s.first, s.last) for s in occluded(series)] == [(0, 1), (2, 3)]


def test_a_series_without_doubts_has_no_spans() -> None:
    assert untrusted([Score(0, None, 0, 1.0), entry(1)]) == []


def hidden(frame: int, share: float, trust: float = 1.0, person: int = 0) -> Score:
    return replace(entry(frame, trust, person=person), occluded_share=share)


def test_what_lies_over_a_face_is_told_with_its_largest_share_and_is_no_doubt() -> None:
    series = [hidden(0, 0.0), hidden(1, 0.1), hidden(2, 0.3), hidden(3, 0.01), hidden(4, 0.2)]
    first, second = occluded(series)
    assert (first.first, first.last, first.share) == (1, 2, 0.3)
    assert (first.start, first.end) == (0.04, 0.08)
    assert second.first == second.last == 4
    assert first.done == "the edit goes around it"
    assert untrusted(series) == []


@pytest.mark.parametrize(
    ("trusts", "done"),
    [((0, 0), "the source is kept"), ((1, 0), "the edit goes around it; in 1 of 2 frames the source is kept")],
)
def test_where_too_much_is_occluded_it_is_said_that_the_source_is_kept(trusts: tuple[int, ...], done: str) -> None:
    (span,) = occluded([hidden(i, 0.6, float(t)) for i, t in enumerate(trusts)])
    assert span.done == done


def test_frames_that_no_network_looked_at_have_no_spans() -> None:
    assert occluded([entry(0), entry(1, 0.0, "occlusion")]) == []
