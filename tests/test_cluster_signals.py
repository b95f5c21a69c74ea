"""A program that joins a Ray cluster keeps what it does when it is told to end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from vidinv.cluster import Cluster


def leaves(number: int, frame: Any) -> None:
    sys.exit(number)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What of Ray a crew without jobs asks for; it takes SIGTERM, as Ray does."""
    begun = SimpleNamespace(
        is_initialized=lambda: False,
        init=lambda **how: signal.signal(signal.SIGTERM, leaves),
        cluster_resources=lambda: {},
        shutdown=lambda: None,
    )
    monkeypatch.setitem(sys.modules, "ray", begun)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: begun)
    before = signal.getsignal(signal.SIGTERM)
    yield begun
    signal.signal(signal.SIGTERM, before)


def test_sigterm_stays_the_programs_own(ray: Any) -> None:
    mine = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        Cluster("local", 1, lambda: None, 1).close()  # type: ignore[arg-type,return-value]
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, mine)


def test_in_another_thread_no_signal_is_touched(ray: Any) -> None:
    ray.init = lambda **how: None
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: Cluster("local", 1, lambda: None, 1).close()).result()  # type: ignore[arg-type,return-value]
