"""The page answers its own pages only, is alone in its folder, and what it was started with reaches its jobs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.inversion.latent_toy import write_box_pack
from vidinv.api import VideoEditor
from vidinv.edits.parse import read_requests
from vidinv.errors import UsageError
from vidinv.job import read_project
from vidinv.page import serve
from vidinv.page.queue import Queue
from vidinv.page.serve import PageOptions
from vidinv.page.session import Session

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


def test_a_job_has_what_the_page_was_started_with_wherever_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gradio", reason=WHY)
    from vidinv.page.events import JobSettings, Page

    monkeypatch.chdir(tmp_path)
    options = PageOptions(Path("page"), "./toy", device="cpu", precision="fp32")
    (tmp_path / "in.mp4").write_bytes(b"video")
    (tmp_path / "codes").mkdir()
    session: Any = Session(tmp_path, requests=read_requests("age=+2"))
    session.video = SimpleNamespace(name="in.mp4", path=tmp_path / "in.mp4", codes=tmp_path / "codes")
    sessions: Any = SimpleNamespace(of=lambda name: session)
    request: Any = SimpleNamespace(session_hash="a")
    queue = Queue(options.folder / "queue")
    page = Page(sessions, queue, [], JobSettings(options.pack, options.device, options.precision))
    page.render("me", request)
    monkeypatch.chdir("/")
    job = read_project(queue.folder / queue.entries("me")[0].number / "job.toml")
    assert (job.device, job.precision, job.pack) == ("cpu", "fp32", str(tmp_path / "toy"))
    assert job.source.read_bytes() == b"video"
    assert job.output.parent == job.source.parent


def test_several_videos_at_once_are_refused_and_go(tmp_path: Path) -> None:
    gradio = pytest.importorskip("gradio", reason=WHY)
    from vidinv.page.events import JobSettings, Page

    paths = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for path in paths:
        path.write_bytes(b"video")
    sessions: Any = SimpleNamespace(of=lambda name: Session(tmp_path))
    request: Any = SimpleNamespace(session_hash="a")
    page = Page(sessions, Queue(tmp_path / "queue"), [], JobSettings())
    with pytest.raises(gradio.Error, match="one video at a time"):
        page.drop(list(map(str, paths)), request)
    assert not any(path.exists() for path in paths)
