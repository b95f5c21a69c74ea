"""A download goes on where it stopped, is what was published, and appears whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import shutil
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest

from vidinv.errors import DiskFull, DownloadFailed, OutputUnwritable
from vidinv.packs.published import download as module
from vidinv.packs.published.catalogue import CATALOGUE, KnownFile
from vidinv.packs.published.download import DownloadOptions, download

DATA = bytes(range(256)) * 20_000  # 5 MB
QUICK = DownloadOptions(attempts=3, pause=0.01, timeout=5)


@dataclass
class Server:
    """What it does can be changed between requests; what it was asked for is remembered."""

    data: bytes = DATA
    tag: str = '"one"'
    breaks: list[int] = field(default_factory=list)  # bytes after which each of the next answers ends
    ranges: bool = True
    status: int = 200
    kind: str = "application/octet-stream"
    leads_to: str = ""
    rest_begins: int = 0  # bytes later than was asked for
    rest_tag: str = ""  # in place of its own
    says_length: bool = True
    asked: list[str | None] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append(wanted)
            if state.status != 200:
                self.send_error(state.status)
                return
            if state.leads_to:
                self.send_response(302)
                self.send_header("Location", state.leads_to)
                self.end_headers()
                return
            start = 0
            if wanted and state.ranges and self.headers.get("If-Range") == state.tag:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206 if start else 200)
            if start:
                start += state.rest_begins
                self.send_header("Content-Range", f"bytes {start}-{len(state.data) - 1}/{len(state.data)}")
            if state.says_length:
                self.send_header("Content-Length", str(len(state.data) - start))
            self.send_header("Content-Type", state.kind)
            self.send_header("ETag", state.rest_tag if start and state.rest_tag else state.tag)
            self.end_headers()
            end = start + state.breaks.pop(0) if state.breaks else len(state.data)
            self.wfile.write(state.data[start:end])

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    state.address = f"http://127.0.0.1:{http.server_port}/weights.pt"
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def known(server: Server) -> KnownFile:
    digest = hashlib.sha256(DATA).hexdigest()
    page = "http://127.0.0.1/page"
    return KnownFile("w", "weights.pt", "--generator", "", "MIT", page, server.address, len(DATA), digest)


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_whole_file_is_all_that_is_left(server: Server, known: KnownFile, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = download(known, tmp_path / "new", QUICK, lambda *t: told.append(t))
    assert path.read_bytes() == DATA
    assert names(tmp_path / "new") == ["weights.pt"]
    assert told[-1] == (len(DATA), len(DATA))


def test_a_broken_connection_goes_on_where_it_stopped(server: Server, known: KnownFile, tmp_path: Path) -> None:
    server.breaks = [1_000_000, 2_000_000, 0]
    assert download(known, tmp_path, QUICK).read_bytes() == DATA
    assert server.asked == [None, "bytes=1000000-", "bytes=3000000-", "bytes=3000000-"]


def test_the_next_call_goes_on_too(server: Server, known: KnownFile, tmp_path: Path) -> None:
    server.breaks = [1_000_000, 0, 0]
    with pytest.raises(DownloadFailed, match=r"1\.0 MB are kept, run the same command again"):
        download(known, tmp_path, QUICK)
    assert "weights.pt" not in names(tmp_path)
    assert download(known, tmp_path, QUICK).read_bytes() == DATA
    assert server.asked[-1] == "bytes=1000000-"


@pytest.mark.parametrize("ranges", [True, False])
def test_the_halves_of_two_versions_are_never_joined(
    server: Server, known: KnownFile, tmp_path: Path, ranges: bool
) -> None:
    known = replace(known, sha256=None, size=None)
    server.breaks = [1_000_000, 0, 0]
    with pytest.raises(DownloadFailed):
        download(known, tmp_path, QUICK)
    server.data, server.tag, server.ranges = DATA[::-1], '"two"' if ranges else server.tag, ranges
    assert download(known, tmp_path, QUICK).read_bytes() == DATA[::-1]


def test_a_wrong_hash_leaves_nothing(server: Server, known: KnownFile, tmp_path: Path) -> None:
    server.data = DATA[:-1] + b"x"
    with pytest.raises(DownloadFailed, match="sha256 differs"):
        download(known, tmp_path, QUICK)
    assert names(tmp_path) == []


def test_another_size_is_not_even_fetched(server: Server, known: KnownFile, tmp_path: Path) -> None:
    server.data = DATA[:-1]
    with pytest.raises(DownloadFailed, match="has 5119999 bytes, and 5120000 were published"):
        download(known, tmp_path, QUICK)
    assert names(tmp_path) == []


def test_a_full_disk_is_known_before_and_during(
    server: Server, known: KnownFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as m:
        m.setattr(module.shutil, "disk_usage", lambda path: usage._replace(free=1000))
        with pytest.raises(DiskFull, match="nothing was kept"):
            download(known, tmp_path, QUICK)
    assert names(tmp_path) == []

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull):
        download(known, tmp_path, QUICK, full)
    assert names(tmp_path) == []


def test_a_file_that_is_there_is_checked_and_not_fetched(server: Server, known: KnownFile, tmp_path: Path) -> None:
    (tmp_path / "weights.pt").write_bytes(DATA)
    assert download(known, tmp_path, QUICK) == tmp_path / "weights.pt"
    (tmp_path / "weights.pt").write_bytes(b"mine")
    with pytest.raises(DownloadFailed, match="move it away"):
        download(known, tmp_path, QUICK)
    assert (tmp_path / "weights.pt").read_bytes() == b"mine"
    assert server.asked == []


def test_a_page_is_no_file(server: Server, known: KnownFile, tmp_path: Path) -> None:
    server.kind = "text/html; charset=utf-8"
    with pytest.raises(DownloadFailed, match="sends a page"):
        download(replace(known, size=None, sha256=None), tmp_path, QUICK)
    assert names(tmp_path) == []


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (503, 3)])
def test_a_refusal_is_told_and_a_tired_server_asked_again(
    server: Server, known: KnownFile, tmp_path: Path, status: int, requests: int
) -> None:
    server.status = status
    with pytest.raises(DownloadFailed, match=rf"{status}.*put"):
        download(known, tmp_path, QUICK)
    assert len(server.asked) == requests


def test_offline_it_says_which_file_to_put_where(known: KnownFile, tmp_path: Path) -> None:
    nowhere = replace(known, address="http://127.0.0.1:9/weights.pt")
    with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1:9/weights\.pt.*put it at .*weights\.pt"):
        download(nowhere, tmp_path, QUICK)
    with pytest.raises(DownloadFailed, match=r"by hand: open http://127\.0\.0\.1/page and put it at .*weights\.pt"):
        download(replace(known, address=None), tmp_path, QUICK)


def test_a_folder_that_cannot_be_written_is_named(known: KnownFile, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputUnwritable, match="choose another folder"):
        download(known, tmp_path / "file" / "folder", QUICK)


def test_the_catalogue_can_be_used() -> None:
    assert len({k.name for k in CATALOGUE}) == len({k.file for k in CATALOGUE}) == len(CATALOGUE)
    for k in CATALOGUE:
        assert k.option in ("--generator", "--encoder", "--identity", "--parsing", "--directions")
        assert k.page.startswith("https://")
        assert k.address is None or k.address.startswith("https://")
        assert k.sha256 is None or len(k.sha256) == 64
        assert k.licence


@pytest.mark.parametrize("rest", [{"rest_begins": 7}, {"rest_tag": '"two"'}], ids=["offset", "version"])
def test_a_rest_of_something_else_begins_anew(server: Server, known: KnownFile, tmp_path: Path, rest: dict) -> None:
    for name, value in rest.items():
        setattr(server, name, value)
    server.breaks = [1_000_000]
    assert download(replace(known, sha256=None), tmp_path, QUICK).read_bytes() == DATA
    assert server.asked == [None, "bytes=1000000-", None]


@pytest.mark.parametrize("scheme", ["ftp", "file", "data"])
def test_an_address_leads_on_to_no_other_protocol(
    server: Server, known: KnownFile, tmp_path: Path, scheme: str
) -> None:
    server.leads_to = f"{scheme}://127.0.0.1/weights.pt"
    with pytest.raises(DownloadFailed, match=rf"leads on to {scheme}:.*not as safe|{scheme}:.* is not allowed"):
        download(known, tmp_path, QUICK)
    assert names(tmp_path) == []


def test_an_address_under_tls_leads_on_to_no_other() -> None:
    request = urllib.request.Request("https://127.0.0.1/weights.pt")
    with pytest.raises(DownloadFailed, match=r"leads on to http:.*not as safe"):
        module._Redirects().redirect_request(request, BytesIO(), 302, "", Message(), "http://127.0.0.1/weights.pt")


def test_what_was_begun_is_no_link(server: Server, known: KnownFile, tmp_path: Path) -> None:
    theirs, folder = tmp_path / "theirs", tmp_path / "packs"
    theirs.write_bytes(b"not ours")
    folder.mkdir()
    (folder / ".weights.pt.part").symlink_to(theirs)
    (folder / ".weights.pt.part.etag").hardlink_to(theirs)
    assert download(known, folder, QUICK).read_bytes() == DATA
    assert theirs.read_bytes() == b"not ours"
    assert names(folder) == ["weights.pt"]


def test_a_file_whose_end_nobody_would_see_is_not_fetched(
    server: Server, known: KnownFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.says_length = False
    with pytest.raises(DownloadFailed, match="does not say how long the file is"):
        download(replace(known, size=None, sha256=None), tmp_path, QUICK)
    assert download(known, tmp_path / "checked", QUICK).read_bytes() == DATA
    monkeypatch.setattr(module, "LARGEST", 1_000_000)
    for says in (False, True):
        server.says_length = says
        with pytest.raises(DownloadFailed, match="1000000"):
            download(replace(known, size=None), tmp_path / "large", QUICK)
    assert names(tmp_path / "large") == []
