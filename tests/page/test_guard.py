"""Who is answered, without the library that the page is drawn with."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from vidinv.page.browser import COOKIE, browser_of
from vidinv.page.serve import HEADERS, LOOPBACK, Guard


def answered(hosts: Any = LOOPBACK, path: str = "/", kind: str = "http", **headers: str) -> tuple[int, list[Any]]:
    """Status (of a websocket's end the code; 0: it is let in) and headers."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if kind == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})

    async def send(message: Any) -> None:
        sent.append(message)

    given = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": kind, "path": path, "scheme": "http" if kind == "http" else "ws", "headers": given}
    asyncio.run(Guard(app, hosts)(scope, None, send))
    first = sent[0] if sent else {}
    return first.get("status", first.get("code", 0)), first.get("headers", [])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:7860"}, 200),
        ({"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"}, 200),
        ({"host": "[::1]:7860", "origin": "http://[::1]:7860"}, 200),
        ({"host": "127.0.0.1:7860", "origin": "http://evil.example"}, 403),
        ({"host": "127.0.0.1:7860", "origin": "https://127.0.0.1:7860"}, 403),
        ({"host": "evil.example"}, 400),
        ({"host": "[::1"}, 400),
    ],
)
def test_pages_of_others_are_not_answered_and_every_answer_has_its_headers(
    headers: dict[str, str], status: int
) -> None:
    found, answer = answered(**headers)
    assert found == status
    assert set(HEADERS) <= set(answer)


def test_other_names_are_answered_where_everybody_is_let_in() -> None:
    assert answered(None, host="box.example:7860")[0] == 200
    assert answered(None, host="box.example:7860", origin="http://evil.example")[0] == 403


def test_sockets_of_others_are_closed() -> None:
    assert answered(kind="websocket", host="127.0.0.1:1", origin="http://evil.example")[0] == 1008
    assert answered(kind="websocket", host="127.0.0.1:1", origin="http://127.0.0.1:1")[0] == 0


def test_a_browser_gets_its_name_with_the_page_and_keeps_it() -> None:
    def given(path: str = "/", **headers: str) -> str | None:
        answer = dict(answered(path=path, host="localhost", **headers)[1])
        return browser_of(answer.get(b"set-cookie", b"").decode().partition(";")[0])

    name = given()
    assert name is not None
    assert given() != name
    assert given(cookie=f"a=b; {COOKIE}={name}") == name
    assert given("/gradio_api/upload") is None


@pytest.mark.parametrize("odd", ['view={"wide": true}', "a=b c", "x[y]=1", "bare", "name=\xe4", "\x7f=", ""])
def test_odd_cookies_of_other_servers_on_this_machine_hide_no_name(odd: str) -> None:
    """Browsers send those of every port."""
    name = "n" * 32
    assert browser_of(f"{odd}; {COOKIE}={name}") == browser_of(f"{COOKIE}={name}; {odd}") == name


def failing(begins: int, kind: str = "http") -> tuple[list[Any], list[str]]:
    """What is sent of a request that fails within, and what is said of it."""
    sent, said = list[Any](), list[str]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if begins:
            await send({"type": "http.response.start", "status": begins, "headers": []})
        raise KeyError("no such\n\x1b[2J event")

    async def send(message: Any) -> None:
        sent.append(message)

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    log, heard = logging.getLogger("uvicorn.error"), Heard()
    log.addHandler(heard)
    try:
        scope = {
            "type": kind,
            "method": "POST",
            "path": "/a\x1b",
            "scheme": "http",
            "headers": [(b"host", b"localhost")],
        }
        asyncio.run(Guard(app, LOOPBACK)(scope, None, send))
    finally:
        log.removeHandler(heard)
    return sent, said


@pytest.mark.parametrize("begins", [0, 500])
def test_a_request_that_nobodys_page_makes_is_one_line_and_no_traceback(begins: int) -> None:
    sent, said = failing(begins)
    assert sent[0]["status"] == 500
    assert set(HEADERS) <= set(sent[0]["headers"])
    assert len(said) == 1
    assert said[0].startswith("POST '/a\\x1b' could not be answered: KeyError: ")
    assert "\x1b" not in said[0]
    assert "\n" not in said[0]


@pytest.mark.parametrize(("begins", "kind"), [(200, "http"), (0, "websocket")])
def test_an_answer_that_has_begun_ends_as_it_did(begins: int, kind: str) -> None:
    with pytest.raises(KeyError):
        failing(begins, kind)
