"""The page's server: for this machine only unless it is told otherwise, and nothing of it comes from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidinv.api import VideoEditor
from vidinv.edits.held import holdable
from vidinv.errors import MissingExtra, UsageError
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
    """How the page is served."""

    folder: Path  # of the queue, and of uploads while they are used
    pack: str | None = None
    host: str = "127.0.0.1"
    port: int = 7860
    largest: int = 2000  # MB of one video

    def __post_init__(self) -> None:
        if self.largest < 1 or not 0 < self.port < 65536:
            raise UsageError("a video may be 1 MB or more, and ports are 1 to 65535")


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
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from vidinv.page.events import Page, wire
    from vidinv.page.knobs import knobs
    from vidinv.page.layout import CSS, layout
    from vidinv.page.queue import Queue

    options.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = Engine(make)
    sessions, queue = Sessions(scratch, engine), Queue(options.folder / "queue")
    pack, shown = engine.quick.pack, knobs(engine.quick.edits)
    parts = layout(shown, holdable(pack), _secret(options.folder), f"{options.largest} MB")
    wire(Page(sessions, queue, shown, options.pack), parts)

    def end() -> None:
        queue.close()
        sessions.clear()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if options.host in LOOPBACK:  # a page elsewhere that gives this address another name is not answered
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])
    app.add_middleware(_Policy)
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
        css=CSS,
    )
    queue.start()
    return app, end


def serve(options: PageOptions, make: Callable[[], VideoEditor], ready: Callable[[str], None]) -> None:
    """Serve the page until the program is ended.

    :param make: an editor with the pack. :param ready: is told where it is.
    """
    app, end = application(options, make)
    import uvicorn

    where = f"[{options.host}]" if ":" in options.host else options.host
    ready(f"http://{where}:{options.port}/")
    try:
        uvicorn.run(app, host=options.host, port=options.port, log_level="warning", timeout_graceful_shutdown=2)
    finally:
        end()


class _Policy:
    """Puts the headers on every answer, and lets streams through as they come."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *HEADERS]}
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == "http" else send)


def _secret(folder: Path) -> str:
    """What browsers lock their own memory with: the same after a restart, so that each finds its jobs again."""
    path = folder / "secret"
    if not path.is_file():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(8), encoding="ascii")
    return path.read_text(encoding="ascii")
