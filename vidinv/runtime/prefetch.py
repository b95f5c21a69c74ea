"""Run a stream ahead in a thread of its own, through a bounded queue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

from vidinv.runtime.closing import close

T = TypeVar("T")
_END = object()


def prefetch(stream: Iterable[T], size: int = 4, name: str = "prefetch") -> Generator[T, None, None]:
    """Yield what ``stream`` yields, while a thread works up to ``size`` items ahead.

    An exception in the stream is raised here, with its own traceback. Closing early (break, Ctrl-C, an exception
    downstream) stops the thread, closes the stream and joins: nothing is left running.
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

    thread = threading.Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
        while (item := items.get()) is not _END:
            yield item
        if failure:
            raise failure[0]
    finally:
        stop.set()
        thread.join()
