"""A thread that runs ahead ends in every way a stream can end."""

import threading
import time

import pytest

from vidinv.runtime.prefetch import prefetch


def threads() -> int:
    return sum(t.name == "prefetch" for t in threading.enumerate())


def test_order_and_completeness() -> None:
    assert list(prefetch(range(1000), 3)) == list(range(1000))
    assert threads() == 0


def test_it_never_runs_further_ahead_than_the_queue() -> None:
    made = []

    def stream():
        for i in range(100):
            made.append(i)
            yield i

    ahead = prefetch(stream(), 4)
    next(ahead)
    time.sleep(0.2)
    assert len(made) <= 1 + 4 + 1
    ahead.close()


def test_an_error_in_the_stream_arrives_with_its_traceback() -> None:
    def stream():
        yield 1
        raise ValueError("deep inside")

    with pytest.raises(ValueError, match="deep inside") as caught:
        list(prefetch(stream()))
    assert any(entry.name == "stream" for entry in caught.traceback)
    assert threads() == 0


def test_closing_early_closes_the_stream_and_leaves_no_thread() -> None:
    closed = []

    def stream():
        try:
            yield from range(10**9)
        finally:
            closed.append(True)

    ahead = prefetch(stream(), 2)
    assert next(ahead) == 0
    ahead.close()
    assert closed == [True]
    assert threads() == 0


def test_an_exception_downstream_ends_the_thread() -> None:
    ahead = prefetch(range(10**9), 2)

    def consume() -> None:
        for _ in ahead:
            raise RuntimeError("downstream")

    with pytest.raises(RuntimeError, match="downstream"):
        consume()
    ahead.close()
    assert threads() == 0
