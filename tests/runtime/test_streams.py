"""Batches, windows and clocks: order kept, one out per one in, whatever the sizes."""

import time

import pytest

from vidinv.runtime.batching import groups
from vidinv.runtime.timing import Stopwatch
from vidinv.runtime.window import windowed


@pytest.mark.parametrize("sizes", [[], [1] * 20, [0] * 50, [0, 3, 0, 0, 9, 1, 0], [5] * 3])
def test_groups_keep_everything_in_order(sizes: list[int]) -> None:
    items = list(enumerate(sizes))
    made = list(groups(iter(items), lambda i: i[1], batch=4))
    assert [i for g in made for i in g] == items
    assert all(len(g) <= 8 for g in made)
    assert all(sum(i[1] for i in g) >= 4 or len(g) == 8 for g in made[:-1])


@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 30])
@pytest.mark.parametrize("reach", [0, 1, 4, 12])
def test_a_window_shows_exactly_the_neighbours(length: int, reach: int) -> None:
    seen = list(windowed(iter(range(length)), reach, lambda i: 10 * i))
    assert [i for i, _ in seen] == list(range(length))
    for i, view in seen:
        assert view.around == tuple(10 * j for j in range(max(0, i - reach), min(length, i + reach + 1)))
        assert view.around[view.at] == 10 * i


def test_a_window_holds_no_more_than_its_reach() -> None:
    taken = []

    def stream():
        for i in range(100):
            taken.append(i)
            yield i

    for i, _ in windowed(stream(), 5, lambda i: i):
        assert len(taken) <= i + 6


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
