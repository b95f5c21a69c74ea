"""The page answers its own pages only, is alone in its folder, and what it was started with reaches its jobs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.inversion.latent_toy import write_box_pack
from vidinv.api import VideoEditor
from vidinv.errors import UsageError
from vidinv.page import serve
from vidinv.page.browser import COOKIE, browser_of, named
from vidinv.page.serve import PageOptions

HERE = "http://127.0.0.1:7860"
WHY = "the page is made with gradio"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    pytest.importorskip("gradio", reason=WHY)
    pytest.importorskip("jinja2", reason="reports are made with jinja2")
    pytest.importorskip("matplotlib", reason="reports are made with matplotlib")
    from starlette.testclient import TestClient

    pack = write_box_pack(tmp_path_factory.mktemp("packs") / "toy")
    app, end = serve.application(PageOptions(tmp_path_factory.mktemp("page")), lambda: VideoEditor(pack))
    with TestClient(app, base_url=HERE) as found:
        yield found
    end()


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1:7860", None, 200),
        ("127.0.0.1:7860", "http://127.0.0.1:7860", 200),
        ("localhost:7860", "http://localhost:7860", 200),
        ("[::1]:7860", "http://[::1]:7860", 200),
        ("127.0.0.1:7860", "http://evil.example", 403),
        ("127.0.0.1:7860", "http://127.0.0.1:8000", 403),
        ("127.0.0.1:7860", "https://127.0.0.1:7860", 403),
        ("127.0.0.1:7860", "null", 403),
        ("[::1]:7860", "http://evil.example", 403),
        ("evil.example", "http://evil.example", 400),
        ("[::1", None, 400),
    ],
)
def test_pages_of_others_are_not_answered(client: Any, host: str, origin: str | None, status: int) -> None:
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    sent = client.post("/gradio_api/upload", files={"files": ("a.mp4", b"a")}, headers=headers)
    assert sent.status_code == status
    assert sent.headers["content-security-policy"] == serve.POLICY
    assert sent.headers["x-content-type-options"] == "nosniff"
    assert sent.headers["referrer-policy"] == "no-referrer"


def test_the_page_itself_is_answered(client: Any) -> None:
    assert client.get("/").status_code == 200


def test_a_browser_has_one_name_in_all_of_its_tabs(client: Any) -> None:
    first = client.get("/").headers["set-cookie"]
    assert all(word in first for word in ("HttpOnly", "SameSite=Strict", "Max-Age="))
    mine = browser_of(first.partition(";")[0])
    again = client.get("/", headers={"cookie": f"other=1; {COOKIE}={mine}"}).headers["set-cookie"]
    assert browser_of(again.partition(";")[0]) == mine
    for odd in (f"{COOKIE}=short", f"{COOKIE}=../../../../../../../../../../etc", "", "\x7f=;;"):
        assert browser_of(odd) is None
    with pytest.raises(UsageError, match="keeps no cookie"):
        named("other=1")


def test_a_second_page_is_told_before_it_does_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "require_gradio", lambda: None)
    monkeypatch.setattr(serve, "application", lambda *_: pytest.fail("it began"))
    pytest.importorskip("uvicorn", reason="the page is served by uvicorn")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}"):
            serve.serve(PageOptions(tmp_path / "a", port=port), VideoEditor, print)
    assert not (tmp_path / "a").exists()
    with serve._alone(tmp_path), pytest.raises(UsageError, match="another page uses"):
        serve.serve(PageOptions(tmp_path, port=port), VideoEditor, print)
    with serve._alone(tmp_path):
        pass  # it is free again


def test_no_file_is_given_that_the_page_did_not_give_itself(client: Any) -> None:
    """The application as it is served, with the library's own copying of values behind it."""
    value = {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}
    for at in range(len(client.get("/config", headers={"host": "127.0.0.1"}).json()["dependencies"])):
        asked = {"fn_index": at, "data": [value] * 9, "session_hash": "a"}
        answer = client.post("/gradio_api/queue/join", json=asked, headers={"host": "127.0.0.1"})
        assert answer.status_code == 403
    assert client.get("/gradio_api/file=/etc/hostname", headers={"host": "127.0.0.1"}).status_code == 403
