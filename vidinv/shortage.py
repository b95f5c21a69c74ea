"""What the machine gives no more of: memory, and threads.

Libraries say it in every way there is, or not at all: a decoder without threads decodes nothing, and a library of
linear algebra without memory ends the process. So there is a look at it before the work, and behind an error.
"""

from __future__ import annotations

import errno
import mmap
import os
import re
import threading
from collections.abc import Iterator

from vidinv.errors import OutOfResources, VidinvError

MEMORY = 768 * 2**20  # bytes of addresses that a run with a small pack takes beside its networks' packages, measured
_MOST_CORES = 16  # that decoders and encoders have threads for
_NO_MEMORY = re.compile(
    "can(no|')t allocate memory|failed to map segment|bad_alloc|Insufficient memory|unable to mmap|out of memory", re.I
)
_NO_THREAD = re.compile("can't start new thread|Resource temporarily unavailable|pthread_create|Thread creation")


def check_room(threads: int = 1) -> None:
    """Before the work. :param threads: that each operation is computed with.

    :raises OutOfResources: what any run takes cannot be had.
    """
    short = _scarce(threads)
    if short is not None:
        raise short


def shortage(error: BaseException) -> OutOfResources | None:
    """What an error means, if it comes of a lack of memory or threads; None: of something else.

    What this program has its own word for is believed as long as there is memory: a hostile file asks for more than
    there can be.
    """
    if isinstance(error, OutOfResources):
        return error
    if isinstance(error, VidinvError):
        return _scarce(1) if any(map(_is_vague, _chain(error))) else None
    told = [f"{type(one).__name__}: {one}".partition("\n")[0] for one in _chain(error) if _lacks_memory(one)]
    if told:
        return _no_memory(told[-1])
    return _no_thread() if _lacks_thread(error) else _scarce(1)


def _scarce(threads: int) -> OutOfResources | None:
    if not _memory_is_there():
        return _no_memory(f"{MEMORY // 2**20} MiB more cannot be had")
    return None if _threads_are_there(threads) else _no_thread()


def _no_memory(reason: str) -> OutOfResources:
    return OutOfResources(
        f"there is not enough memory ({reason:.200}); end other programs, raise the limit if there is one (ulimit -v), "
        "or take a smaller --batch; where it is a graphics card's, --device cpu too"
    )


def _no_thread() -> OutOfResources:
    return OutOfResources(
        "no further threads can be started; end other programs, or raise the limit of processes (ulimit -u, or the "
        "container's)"
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """It, and what it came of; behind ``from None`` too."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _lacks_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    return not isinstance(error, VidinvError) and _NO_MEMORY.search(str(error)) is not None


def _lacks_thread(error: BaseException) -> bool:
    return not isinstance(error, VidinvError) and _NO_THREAD.search(str(error)) is not None


def _is_vague(error: BaseException) -> bool:
    """Somebody else's, which names no other cause: codecs say "generic error" where they got no memory."""
    if isinstance(error, VidinvError):
        return False
    number = getattr(error, "errno", None)  # FFmpeg's own are far from the system's
    return number is None or number in (errno.ENOMEM, errno.EAGAIN) or not 0 < number < 1000


def _memory_is_there() -> bool:
    """Addresses are asked for and given back; no page of them is touched."""
    if not hasattr(mmap, "MAP_PRIVATE"):
        return True  # Windows: it would be taken from the page file
    try:
        mmap.mmap(-1, MEMORY, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, MemoryError):
        return False
    return True


def _threads_are_there(threads: int) -> bool:
    """As many at a time as the stages, a decoder and an encoder start."""
    wait, begun = threading.Event(), list[threading.Thread]()
    try:
        for _ in range(8 + threads + 3 * min(os.cpu_count() or 1, _MOST_CORES)):
            thread = threading.Thread(target=wait.wait, daemon=True)
            thread.start()
            begun.append(thread)
    except (RuntimeError, MemoryError):
        return False
    finally:
        wait.set()
        for thread in begun:
            thread.join()
    return True
