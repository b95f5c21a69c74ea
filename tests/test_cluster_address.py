"""A wrong address of a cluster is told at once, and no cluster is needed to know it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from vidinv import cluster
from vidinv.errors import UsageError


@pytest.fixture
def full() -> Iterator[int]:
    """The port of somebody who takes no further connection and refuses none, as behind a firewall that drops them."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = server.getsockname()[1]
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}", "localhost:{}"])
def test_a_silent_address_is_given_up(form: str, full: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "ANSWER", 0.3)
    address = form.format(full)
    with pytest.raises(UsageError, match=rf"no Ray cluster answers at {address} \(.*\); .*--ray local"):
        cluster._check_answers(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "ray://[::1]:1", "127.0.0.1:99999", "a..b:6379", "no.such.invalid:1"]
)
def test_an_address_where_nobody_is_is_told(address: str) -> None:
    with pytest.raises(UsageError, match="no Ray cluster answers at"):
        cluster._check_answers(address)


@pytest.mark.parametrize("address", ["auto", "somewhere"])
def test_what_ray_looks_up_itself_is_left_to_it(address: str) -> None:
    cluster._check_answers(address)
