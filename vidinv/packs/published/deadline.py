"""Connections that end in time, however slowly the other side speaks."""

from __future__ import annotations

import http.client
import socket
import threading
import time
import urllib.request
from contextlib import suppress
from typing import Any, Self


class Deadline:
    """Ends the connections that it watches if nobody says :meth:`again` for so many seconds.

    A socket's own timeout counts from one byte to the next: a byte now and then holds it off for ever.
    """

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._seconds, self._until = seconds, time.monotonic() + seconds
        self._done, self._watched = threading.Event(), list[socket.socket]()
        self._thread = threading.Thread(target=self._wait, name="deadline", daemon=True)

    def again(self) -> None:
        self._until = time.monotonic() + self._seconds

    def watch(self, connection: socket.socket) -> None:
        self._watched.append(connection.dup())  # TLS takes the socket itself away

    def _wait(self) -> None:
        while (left := self._until - time.monotonic()) > 0:
            if self._done.wait(left):
                return
        self.over = True
        for one in self._watched:
            with suppress(OSError):  # it has ended by itself
                one.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        for one in self._watched:
            one.close()


def handlers(deadline: Deadline) -> tuple[urllib.request.BaseHandler, ...]:
    """For an opener: plain and by TLS."""

    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            deadline.watch(self.sock)
            if deadline.over:  # while it was being looked for
                raise TimeoutError("it took too long to connect")

    class Secure(http.client.HTTPSConnection, Plain):  # whose connect() asks the next one's before it begins with TLS
        pass

    class OverPlain(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> Any:
            return self.do_open(Plain, req)

    class OverSecure(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> Any:
            return self.do_open(Secure, req)

    return OverPlain(), OverSecure()
