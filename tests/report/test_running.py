"""Figures over a stream agree with the formulas over the whole, in a bounded memory."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from vidinv.metrics.identity import global_consistency
from vidinv.metrics.landmarks import motion_kept
from vidinv.report.running import Running, RunningMotion, Thinned, finite
from vidinv.report.tally import PAIRS, PersonTally, Tally, global_identity, summarise_identity

RNG = np.random.default_rng(0)


def test_running_mean_and_deviation_are_numpys_and_nothing_measured_is_none() -> None:
    values = RNG.normal(5, 2, 100)
    running = Running()
    assert running.mean is running.deviation is None
    for value in (*values, math.nan):
        running = running.add(value)
    assert running.mean == pytest.approx(values.mean())
    assert running.deviation == pytest.approx(values.std())


def test_running_motion_is_motion_kept() -> None:
    source, output = RNG.normal(size=(2, 50, 68, 2)) * 10 + 300
    output += 0.5 * (source - 300)
    running = RunningMotion()
    for pair in zip(source, output, strict=True):
        running = running.add(*pair)
    assert running.kept == pytest.approx(motion_kept(source, output))
    assert RunningMotion().kept is None


def test_of_a_face_that_stands_still_in_two_places_of_two_shots_no_motion_is_kept() -> None:
    running = RunningMotion()
    for place in (200, 900):
        running = running.finished()
        for source in RNG.normal(size=(20, 68, 2)) + place:
            running = running.add(source, np.full((68, 2), float(place)))
    assert running.kept == pytest.approx(0, abs=1e-9)


def test_all_the_names_that_a_person_had_are_kept() -> None:
    tally = Tally()
    for name in ("anna", "anna", "ben", "anna"):
        tally = tally.add_frame(frozenset({0}), {0: name})
    assert tally.add_frame(frozenset({0})).names == {0: ("anna", "ben")}


@pytest.mark.parametrize("count", [1, 5, 8, 9, 100, 1000])
def test_thinned_items_are_evenly_spread_and_few(count: int) -> None:
    kept: Thinned[int] = Thinned(8)
    for i in range(count):
        kept = kept.add(lambda i=i: i)
    items = list(kept)
    assert items[0] == 0
    assert min(count, 4) <= len(items) <= 8
    assert len({b - a for a, b in pairwise(items)}) <= 1
    assert items[-1] >= count - 1 - kept.every


def test_tg_id_of_the_tally_is_the_formulas() -> None:
    source, edited = RNG.normal(size=(2, 40, 16)) + 3
    source, edited = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (source, edited))
    tally = PersonTally()
    for i in range(40):
        tally = tally.add(i, {"source": source[i], "edited": edited[i]})
    assert global_identity({0: tally}) == pytest.approx(global_consistency(source, edited))
    assert global_identity({}) is None
    for i in range(3 * PAIRS):
        tally = tally.add(i, {"source": source[i % 40], "edited": edited[i % 40]})
    assert len(tally.spread) <= PAIRS


def test_json_knows_no_nan() -> None:
    assert finite(math.nan) is finite(math.inf) is finite(None) is None
    assert finite(np.float32(0.5)) == 0.5


def test_a_person_whose_shot_is_over_keeps_the_figures_and_no_embedding() -> None:
    source, edited = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in RNG.normal(size=(2, 12, 16)) + 3)
    tally = Tally()
    for i in range(12):
        tally = tally.add_identity(3, i, {"source": source[i], "edited": edited[i]})
    after = tally.cut()
    assert summarise_identity(after.persons) == summarise_identity(tally.persons)
    assert global_identity(after.persons) == global_identity(tally.persons) is not None
    assert not after.persons[3].first
    assert len(after.persons[3].spread) == 0
    assert after.cut().persons[3] is after.persons[3]


def test_who_is_found_again_is_held_against_the_first_frame_of_every_shot() -> None:
    source, edited = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in RNG.normal(size=(2, 12, 16)) + 3)
    views = [{"source": a, "edited": b} for a, b in zip(source, edited, strict=True)]
    both, shots = Tally(), [Tally(), Tally()]
    for i, view in enumerate(views):
        both = (both.cut() if i == 5 else both).add_identity(3, i, view)
        shots[i >= 5] = shots[i >= 5].add_identity(3, i, view)
    assert both.persons[3].frames == 12
    assert both.persons[3].neighbours == 4 + 6, "frames on either side of a cut are no neighbours"
    for figure in (lambda t: global_identity(t.persons), lambda t: summarise_identity(t.persons)[1]["edited"]):
        assert figure(both) == pytest.approx((5 * figure(shots[0]) + 7 * figure(shots[1])) / 12)
    assert global_identity(both.cut().persons) == pytest.approx(global_identity(both.persons))
