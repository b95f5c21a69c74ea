"""Batches, windows and clocks: order kept, one out per one in, whatever the sizes."""

import time

import pytest

from vidinv.runtime.batching import Collected, collect, in_batches
from vidinv.runtime.steps import Snapshot, run
from vidinv.runtime.timing import Stopwatch
from vidinv.runtime.window import Memory, Window, advance_one


def grouped(state: Collected, item):
    state, group = collect(state, item, lambda i: i[1], batch=4)
    return state, [group] if group else []


@pytest.mark.parametrize("sizes", [[], [1] * 20, [0] * 50, [0, 3, 0, 0, 9, 1, 0], [5] * 3])
def test_groups_keep_everything_in_order(sizes: list[int]) -> None:
    items = list(enumerate(sizes))
    made = list(run("groups", grouped, Collected(), items))
    assert [i for g in made for i in g] == items
    assert all(len(g) <= 8 for g in made)
    assert all(sum(i[1] for i in g) >= 4 or len(g) == 8 for g in made[:-1])


@pytest.mark.parametrize("count", [0, 1, 4, 9])
def test_no_batch_is_too_large_and_nothing_is_lost(count: int) -> None:
    sizes = []

    def network(some):
        sizes.append(len(some))
        return [2 * i for i in some]

    assert in_batches(range(count), 4, network) == [2 * i for i in range(count)]
    assert all(0 < size <= 4 for size in sizes)


def windowed(reach: int):
    def step(state: Window, item):
        return advance_one(state, item, lambda i: Memory({0: 10 * i, i: i}), reach)

    return step


@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 30])
@pytest.mark.parametrize("reach", [0, 1, 4, 12])
def test_a_window_shows_exactly_the_neighbours(length: int, reach: int) -> None:
    seen = list(run("window", windowed(reach), Window(), range(1, length + 1)))
    assert [i for i, _ in seen] == list(range(1, length + 1))
    for i, view in seen:
        around = range(max(1, i - reach), min(length, i + reach) + 1)
        assert view.track(0) == [(j - i, 10 * j) for j in around]
        assert view.track(i) == [(0, i)]
        assert view.track(i + 1) == view.track(-5) == []


def test_a_track_ends_at_gaps_that_are_too_long_and_at_cuts() -> None:
    there = [0, 1, 3, 4, 8, 9]
    memories = [Memory({7: i} if i in there else {}, first=i == 9) for i in range(11)]
    window = Window()
    views = {}
    for i, memory in enumerate(memories):
        window, due = window.push(i, memory, 5)
        views |= dict(due)
    views |= dict(window.drain(5))
    assert [place for place, _ in views[4].track(7)] == [-1, 0]
    assert [i for _, i in views[4].track(7, gap=1)] == [0, 1, 3, 4]
    assert [i for _, i in views[2].track(7, gap=1)] == [0, 1, 3, 4]
    assert [i for _, i in views[4].track(7, gap=3)] == [0, 1, 3, 4, 8]
    assert views[2].track(7) == []
    assert views[8].shot() == (-5, 0)
    assert views[9].shot() == (0, 1)


def test_a_window_holds_no_more_than_its_reach() -> None:
    taken = []

    def stream():
        for i in range(100):
            taken.append(i)
            yield i

    for i, _ in run("window", windowed(5), Window(), stream()):
        assert len(taken) <= i + 6


def total(state: int, item: int | None):
    return (state, [0]) if item is None else (state + item, [state + item])


def test_a_snapshot_takes_the_state_along_and_the_stage_goes_on_from_it() -> None:
    out = list(run("b", total, 100, run("a", total, 0, iter([1, 2, Snapshot(), 3]))))[:-2]
    assert [o for o in out if not isinstance(o, Snapshot)] == [101, 104, 110]
    (snapshot,) = (o for o in out if isinstance(o, Snapshot))
    assert snapshot.states == {"a": 3, "b": 104}
    assert next(run("b", total, snapshot.states["b"], run("a", total, snapshot.states["a"], iter([3])))) == 110


def test_a_stage_that_is_closed_early_closes_its_stream() -> None:
    closed = []

    def stream():
        try:
            yield from range(10)
        finally:
            closed.append(True)

    running = run("a", total, 0, stream())
    next(running)
    running.close()
    assert closed == [True]


def test_stopwatch_books_nested_time_once() -> None:
    def slow(stream, seconds):
        for item in stream:
            time.sleep(seconds)
            yield item

    watch = Stopwatch()
    chain = watch.measure("outer", slow(watch.measure("inner", slow(range(5), 0.02)), 0.002))
    assert list(chain) == list(range(5))
    inner, outer = watch.stages["inner"], watch.stages["outer"]
    assert inner.items == outer.items == 5
    assert inner.seconds > 0.1 > 0.08 > outer.seconds
