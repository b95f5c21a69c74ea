"""A browser names no file but those that the page gave it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from vidinv.page.bodies import LARGEST, Bodies


def asked(folder: Path, body: bytes, method: str = "POST", path: str = "/gradio_api/queue/join") -> tuple[int, bytes]:
    """The status of the answer (200: it was passed on), and what was passed on."""
    sent, seen = list[Any](), bytearray()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            seen.extend(message.get("body", b""))  # type: ignore[arg-type]
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        assert lengths == [str(len(seen)).encode()]
        await send({"type": "http.response.start", "status": 200, "headers": []})

    parts = [body[: len(body) // 2], body[len(body) // 2 :]]
    messages = [{"type": "http.request", "body": part, "more_body": at == 0} for at, part in enumerate(parts)]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    asyncio.run(Bodies(app, [folder])(scope, receive, send))
    return sent[0]["status"], bytes(seen)


def named(path: str, **more: str) -> bytes:
    return json.dumps({"fn_index": 1, "data": [[{"image": {"path": path, "meta": {}, **more}}]]}).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (made := tmp_path / "up loads").mkdir()
    (made / "a.mp4").write_bytes(b"")
    (made / "link").symlink_to("/etc")
    return made


def test_files_of_the_page_are_passed_on(folder: Path) -> None:
    coded = str(folder).replace(" ", "%20")
    assert asked(folder, named(f"{folder}/a.mp4", url=f"/gradio_api/file={coded}/a.mp4"))[0] == 200
    assert asked(folder, named(f"{folder}/a.mp4", url=f"/gradio_api/file={coded}/..%2fb"))[0] == 403
    for body in (named(f"{folder}/a.mp4"), named(f"{folder}/a.mp4", url=f"http://h/gradio_api/file={folder}/a.mp4")):
        status, seen = asked(folder, body)
        assert status == 200
        assert json.loads(seen) == json.loads(body)
    assert asked(folder, b"")[0] == 200
    assert asked(folder, b'{"data": [1, null, "text", "{no json", {"url": "x"}]}')[0] == 200
    assert asked(folder, b"--XX no json", path="/gradio_api/upload") == (200, b"--XX no json")


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../a", "{folder}/../b", "{folder}/link/passwd", "http://127.0.0.1/", "a\0", "", "a.mp4"]
)
def test_other_files_and_addresses_are_not(folder: Path, name: str) -> None:
    name = name.replace("{folder}", str(folder))
    once = named(name)
    packed = json.dumps({"data": [json.dumps({"path": name})]}).encode()
    twice = once.replace(b'"path"', f'"path": "{folder}/a.mp4", "path"'.encode())
    address = named(f"{folder}/a.mp4", url=name or "x")
    for body in (once, packed, twice, address):
        assert asked(folder, body) == (403, b"")


def test_what_is_no_request_is_refused(folder: Path) -> None:
    assert asked(folder, b"[" * 200_000)[0] == 400
    assert asked(folder, b"no json")[0] == 400
    assert asked(folder, b" " * (LARGEST + 1))[0] == 413
    assert asked(folder, b'{"fn_index": ' + b"9" * 5000 + b"}")[0] == 400
