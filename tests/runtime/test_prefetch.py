"""A thread that runs ahead ends in every way a stream can end."""

import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from vidinv.errors import UsageError
from vidinv.runtime.prefetch import prefetch, unforked


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


def test_a_thread_that_cannot_begin_is_told_as_it_is_and_the_stream_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream(list):
        closed = False

        def close(self) -> None:
            self.closed = True

    def none_left(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    stream = Stream([1, 2])
    monkeypatch.setattr(threading.Thread, "start", none_left)
    with pytest.raises(RuntimeError, match="can't start new thread") as caught:
        next(prefetch(stream))
    assert caught.value.__context__ is None
    assert stream.closed


def ended(program: str) -> subprocess.CompletedProcess:
    """A program of its own, and how it ended. Its stream works in C++, where a killed thread aborts the process."""
    begin = """
        import atexit, sys, threading, time
        readers = []
        # Registered first, so called last, when the streams are told: what a daemon says then is not cut off.
        atexit.register(lambda: [reader.join(10) for reader in readers])
        import torch
        from vidinv.runtime.prefetch import prefetch
        x = torch.randn(256, 256)
        def stream():
            while True:
                yield torch.mm(x, x)
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(begin) + textwrap.dedent(program)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_program_may_end_with_unfinished_streams() -> None:
    done = ended("""
        ahead = prefetch((y for y in prefetch(stream(), name="inner")), 2)
        next(ahead)
        print(len(threading.enumerate()))
        sys.exit(5)
    """)
    assert (done.returncode, done.stdout, done.stderr) == (5, "3\n", "")


def test_a_reader_in_a_daemon_sees_an_error_at_the_end_of_the_program_and_no_end() -> None:
    done = ended("""
        def read():
            try:
                for _ in prefetch(stream()):
                    pass
                print("it ended")
            except RuntimeError as error:
                print(error)
        readers.append(threading.Thread(target=read, daemon=True))
        readers[0].start()
        time.sleep(0.3)
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "the program ends, and this stream has not\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("kind", [prefetch, lambda ahead: unforked(prefetch(ahead))], ids=["prefetch", "unforked"])
def test_a_stream_carried_over_a_fork_says_so(kind) -> None:
    ahead = kind(range(1000))
    assert next(ahead) == 0
    child = os.fork()
    if not child:
        try:
            next(ahead)
        except UsageError as error:
            os._exit(7 if "its threads stayed behind" in str(error) else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert next(ahead) == 1
    ahead.close()
    assert threads() == 0
