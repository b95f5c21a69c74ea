"""Run a stream ahead in a thread of its own, through a bounded queue."""

from __future__ import annotations

import os
import queue
import threading
import weakref
from collections.abc import Generator, Iterable
from typing import TypeVar

from vidinv.errors import UsageError
from vidinv.runtime.closing import close

T = TypeVar("T")
_END = object()
PATIENCE = 10.0  # seconds that the end of the program waits for a thread
READER = 1.0  # seconds that it waits for whoever reads the stream in a thread of their own


def prefetch(stream: Iterable[T], size: int = 4, name: str = "prefetch") -> Generator[T, None, None]:
    """Yield what ``stream`` yields, while a thread works up to ``size`` items ahead.

    An exception in the stream is raised here, with its own traceback. Closing early (break, Ctrl-C, an exception
    downstream) stops the thread, closes the stream and joins: nothing is left running.

    A program may end while the stream is unfinished. The thread is stopped then too, and waited for: the interpreter
    would kill it in the middle of a network's C++, which aborts the process. Whoever reads at that moment, in a thread
    of their own, gets an error: an end that looks like the stream's own would make half a video a whole one.

    :raises UsageError: it is carried over a fork, in which threads stay behind.
    :raises RuntimeError: the system gives no further thread.
    """
    items: queue.Queue = queue.Queue(size)
    stop = threading.Event()
    failure: list[BaseException] = []

    def put(item: object) -> None:
        while not stop.is_set():
            try:
                items.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def work() -> None:
        iterator = iter(stream)
        try:
            for item in iterator:
                put(item)
                if stop.is_set():
                    break
        except BaseException as error:
            failure.append(error)
        finally:
            # The stream is closed in the thread that ran it: a generator may not be closed while it runs.
            try:
                close(iterator)
            except BaseException as error:
                failure.append(error)
            put(_END)
            if stop.is_set():
                _wake(items)

    thread = threading.Thread(target=work, name=name, daemon=True)
    process, reader, over = os.getpid(), [threading.current_thread()], threading.Event()
    ending = weakref.finalize(thread, _end, stop, thread, reader, over)
    try:
        thread.start()
        while True:
            _check_process(process)
            if (item := items.get()) is _END:
                break
            yield item
            reader[0] = threading.current_thread()
        if failure:
            raise failure[0]
        if not ending.alive:
            raise RuntimeError("the program ends, and this stream has not")
    finally:
        ending.detach()
        stop.set()
        if thread.ident is None:
            close(stream)  # the thread, which would have done it, never began
        else:
            thread.join()
        over.set()


def unforked(stream: Iterable[T]) -> Generator[T, None, None]:
    """The same stream, whose threads lie further in; carried over a fork it ends with its first item there, before any
    of the pool threads is asked for that libraries have, which stay behind as well.

    :raises UsageError: it was begun in another process.
    """
    process = os.getpid()
    try:
        for item in stream:
            yield item
            _check_process(process)
    finally:
        close(stream)


def _check_process(process: int) -> None:
    if os.getpid() != process:
        raise UsageError(
            f"a stream that process {process} began cannot go on in its child {os.getpid()}: its threads stayed "
            "behind; begin it in the child, or start children by spawn"
        )


def _end(
    stop: threading.Event, thread: threading.Thread, reader: list[threading.Thread], over: threading.Event
) -> None:
    """At the end of the program: the interpreter calls it while threads can still run."""
    stop.set()
    thread.join(PATIENCE)
    if reader[0] is not threading.current_thread() and reader[0].is_alive():
        over.wait(READER)  # a daemon that reads on comes by, sees the end and leaves; one that has stopped never does


def _wake(items: queue.Queue) -> None:
    """Let whoever waits at the queue see its end, whether or not there is room for it."""
    while True:
        try:
            items.put_nowait(_END)
            return
        except queue.Full:
            try:
                items.get_nowait()
            except queue.Empty:
                continue
