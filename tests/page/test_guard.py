"""Who is answered, without the library that the page is drawn with."""

from __future__ import annotations

import asyncio
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
