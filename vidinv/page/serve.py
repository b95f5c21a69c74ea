"""The page's server: for this machine only unless it is told otherwise, and nothing of it comes from elsewhere."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from vidinv.api import VideoEditor
from vidinv.bounds import checked
from vidinv.edits.held import holdable
from vidinv.errors import MissingExtra, UsageError
from vidinv.packs.locate import is_path
from vidinv.page.bodies import Bodies
from vidinv.page.browser import browser_of, cookie, header_of
from vidinv.report.page import require_page

if TYPE_CHECKING:
    from fastapi import FastAPI

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Nothing is asked of another server, whatever a library's page may want; blob: and data: are the page's own.
POLICY = (
    "default-src 'self' blob: data:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' "
    "'unsafe-inline'; connect-src 'self' blob: data:; frame-ancestors 'self'; form-action 'self'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]
FONTS = ["ui-sans-serif", "system-ui", "sans-serif"]


@dataclass(frozen=True)
class PageOptions:
    """How the page is served. Names of files are taken from the folder in which it is made, for jobs lie elsewhere."""

    folder: Path  # of the queue, and of uploads while they are used
    pack: str | None = None
    host: str = "127.0.0.1"
    port: int = 7860
    largest: int = 2000  # MB of one video
    device: str = "auto"  # of jobs, as of the editor
    precision: str = "auto"

    def __post_init__(self) -> None:
        checked("max_upload", self.largest, "largest")
        checked("port", self.port)
        object.__setattr__(self, "folder", self.folder.absolute())
        if self.pack is not None and is_path(self.pack):
            object.__setattr__(self, "pack", str(Path(self.pack).absolute()))


def require_gradio() -> None:
    """:raises MissingExtra: the packages that the page is made with are not installed."""
    if importlib.util.find_spec("gradio") is None:
        raise MissingExtra('the page needs gradio; pip install "vidinv[ui]"')
    require_page()


def application(options: PageOptions, make: Callable[[], VideoEditor]) -> tuple[FastAPI, Callable[[], None]]:
    """The page, to be served, and what to call when it ends.

    :raises MissingExtra: see :func:`require_gradio`.
    """
    require_gradio()
    from vidinv.page.session import UPLOADS, Engine, Sessions

    scratch = options.folder / UPLOADS
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(scratch)  # uploads and pictures lie there, and go with it

    import gradio as gr
    from fastapi import FastAPI

    from vidinv.page.events import JobSettings, Page, wire
    from vidinv.page.knobs import knobs
    from vidinv.page.layout import CSS, layout, zeros
    from vidinv.page.queue import Queue

    options.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = Engine(make)
    sessions, queue = Sessions(scratch, engine), Queue(options.folder / "queue")
    pack, shown = engine.quick.pack, knobs(engine.quick.edits)
    parts = layout(shown, holdable(pack), f"{options.largest} MB")
    how = JobSettings(options.pack, options.device, options.precision)
    wire(Page(sessions, queue, shown, how), parts)

    def end() -> None:
        queue.close()
        sessions.clear()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Bodies, folders=(scratch, options.folder / "queue"))
    app.add_middleware(Guard, hosts=LOOPBACK if options.host in LOOPBACK else None)
    parts.blocks.queue(api_open=False)
    theme = gr.themes.Default(font=FONTS, font_mono=["ui-monospace", "monospace"]).set(
        block_info_text_color="*neutral_600", block_info_text_color_dark="*neutral_300"
    )
    app = gr.mount_gradio_app(
        app,
        parts.blocks,
        "/",
        server_name=options.host,
        server_port=options.port,
        max_file_size=f"{options.largest}mb",
        allowed_paths=[str(options.folder / "queue")],
        show_error=True,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        footer_links=[],
        theme=theme,
        css=CSS + zeros(shown),
    )
    queue.start()
    return app, end


def serve(options: PageOptions, make: Callable[[], VideoEditor], ready: Callable[[str], None]) -> None:
    """Serve the page until the program is ended.

    :param make: an editor with the pack. :param ready: is told where it is, when it answers there.
    :raises MissingExtra: see :func:`require_gradio`. :raises UsageError: nothing can be served there, or another page
        has the folder; neither does that page any harm.
    """
    require_gradio()
    import uvicorn

    where = f"[{options.host}]" if ":" in options.host else options.host
    with _listening(options) as listener, _alone(options.folder):
        app, end = application(options, make)
        ready(f"http://{where}:{options.port}/")
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
        logging.getLogger("uvicorn.error").addFilter(_is_told)
        try:
            with suppress(KeyboardInterrupt):
                server.run(sockets=[listener])
        finally:
            end()


def _is_told(record: logging.LogRecord) -> bool:
    """Streams to tabs that are open when the page ends are cut: that is no error."""
    cut = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cut and not record.getMessage().startswith("Cancel ")


@contextmanager
def _listening(options: PageOptions) -> Iterator[socket.socket]:
    """The port, before anything is loaded. :raises UsageError: it is taken, or the address is none of ours."""
    try:
        family, *_ = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server((options.host, options.port), family=family, backlog=2048)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"nothing can be served at {options.host}, port {options.port} ({error}); choose another --port or --host"
        ) from None
    with listener:
        yield listener


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """:raises UsageError: another page has the folder, or it cannot be written."""
    lock = FileLock(folder / "lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire()
    except Timeout:
        raise UsageError(f"another page uses {folder} at this moment; end it, or choose another --folder") from None
    except OSError as error:
        raise UsageError(f"{folder} cannot be used ({error.strerror}); choose another --folder") from None
    try:
        yield
    finally:
        lock.release()


class Guard:
    """Answers no page of another server, and puts the headers on every answer; streams pass as they come. A browser
    that opens the page gets its name.

    :param hosts: the names that this address may be called by, since another server can give it its own; None: any.
    """

    def __init__(self, app: Any, hosts: Collection[str] | None) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        status = 0  # of the answer, once it has begun

        async def sent(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = [(b"set-cookie", cookie(browser_of(header_of(scope["headers"]))).encode())]
                here = named if scope["path"] == "/" and message["status"] == 200 else []
                message = {**message, "headers": [*message["headers"], *HEADERS, *here]}
            await send(message)

        if scope["type"] == "websocket" and self._refused(scope):
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http" and (status := self._refused(scope)):
            await sent({"type": "http.response.start", "status": status, "headers": []})
            await sent({"type": "http.response.body", "body": b""})
            return
        try:
            await self._app(scope, receive, sent if scope["type"] == "http" else send)
        except Exception as error:
            if status not in (0, 500) or scope["type"] != "http":
                raise
            # What nobody's page asks for is an error deep in a library, of a page of traceback for each.
            told = (scope["method"], scope["path"][:200], type(error).__name__, str(error)[:200])
            logging.getLogger("uvicorn.error").error("%s %r could not be answered: %s: %r", *told)
            if not status:  # else the library said so before it let the error go on
                await sent({"type": "http.response.start", "status": 500, "headers": []})
                await sent({"type": "http.response.body", "body": b""})

    def _refused(self, scope: Any) -> int:
        """The status of what is not answered; 0: it is."""
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").lower()
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            name = None
        if self._hosts is not None and name not in self._hosts:
            return 400
        origin = headers.get(b"origin")
        mine = f"{scope['scheme'].replace('ws', 'http', 1)}://{host}"
        return 403 if origin is not None and origin.decode("latin-1").lower() != mine else 0
