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


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, served by a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("page")
    command = [sys.executable, "-m", "vidinv", "ui", "--port", str(port), "--folder", str(home)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=home, env=environment)
    where = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(240):
            assert process.poll() is None, "the page ended"
            try:
                urllib.request.urlopen(where, timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield where
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert not (home / "vidinv-uploads").exists(), "what was dropped goes at the end"


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
        page.set_viewport_size({"width": 1400, "height": 900})


def says(page: Any, where: str, text: str) -> None:
    page.wait_for_function(f"document.querySelector('{where}').innerText.includes('{text}')", timeout=WAIT)


def edited(page: Any) -> np.ndarray:
    """[H, W, 3] RGB: the picture behind the wipe that is the edited one."""
    sources = [one.get_attribute("src") for one in page.locator("#wipe img").all()]
    data = page.request.get(sources[-1]).body()
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def frames(path: Path) -> list[np.ndarray]:
    with Reader(path) as reader:
        return [frame.image for frame in reader]


def test_from_a_dropped_video_to_the_result_of_the_command_line(
    address: str, browser: Any, clip: Path, tmp_path: Path
) -> None:
    page = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_selector("#drop input[type=file]", state="attached", timeout=WAIT)
    page.set_input_files("#drop input[type=file]", str(clip))
    page.wait_for_selector("#people .thumbnail-item", timeout=WAIT)
    says(page, "#status", "bit for bit")
    before = edited(page)
    page.locator("#people .thumbnail-item").first.click()
    says(page, "#whom", "person 0")
    shot(page, "dropped")

    amount = page.locator("#edit-age input[type=number]")
    amount.fill("15")
    amount.press("Enter")
    page.wait_for_function("document.querySelector('#edits textarea').value == '0:age=+15y'", timeout=WAIT)
    says(page, "#status", "bit for bit")
    after = edited(page)
    assert np.abs(after.astype(int) - before).max() > 10, "another picture is seen"
    shot(page, "edited")

    torch.set_num_threads(1)
    editor = VideoEditor()
    rendered = editor.render(clip, editor.analyse(clip), "0:age=+15y")
    assert np.array_equal(after, next(rendered).output.image), "what is seen is what is rendered"
    rendered.close()

    page.click("#save")
    with page.expect_download(timeout=WAIT) as project:
        page.locator("#saved a").first.click()
    project.value.save_as(clip.with_suffix(".toml"))
    page.click("#render")
    says(page, "#queue", "done")
    page.click("#show")
    page.wait_for_selector("#report iframe", timeout=WAIT)
    with page.expect_download(timeout=WAIT) as result:
        page.locator("#files a").first.click()
    result.value.save_as(tmp_path / "page.mp4")
    shot(page, "result")
    elsewhere = [url for url in asked if not url.startswith((address, "blob:", "data:"))]
    assert elsewhere == [], "the page asks nothing of anybody else"

    other = browser.new_context().new_page()
    other.goto(address)
    other.wait_for_selector("#drop input[type=file]", state="attached", timeout=WAIT)
    other.wait_for_timeout(2000)
    assert other.locator("#people .thumbnail-item").count() == 0
    assert "done" not in other.locator("#queue").inner_text(), "each browser has its own queue"

    ran = CliRunner().invoke(app, ["run", str(clip.with_suffix(".toml")), "-o", str(tmp_path / "line.mp4"), "-q"])
    assert ran.exit_code == 0, ran.stderr
    mine, theirs = frames(tmp_path / "page.mp4"), frames(tmp_path / "line.mp4")
    assert len(mine) == len(theirs) == 12
    assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
