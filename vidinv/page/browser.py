"""By what name a browser's jobs are found again: a random one in a cookie, the same in all of its tabs."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from vidinv.errors import UsageError

COOKIE = "vidinv-browser"
KEPT = 365 * 24 * 3600  # seconds from the last visit
_NAME = re.compile(r"[A-Za-z0-9_-]{32}")


def browser_of(header: str) -> str | None:
    """:param header: of the request, "cookie". :return: None: it has no name yet."""
    for part in header.split(";"):  # http.cookies gives up all of them where another server's is odd, as {"a": 1} is
        name, _, value = part.strip().partition("=")
        if name == COOKIE and _NAME.fullmatch(value):
            return value
    return None


def named(header: str) -> str:
    """The same. :raises UsageError: the browser keeps no cookies."""
    browser = browser_of(header)
    if browser is None:
        raise UsageError("this browser keeps no cookie, by which its jobs are found again; allow it for this page")
    return browser


def cookie(browser: str | None) -> str:
    """The answer's header "set-cookie", with a new name for a browser without one. No script and no other site reads
    it."""
    name = browser or secrets.token_urlsafe(24)
    return f"{COOKIE}={name}; Max-Age={KEPT}; Path=/; HttpOnly; SameSite=Strict"


def header_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The cookies of a request as it comes."""
    return "; ".join(value.decode("latin-1") for name, value in headers if name == b"cookie")
