"""Servers that hold their caller, or send what was not asked for: given up, and nothing of it becomes a file."""

from __future__ import annotations

import gzip
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from vidinv.errors import DownloadFailed
from vidinv.packs.published.catalogue import KnownFile
from vidinv.packs.published.download import LEAST, DownloadOptions, download

DATA = bytes(range(256)) * 1000  # 256 kB
QUICK = DownloadOptions(attempts=2, pause=0.01, timeout=5, patience=0.5)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
LONG = b"Content-Length: %d\r\n\r\n" % len(DATA)

Answer = Callable[[socket.socket, bytes], None]  # is given the connection and what was asked for


@pytest.fixture
def served() -> Iterator[Callable[[Answer], KnownFile]]:
    """Begins to answer so; the file that is published there."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(answer: Answer) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += connection.recv(4096)
                answer(connection, asked)

    def begin(answer: Answer) -> KnownFile:
        threads.append(threading.Thread(target=serve, args=(answer,), daemon=True))
        threads[-1].start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/weights.pt"
        return KnownFile("w", "weights.pt", "--generator", "", "MIT", "http://127.0.0.1/page", address, None, None)

    yield begin
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    for thread in threads:
        thread.join()


def said(*pieces: bytes) -> Answer:
    return lambda connection, asked: connection.sendall(b"".join(pieces))


def slowly(begin: bytes, drop: bytes) -> Answer:
    """A drop every now and then, for ever."""

    def answer(connection: socket.socket, asked: bytes) -> None:
        connection.sendall(begin)
        while True:
            connection.sendall(drop)
            time.sleep(0.05)

    return answer


SLOW = {
    "status": (b"HTTP/1.1", b" "),
    "headers": (OK, b"X: y\r\n "),
    "body": (OK + LONG, b"x"),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "head of a chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
}


@pytest.mark.parametrize("where", SLOW)
def test_a_byte_now_and_then_is_given_up(served: Callable[[Answer], KnownFile], tmp_path: Path, where: str) -> None:
    known, begun = served(slowly(*SLOW[where])), time.monotonic()
    with pytest.raises(DownloadFailed, match=rf"less than {LEAST} bytes came in 0\.5 s"):
        download(known, tmp_path, QUICK)
    assert time.monotonic() - begun < 10
    assert not (tmp_path / "weights.pt").exists()
    assert not [thread for thread in threading.enumerate() if thread.name == "deadline"]


def test_a_slow_server_that_brings_enough_is_waited_for(served: Callable[[Answer], KnownFile], tmp_path: Path) -> None:
    def answer(connection: socket.socket, asked: bytes) -> None:
        connection.sendall(OK + LONG)
        for at in range(0, len(DATA), LEAST):
            connection.sendall(DATA[at : at + LEAST])
            time.sleep(0.3)

    assert download(served(answer), tmp_path, QUICK).read_bytes() == DATA


def test_a_server_that_breaks_off_after_every_byte_is_given_up(
    served: Callable[[Answer], KnownFile], tmp_path: Path
) -> None:
    asked: list[bytes] = []

    def answer(connection: socket.socket, wanted: bytes) -> None:
        asked.append(wanted)
        at = len(asked) - 1
        if b"Range: bytes=" in wanted:
            told = b"Content-Range: bytes %d-%d/%d\r\n" % (at, len(DATA) - 1, len(DATA))
            head = OK.replace(b"200 OK", b"206 Partial Content") + told
            connection.sendall(
                head + b'ETag: "one"\r\nContent-Length: %d\r\n\r\n' % (len(DATA) - at) + DATA[at : at + 1]
            )
        else:
            connection.sendall(OK + b'ETag: "one"\r\n' + LONG + DATA[:1])

    with pytest.raises(DownloadFailed, match="are kept, run the same command again"):
        download(served(answer), tmp_path, QUICK)
    assert len(asked) == QUICK.attempts


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            (OK, b"Content-Encoding: gzip\r\nContent-Length: 28\r\n\r\n", gzip.compress(b"weights", 1)),
            r"packed \(gzip\)",
        ),
        ((OK, b"Content-Length: 0\r\n\r\n"), "an empty file"),
        ((OK, b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "an empty file"),
        ((b"HTTP/1.1 204 No Content\r\n\r\n",), "answers 204 No Content"),
        ((OK.replace(b"200 OK", b"203 Other"), LONG, DATA), "answers 203 Other"),
        ((OK, b"Content-Length: -1\r\n\r\n", DATA), "does not say how long"),
        ((OK, b"Content-Length: 999999999999999\r\n\r\n", DATA), "are the most"),
        ((OK, b"Content-Length: 300000\r\n\r\n", DATA), "ended after 256000 of 300000 bytes"),
        ((b"HTTP/1.1 302 Found\r\n\r\n",), "answers 302"),
        ((b"HTTP/1.1 308 Permanent Redirect\r\nLocation: /weights.pt\r\nContent-Length: 0\r\n\r\n",), "answers 308"),
        ((b"not HTTP at all\r\n\r\n",), "cannot be fetched"),
        ((OK, b"X: y\r\n" * 200, LONG, DATA), "cannot be fetched"),
    ],
)
def test_answers_that_no_file_comes_with(
    served: Callable[[Answer], KnownFile], tmp_path: Path, answer: tuple[bytes, ...], message: str
) -> None:
    with pytest.raises(DownloadFailed, match=message):
        download(served(said(*answer)), tmp_path, QUICK)
    assert not (tmp_path / "weights.pt").exists()


def test_what_comes_behind_the_length_is_not_read(served: Callable[[Answer], KnownFile], tmp_path: Path) -> None:
    assert download(served(said(OK, LONG, DATA, b"more")), tmp_path, QUICK).read_bytes() == DATA


@pytest.mark.parametrize("tag", [b'"caf\xe9"', b'"a"\r\n b', b'"%s"' % (b"a" * 5000), "„x“".encode()])
def test_names_of_versions_of_any_kind(served: Callable[[Answer], KnownFile], tmp_path: Path, tag: bytes) -> None:
    asked: list[bytes] = []

    def answer(connection: socket.socket, wanted: bytes) -> None:
        asked.append(wanted)
        cut = len(DATA) // 2 if len(asked) == 1 else len(DATA)
        connection.sendall(OK + b"ETag: " + tag + b"\r\n" + LONG + DATA[:cut])

    assert download(served(answer), tmp_path, QUICK).read_bytes() == DATA
    assert len(asked) == 2


@pytest.mark.parametrize("noted", [b"\xff\xfe\0", b"a\r\nX-Evil: 1", b"a" * 100_000])
def test_a_note_that_somebody_else_wrote_is_not_sent(
    served: Callable[[Answer], KnownFile], tmp_path: Path, noted: bytes
) -> None:
    asked: list[bytes] = []

    def answer(connection: socket.socket, wanted: bytes) -> None:
        asked.append(wanted)
        connection.sendall(OK + LONG + DATA)

    (tmp_path / ".weights.pt.part").write_bytes(b"begun")
    (tmp_path / ".weights.pt.part.etag").write_bytes(noted)
    path = download(served(answer), tmp_path, QUICK)
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(DATA).digest()
    assert b"Range" not in asked[0]
    assert b"Evil" not in asked[0]
