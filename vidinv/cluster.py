"""The door to Ray: workers as actors of a cluster, and the only file that imports ``ray``."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vidinv.errors import MissingExtra, UsageError
from vidinv.processes import Event, Make

LOCAL = "local"
POLL = 0.5  # seconds between two looks at how far the jobs are
ANSWER = 5.0  # seconds within which an address has to answer
CLIENT_PORT = 10001  # of ray://HOST
# Ray would try twenty times to speak to what answers and is no cluster, for 40 seconds each: a quarter of an hour.
_IMPATIENT = {"RAY_NUM_REDIS_GET_RETRIES": "1", "RAY_py_gcs_connect_timeout_s": "8"}


class _Actor:
    """A worker. While it works a second thread of it says how far it is."""

    def __init__(self, make: Make) -> None:
        self._runner = make()
        self._latest: Any = None

    def work(self, job: Any) -> Any:
        self._latest = None  # what was not asked for in time is of the job before
        return self._runner.run(job, self._hear)

    def _hear(self, told: Any) -> None:
        self._latest = told

    def told(self) -> Any:
        """How far it is; None: as far as it was."""
        latest, self._latest = self._latest, None
        return latest


class Cluster:
    """A crew of Ray actors: see :class:`vidinv.processes.Crew`.

    :param address: "local": a cluster of this machine alone, which ends with the crew; else one that is there.
    :param size: actors. :param make: what each does its jobs by. :param threads: cores that each takes.
    :raises MissingExtra: without the package. :raises UsageError: no cluster answers.
    """

    def __init__(self, address: str, size: int, make: Make, threads: int) -> None:
        if importlib.util.find_spec("ray") is None:
            raise MissingExtra('--ray needs Ray, which is not installed; pip install "vidinv[ray]"')
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is told to anybody; Ray reads it when it is imported
        if address != LOCAL:
            _check_answers(address)
            for name, value in _IMPATIENT.items():
                os.environ.setdefault(name, value)
        import ray

        self._ray: Any = ray
        self.size = size
        self._make = make
        self._own = not ray.is_initialized()
        if self._own:
            with _own_signals():
                _join(ray, address, size * threads)
        gpus = ray.cluster_resources().get("GPU", 0)
        self._needs = {"num_cpus": threads, "num_gpus": min(1.0, gpus / size) if gpus else 0}
        self._actors: dict[int, Any] = {}
        self._working: dict[Any, int] = {}

    def start(self, place: int, job: Any) -> None:
        if place not in self._actors:
            # Not restarted by Ray: a job that took its worker along is given out anew, and counted.
            actor = self._ray.remote(**self._needs, max_concurrency=2, max_restarts=0, max_task_retries=0)(_Actor)
            self._actors[place] = actor.remote(self._make)
        self._working[self._actors[place].work.remote(job)] = place

    def wait(self) -> list[Event]:
        done, _ = self._ray.wait(list(self._working), timeout=POLL)
        return [self._ended(one) for one in done] if done else self._told()

    def _ended(self, one: Any) -> Event:
        place = self._working.pop(one)
        try:
            return place, "done", self._ray.get(one)
        except self._ray.exceptions.RayTaskError as error:
            text = f"unexpected {type(error.cause).__name__}: {error.cause}".strip().partition("\n")[0]
            self._ray.kill(self._actors.pop(place))  # what is left behind it is not to be trusted
            return place, "error", text
        except self._ray.exceptions.RayError as error:
            self._actors.pop(place, None)
            return place, "died", str(error).strip().partition("\n")[0]

    def _told(self) -> list[Event]:
        asked = {self._actors[place].told.remote(): place for place in self._working.values()}
        answers, _ = self._ray.wait(list(asked), num_returns=len(asked), timeout=POLL)
        found: list[Event] = []
        for one in answers:
            try:
                told = self._ray.get(one)
            except self._ray.exceptions.RayError:
                continue  # its actor died, which the next look at its job tells
            if told is not None:
                found.append((asked[one], "progress", told))
        return found

    def close(self) -> None:
        """Actors are ended as by kill -9: what was complete of their jobs is kept."""
        for actor in self._actors.values():
            self._ray.kill(actor)
        self._actors.clear()
        self._working.clear()
        if self._own:
            self._ray.shutdown()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray has SIGTERM end the program at once, with exit code 15; what the program itself does then tidies up."""
    if threading.current_thread() is not threading.main_thread():  # where Ray leaves signals alone, as Python has it
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:  # None: it was set outside of Python
            signal.signal(signal.SIGTERM, before)


def _check_answers(address: str) -> None:
    """:param address: as Ray has it: HOST:PORT, ray://HOST:PORT; "auto" is looked up by Ray itself.

    :raises UsageError: nothing takes a connection there.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host and address.startswith("ray://"):
        host, port = port, str(CLIENT_PORT)
    if not (host and port.isdecimal()):
        return  # Ray says what is wrong with it
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER).close()
    except TimeoutError:
        raise _no_cluster(address, f"no answer within {ANSWER:g} s") from None
    except (OSError, OverflowError, UnicodeError) as error:  # of the name too
        raise _no_cluster(address, getattr(error, "strerror", None) or str(error)) from None


def _no_cluster(address: str, why: str) -> UsageError:
    return UsageError(
        f"no Ray cluster answers at {address} ({why}); start one (ray start --head), or write --ray local"
    )


def _join(ray: Any, address: str, cores: int) -> None:
    quiet = {"include_dashboard": False, "logging_level": logging.ERROR, "log_to_driver": False}
    if address == LOCAL:
        ray.init(address=LOCAL, num_cpus=cores, _node_ip_address="127.0.0.1", **quiet)
        return
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise _no_cluster(address, str(error).strip().partition("\n")[0]) from None
