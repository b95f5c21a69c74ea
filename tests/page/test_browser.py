"""The whole way in a real browser: a video is dropped, a face chosen, a slider moved, the result taken home."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tests.toy import add_toy_edit_network, write_toy_pack
from vidinv.api import VideoEditor
from vidinv.cli.main import app
from vidinv.video import Reader

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), "")
MISSING = [name for name in ("playwright", "gradio", "jinja2", "matplotlib") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine"),
]
WAIT = 400_000  # ms
SHOTS = os.environ.get("VIDINV_SCREENSHOTS")  # a folder, for whoever wants to look


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of somebody's face."""
    path = tmp_path_factory.mktemp("clips") / "short.mp4"
    with Reader(ROOT / "assets" / "sample.mp4") as reader, av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=Fraction(25), options={"crf": "16", "g": "10", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
        for frame in islice(reader, 12):
            picture = cv2.resize(frame.image, (480, 270), interpolation=cv2.INTER_AREA)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))
    return path


class Served:
    """The page, by a process of its own, which may be ended and begun again."""

    def __init__(self, home: Path, pack: Path | None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.home, self.address = home, f"http://127.0.0.1:{port}/"
        self._command = [sys.executable, "-m", "vidinv", "ui", "--port", str(port), "--folder", str(home)]
        self._command += ["--pack", str(pack)] if pack else []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(self._command, cwd=self.home, env=environment)
        for _ in range(240):
            assert self._process.poll() is None, "the page ended"
            try:
                return urllib.request.urlopen(self.address, timeout=5).close()
            except OSError:
                time.sleep(0.5)
        raise AssertionError("the page does not answer")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)
            self._process = None


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """None: the default one, for whoever wants to look."""
    return None if SHOTS else add_toy_edit_network(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, pack: Path | None) -> Iterator[Served]:
    found = Served(tmp_path_factory.mktemp("page"), pack)
    try:
        found.start()
        yield found
    finally:
        found.stop()
    assert not (found.home / "vidinv-uploads").exists(), "what was dropped goes at the end"


@pytest.fixture
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def shot(page: Any, name: str) -> None:
    if SHOTS:
        for width in (1400, 360):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(500)
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
            inner = page.evaluate("document.documentElement.scrollWidth")
            assert inner <= width, f"{name} is {inner} wide"
        page.set_viewport_size({"width": 1400, "height": 900})


def says(page: Any, where: str, text: str) -> None:
    page.wait_for_function(f"document.querySelector('{where}')?.innerText.includes('{text}')", timeout=WAIT)


def text_of(page: Any) -> str:
    return str(page.input_value("#edits textarea"))


def asks(page: Any, *edits: str) -> None:
    """Wait until these edits stand there."""
    wanted = "\\n".join(edits)
    page.wait_for_function(f"document.querySelector('#edits textarea').value == '{wanted}'", timeout=WAIT)


def put(page: Any, where: str, value: object) -> None:
    page.locator(f"{where} input[type=number]").fill(str(value))
    page.locator(f"{where} input[type=number]").press("Enter")


def opened(context: Any, address: str, clip: Path | None, asked: list[str]) -> Any:
    """A tab, with a video."""
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_selector("#drop input[type=file]", state="attached", timeout=WAIT)
    if clip is not None:
        shot(page, "empty")
        page.set_input_files("#drop input[type=file]", str(clip))
        page.wait_for_selector("#people .thumbnail-item", timeout=WAIT)
        says(page, "#status", "bit for bit")
    return page


def edited(page: Any) -> np.ndarray:
    """[H, W, 3] RGB: the picture behind the wipe that is the edited one."""
    sources = [one.get_attribute("src") for one in page.locator("#wipe img").all()]
    data = page.request.get(sources[-1]).body()
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def frames(path: Path) -> list[np.ndarray]:
    with Reader(path) as reader:
        return [frame.image for frame in reader]


def test_from_a_dropped_video_to_the_result_of_the_command_line(
    served: Served, browser: Any, pack: Path | None, clip: Path, tmp_path: Path
) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    asked: list[str] = []
    other = opened(context, served.address, None, asked)  # before the first job of this browser
    page = opened(context, served.address, clip, asked)
    before = edited(page)
    page.locator("#people .thumbnail-item").first.click()
    says(page, "#whom", "person 0")

    # A slider for always, one in a range of time, and one along key frames.
    put(page, "#edit-age", 8)
    asks(page, "0:age=+8y")
    put(page, "#edit-smile", 1)
    asks(page, "0:age=+8y", "0:smile=+1")
    says(page, "#status", "bit for bit")
    after = edited(page)
    assert np.abs(after.astype(int) - before).max() > 10, "another picture is seen"
    torch.set_num_threads(1)
    editor = VideoEditor(pack)
    rendered = editor.render(clip, editor.analyse(clip), "0:age=+8y,0:smile=+1")
    assert np.array_equal(after, next(rendered).output.image), "what is seen is what is rendered"
    rendered.close()
    shot(page, "edited")
    page.locator("#when button").first.click()
    page.locator("#acts label", has_text="from - to").click()
    put(page, "#from", 0.1)
    put(page, "#to", 0.3)
    asks(page, "0:age=+8y", "0:smile=+1@0.1s-0.3s")
    put(page, "#edit-age", 6)
    page.wait_for_function("document.querySelector('#which input').value == 'age'", timeout=WAIT)
    page.locator("#acts label", has_text="key frames").click()
    asks(page, "0:age=+6y@0s..+6y@0.44s", "0:smile=+1@0.1s-0.3s")
    put(page, "#time", 0.2)
    says(page, "#status", "Frame 5 at 0.20 s")
    put(page, "#edit-age", 3)
    asks(page, "0:age=+6y@0s..+3y@0.2s..+6y@0.44s", "0:smile=+1@0.1s-0.3s")
    page.click("#unkey")
    asks(page, "0:age=+6y@0s..+6y@0.44s", "0:smile=+1@0.1s-0.3s")
    put(page, "#edit-age", -3)
    edits = "0:age=+6y@0s..-3y@0.2s..+6y@0.44s", "0:smile=+1@0.1s-0.3s"
    asks(page, *edits)

    # How it goes in; saved, left, and opened again.
    page.locator("#way button").first.click()
    page.locator("#hold label").first.click()
    page.locator("#composite label", has_text="paste").click()
    says(page, "#status", "bit for bit")
    shot(page, "opened")
    page.click("#save")
    with page.expect_download(timeout=WAIT) as project:
        page.locator("#saved a").first.click()
    path = clip.with_suffix(".toml")
    project.value.save_as(path)
    assert all(word in path.read_text() for word in ("hold = ", 'composite = "replace"'))
    page.locator("#composite label", has_text="add").click()
    page.click("#clear")
    asks(page)
    path.write_text(path.read_text() + "crf = 30\n")
    page.set_input_files("#drop input[type=file]", str(path))
    asks(page, *edits)
    assert page.locator("#composite label", has_text="paste").locator("input").is_checked()
    assert page.locator("#hold input").first.is_checked()
    says(page, "#status", "bit for bit")
    assert "crf = 30" in page.input_value("#kept textarea")
    shot(page, "project")

    # One queue in both tabs, and nothing else; a job is cancelled, and another is done.
    page.click("#render")
    says(page, "#queue", "age=+6y")
    says(other, "#queue", "age=+6y")
    other.set_input_files("#drop input[type=file]", str(clip))
    other.wait_for_selector("#people .thumbnail-item", timeout=WAIT)
    other.fill("#edits textarea", "age=-5y")
    other.click("#use")
    other.click("#render")
    says(page, "#queue", "age=-5y")
    assert text_of(page) == "\n".join(edits), "each tab has its own edits"
    other.click("#cancel")
    says(other, "#queue", "cancelled")
    says(page, "#queue", "done")
    page.locator("#queue label").first.click()
    page.click("#show")
    page.wait_for_selector("#report iframe", timeout=WAIT)
    with page.expect_download(timeout=WAIT) as result:
        page.locator("#files a").first.click()
    result.value.save_as(tmp_path / "page.mp4")
    shot(page, "result")
    stranger = opened(browser.new_context(), served.address, None, asked)
    says(stranger, "#none", "Nothing yet")
    assert not stranger.locator("#queue").is_visible(), "each browser has its own queue"

    # The page is ended with a job that waits, and begun again.
    other.click("#render")
    says(other, "#queue", "age=-5y - rendering")
    served.stop()
    served.start()
    again = opened(context, served.address, None, asked)
    assert again.locator("#queue label").count() == 3
    again.wait_for_function("document.querySelector('#queue').innerText.match(/- done/g)?.length == 2", timeout=WAIT)
    elsewhere = [url for url in asked if not url.startswith((served.address, "blob:", "data:"))]
    assert elsewhere == [], "the page asks nothing of anybody else"

    ran = CliRunner().invoke(app, ["run", str(path), "-o", str(tmp_path / "line.mp4"), "-q"])
    assert ran.exit_code == 0, ran.stderr
    mine, theirs = frames(tmp_path / "page.mp4"), frames(tmp_path / "line.mp4")
    assert len(mine) == len(theirs) == 12
    assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
