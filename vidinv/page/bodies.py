"""Of what a browser sends, the names of files: those that the page gave it itself, and no others.

The library that the page is drawn with copies a file that is named as a component's value, whosever it is, to where it
can be fetched from; a name of another server it would ask.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from vidinv.regular import resolved

LARGEST = 1 << 24  # bytes of a request that is no upload
UPLOADS = ("/upload",)  # of files as they are, which name none


class Bodies:
    """Refuses requests that name files outside of some folders; the others are passed on as they were understood."""

    def __init__(self, app: Any, folders: Collection[Path]) -> None:
        self._app, self._folders = app, tuple(resolved(folder) for folder in folders)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD") or scope["path"].endswith(UPLOADS):
            await self._app(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return  # whoever asked has gone
            body += message.get("body", b"")
            if len(body) > LARGEST:
                await _refused(send, 413)
                return
            if not message.get("more_body"):
                break
        if body:
            try:
                told = json.loads(body)
                if not self._are_ours(told):
                    await _refused(send, 403)
                    return
                body = json.dumps(told).encode()  # what was looked at is what is done, whoever reads it
            except (ValueError, RecursionError):
                await _refused(send, 400)
                return
        length = str(len(body)).encode()
        kept = [(name, length if name == b"content-length" else value) for name, value in scope["headers"]]
        given = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Any:
            return given.pop() if given else await receive()

        await self._app({**scope, "headers": kept}, replayed, send)

    def _are_ours(self, told: Any) -> bool:
        """Does every file that is named lie in one of the folders?"""
        waiting = [told]
        while waiting:
            one = waiting.pop()
            if isinstance(one, dict):
                named = [one[key] for key in ("path", "url") if isinstance(one.get(key), str)]
                if isinstance(one.get("path"), str) and not all(map(self._is_ours, named)):
                    return False
                waiting += one.values()
            elif isinstance(one, list):
                waiting += one
            elif isinstance(one, str) and one.lstrip()[:1] in ("{", "["):  # values that are packed once more
                try:
                    waiting.append(json.loads(one))
                except ValueError:
                    continue
        return True

    def _is_ours(self, name: str) -> bool:
        """A file's name, or its address on this page."""
        _, served, rest = name.partition("/gradio_api/file=")
        try:
            return any(
                resolved(Path(unquote(rest) if served else name)).is_relative_to(folder) for folder in self._folders
            )
        except ValueError:  # a nul
            return False


async def _refused(send: Any, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})
