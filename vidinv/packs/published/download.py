"""Fetch a published file: goes on where it stopped, checks what came, and gives it its name when it is whole."""

from __future__ import annotations

import errno
import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPMessage
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from vidinv.errors import DiskFull, DownloadFailed, OutputUnwritable
from vidinv.packs.digest import LARGEST, sha256
from vidinv.packs.published.catalogue import KnownFile
from vidinv.packs.published.deadline import Deadline, handlers

Told = Callable[[int, int | None], None]  # bytes that are there, bytes in all
_PIECE = 1 << 20
LEAST = 1 << 16
"""Bytes: a server that brings fewer in DownloadOptions.patience, or in an attempt, holds its caller for ever."""
_LONGEST_TAG = 1000  # characters
_AS_SAFE = {"http": ("http", "https"), "https": ("https",)}  # where an address may lead on to
_BROKEN = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


@dataclass(frozen=True)
class DownloadOptions:
    attempts: int = 4  # in a row that bring less than LEAST, before it is given up
    pause: float = 2.0  # seconds before the second attempt, doubled with each
    timeout: float = 30.0  # seconds of silence that count as broken
    patience: float = 60.0  # seconds in which an answer begins, and in which each LEAST of it come


def download(
    known: KnownFile, folder: Path, options: DownloadOptions = DownloadOptions(), told: Told = lambda there, total: None
) -> Path:
    """The file in ``folder``; one that is there already and is what was published is not fetched again.

    What has arrived of an unfinished file stays beside its place, hidden, for the next call.

    :raises DownloadFailed: no connection, another file than was published, or one to be fetched by hand.
    :raises OutputError: no space, or no permission.
    """
    path = folder / known.file
    if path.exists():
        _check(known, path, path)
        return path
    if known.address is None:
        raise DownloadFailed(f"{known.file} has to be fetched by hand: open {known.page} and put it at {path}")
    part = folder / f".{known.file}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _own(part)
        _persist(known, part, path, options, told)
        _check(known, part, path)
        part.replace(path)
        _tag(part).unlink(missing_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _drop(part)
            raise DiskFull(f"no space left for {path}; nothing was kept. Free some space") from error
        raise OutputUnwritable(
            f"{path} cannot be written ({error.strerror or error}); choose another folder"
        ) from error
    return path


def _persist(known: KnownFile, part: Path, path: Path, options: DownloadOptions, told: Told) -> None:
    """Attempts, until all is there; only those that brought next to nothing count."""
    failures, most = 0, _size(part)
    while True:
        try:
            _fetch(known, part, options, told)
            return
        except urllib.error.HTTPError as error:
            if error.code == 416:  # what is there is no beginning of what the server has
                _drop(part)
            elif error.code < 500:
                raise DownloadFailed(
                    f"{known.address} answers {error.code} {error.reason}; see {known.page} and put the file at {path}"
                ) from None
            reason: object = f"the server answers {error.code}"
        except _BROKEN as error:
            reason = getattr(error, "reason", None) or error
        brought = _size(part) - most
        failures, most = (1 if brought >= LEAST else failures + 1), max(most, _size(part))
        if failures >= options.attempts:
            kept = f"; {_size(part) / 1e6:.1f} MB are kept, run the same command again" if _size(part) else ""
            raise DownloadFailed(
                f"{known.address} cannot be fetched ({reason}){kept}, or fetch it by hand and put it at {path}"
            )
        time.sleep(options.pause * 2 ** (failures - 1))


class _Redirects(urllib.request.HTTPRedirectHandler):
    """An address leads on to one that is as safe: never out of TLS, and never to another protocol."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in _AS_SAFE.get(req.type or "", ()):
            raise DownloadFailed(f"{req.full_url} leads on to {newurl}, which is not as safe; fetch it by hand")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(known: KnownFile, part: Path, options: DownloadOptions, told: Told) -> None:
    """One attempt, which is given up where it comes to nothing in time."""
    with Deadline(options.patience) as deadline:
        try:
            _fetch_in_time(known, part, options, told, deadline)
        except (*_BROKEN, DownloadFailed):  # the end that was made of it may look like any
            if not deadline.over:
                raise
        if deadline.over:
            raise ConnectionError(f"less than {LEAST} bytes came in {options.patience:g} s")


def _fetch_in_time(known: KnownFile, part: Path, options: DownloadOptions, told: Told, deadline: Deadline) -> None:
    """The rest is asked for only if the server still has the file that the beginning came from."""
    there, tag = _size(part), _noted(part)
    assert known.address is not None  # download() refuses the others
    request = urllib.request.Request(known.address, headers={"User-Agent": "vidinv"})
    if there and tag:
        request.add_header("Range", f"bytes={there}-")
        request.add_header("If-Range", tag)
    opener = urllib.request.build_opener(_Redirects, *handlers(deadline))
    with opener.open(request, timeout=options.timeout) as answer:
        _check_answer(known, answer)
        goes_on = answer.status == 206
        if goes_on and not _continues(answer, there, tag):
            _drop(part)
            raise ConnectionError("it went on with another part, or of another file")
        there = there if goes_on else 0
        total = _total(known, answer, there, part)
        if total is not None and shutil.disk_usage(part.parent).free < total - there:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        _tag(part).write_text(_version(answer), encoding="latin-1")
        with part.open("ab" if goes_on else "wb") as file:
            came = 0
            while piece := _read(answer):
                if there + len(piece) > LARGEST:
                    _drop(part)
                    raise DownloadFailed(f"{known.address} sends more than {LARGEST} bytes; see {known.page}")
                file.write(piece)
                there, came = there + len(piece), came + len(piece)
                if came >= LEAST:
                    deadline.again()
                    came = 0
                told(there, total)
    if total is not None and there < total:
        raise ConnectionError(f"the connection ended after {there} of {total} bytes")
    if not there:
        _drop(part)
        raise DownloadFailed(f"{known.address} sends an empty file; see {known.page}")


def _check_answer(known: KnownFile, answer: http.client.HTTPResponse) -> None:
    """:raises DownloadFailed: it is none that a file comes with, as it was published."""
    told = ""
    if answer.status not in (200, 206):
        told = f"answers {answer.status} {answer.reason}"
    elif answer.headers.get_content_type() == "text/html":
        told = "sends a page in place of the file"
    elif (packed := answer.headers.get("Content-Encoding", "identity").strip().lower()) not in ("", "identity"):
        told = f"sends the file packed ({packed:.40}), which nobody asked for"
    if told:
        raise DownloadFailed(f"{known.address} {told}; see {known.page}")


def _continues(answer: http.client.HTTPResponse, there: int, tag: str) -> bool:
    """Is it the rest of what is there?"""
    begins = (answer.headers.get("Content-Range") or "").startswith(f"bytes {there}-")
    return begins and (_version(answer) or tag) == tag


def _version(answer: http.client.HTTPResponse) -> str:
    """The server's name for what it has; "": it has none that could be said to it again."""
    told = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
    return told if told.isprintable() and len(told) <= _LONGEST_TAG and not _strange(told) else ""


def _noted(part: Path) -> str:
    """What :func:`_version` said when the beginning came; "": nobody knows."""
    if not _tag(part).exists() or _size(_tag(part)) > _LONGEST_TAG:
        return ""
    told = _tag(part).read_text(encoding="latin-1")
    return told if told.isprintable() else ""


def _strange(text: str) -> bool:
    """No latin-1, which is what headers are written in?"""
    return any(ord(letter) > 255 for letter in text)


def _total(known: KnownFile, answer: http.client.HTTPResponse, there: int, part: Path) -> int | None:
    """Bytes of the whole file; None: not said, and its end will be seen."""
    if answer.length is None:  # not said, or no number
        if known.size is None and known.sha256 is None and not answer.chunked:
            raise DownloadFailed(
                f"{known.address} does not say how long the file is, so a broken one could not be told from a whole "
                f"one; see {known.page}"
            )
        return known.size
    total = there + answer.length
    if total != (known.size or total) or total > LARGEST:
        _drop(part)
        should = f"{known.size} were published" if known.size else f"{LARGEST} are the most that is fetched"
        raise DownloadFailed(f"{known.address} has {total} bytes, and {should}; see {known.page}")
    return total


def _read(answer: http.client.HTTPResponse) -> bytes:
    """A piece, as soon as there is any; whatever breaks here is the connection's fault and no folder's."""
    try:
        return answer.read1(_PIECE)
    except OSError as error:
        raise ConnectionError(str(error)) from error


def _check(known: KnownFile, held: Path, path: Path) -> None:
    """Is what ``held`` holds the published file? If not, and it is not the user's own, it goes."""
    if (known.size is None or _size(held) == known.size) and known.sha256 in (None, sha256(held)):
        return
    if held == path:
        raise DownloadFailed(f"{path} is not the published {known.file}: its size or sha256 differs; move it away")
    _drop(held)
    raise DownloadFailed(
        f"{known.address} is not the published file: its size or sha256 differs. Nothing was kept; see {known.page}"
    )


def _tag(part: Path) -> Path:
    """Where the server's name for this version of the file is noted."""
    return part.with_name(f"{part.name}.etag")


def _own(part: Path) -> None:
    """What was begun is written on only if it is a file of our own: behind a link lies somebody else's."""
    for path in (part, _tag(part)):
        if path.is_symlink() or (path.exists() and (not path.is_file() or path.stat().st_nlink > 1)):
            path.unlink()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _drop(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag(part).unlink(missing_ok=True)
