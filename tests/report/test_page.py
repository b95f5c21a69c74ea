"""The page holds everything, needs nothing else, and fits a phone."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vidinv.errors import MissingExtra
from vidinv.report import Report, write_report
from vidinv.report.doubts import occluded, untrusted
from vidinv.report.figures import figure
from vidinv.report.outcome import Outcome
from vidinv.report.quality import Shown
from vidinv.types import Score

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def made_up(**changes) -> Report:
    rng = np.random.default_rng(0)
    series = [
        Score(
            i,
            i / 25,
            person,
            weight=1.0,
            inversion=0.9,
            edited=0.7 + 0.05 * float(np.sin(i / 9)),
            trust=0.0 if 30 <= i < 40 else 1.0,
            doubts=("pose",) if 30 <= i < 40 else (),
            attributes={"age": (30.0, 41.0)} if i % 5 == 0 else {},
        )
        for i in range(100)
        for person in (0, 1)
    ]
    pictures = [rng.integers(0, 256, (90, 160, 3), np.uint8) for _ in range(2)]
    options = {
        "output": "out.mp4",
        "source": "in <b>&amp; out.mp4",
        "edits": ["age=+2"],
        "frames": 100,
        "faces": 200,
        "persons": [0, 1],
        "identity_similarity": {"inversion": 0.9, "edited": 0.7},
        "identity_consistency": {"source": 0.95, "inversion": 0.94, "edited": 0.93, "persons": {}},
        "local_identity": 1.0,
        "attributes": {"age": {"source": 30.0, "edited": 41.0, "change": 11.0}},
        "stages": {"decode": {"seconds": 1.5, "items": 100}, "encode": {"seconds": 0.2, "items": 100}},
        "seconds": 9.5,
        "pack": {"name": "toy", "hash": "0123456789abcdef"},
        "warnings": ["yuv420p10le is read at 8 bits per channel"],
        "damaged": False,
        "frames_lost": 0,
        "series": series,
        "untrusted": untrusted(series),
        "quality": {
            "psnr": figure(27.5, "dB", "higher"),
            "warping_error": figure(0.002, "0..1 squared", "the source's", source=0.001),
            "lpips": figure(None, "v0.1", "0", reason="no weights of LPIPS' trunk were given"),
        },
        "networks": {"identity": "identity of toy"},
        "strip": [Shown(i, i / 25, *pictures, (pictures[0][:64, :64], pictures[1][:64, :64])) for i in (0, 50)],
    }
    return Report(**(options | changes))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "out.html"
    write_report(made_up(), path)
    return path


def test_the_page_is_one_file_that_refers_to_nothing_outside(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [p.name for p in page.parent.iterdir()] == ["out.html"]
    assert 50_000 < len(text) < 2_000_000
    references = re.findall(r'(?:src|href)="([^"#][^"]*)"', text) + re.findall(r"url\(([^)#][^)]*)\)", text)
    assert references
    assert all(r.startswith("data:") for r in references)
    assert "<script" not in text


def test_everything_that_was_found_is_said(page: Path) -> None:
    text = re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))
    for part in (
        "age=+2", "30.00 → 41.00", "+11.00", "30 to 39", "the head is turned further than the networks know faces",
        "the source is kept; the edit fades at the ends", "not measured: no weights of LPIPS&#39; trunk were given",
        "27.5", "yuv420p10le", "2.00 s: source, edit", "Where the time went", "0123456789ab",
    ):  # fmt: skip
        assert part in text, part
    assert text.count("data:image/jpeg") == 8
    assert text.count("<svg") == 3
    assert "in &lt;b&gt;&amp;amp; out.mp4" in text  # names of files are text, not markup


def test_persons_are_called_by_their_names(tmp_path: Path) -> None:
    outcome = Outcome(1, 100, 2.0, 2.0, {}, {}, {}, {})
    write_report(made_up(names={"1": "anna"}, outcomes=[outcome]), tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    for table in ("outcomes", "untrusted"):
        rows = text.partition(f'<table id="{table}">')[2].partition("</table>")[0]
        assert "<td>1 (anna)</td>" in rows


def test_what_lies_over_a_face_is_told_and_drawn_and_otherwise_not_spoken_of(page: Path, tmp_path: Path) -> None:
    assert 'id="occluded"' not in page.read_text(encoding="utf-8")
    series = [replace(s, occluded_share=0.31 if 50 <= s.frame < 60 else 0.0) for s in made_up().series]
    write_report(made_up(series=series, occluded=occluded(series)), tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    for part in ('id="occluded"', "50 to 59", "31 %", "the edit goes around it", ">occluded<"):
        assert part in text, part


def test_the_same_report_makes_the_same_page(page: Path, tmp_path: Path) -> None:
    write_report(made_up(), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_a_report_of_nobody_has_a_page_too(tmp_path: Path) -> None:
    nothing = {"source": None, "inversion": None, "edited": None, "persons": {}}
    write_report(made_up(
        series=[], untrusted=[], strip=[], quality={}, attributes={}, stages={}, identity_consistency=nothing,
        identity_similarity={"inversion": None, "edited": None}, edits=[], local_identity=None,
    ), tmp_path / "r.html")  # fmt: skip
    assert "nobody was edited" in (tmp_path / "r.html").read_text()


def test_a_pack_without_an_identity_network_has_a_page_that_says_so(tmp_path: Path) -> None:
    series = [replace(s, inversion=None, edited=None) for s in made_up().series]
    alike = {"inversion": None, "edited": None}
    unmeasured = {"identity": "pack toy has no identity network"}
    write_report(made_up(series=series, identity_similarity=alike, unmeasured=unmeasured), tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert "not measured: pack toy has no identity network" in text
    assert "nobody was edited" not in text
    assert text.count("<svg") == 2


def test_json_holds_the_figures_and_no_pictures(tmp_path: Path) -> None:
    write_report(made_up(), tmp_path / "r.json")
    told = json.loads((tmp_path / "r.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert "strip" not in told
    assert told["quality"]["psnr"] == {"value": 27.5, "source": None, "unit": "dB", "goal": "higher", "reason": None}
    assert told["untrusted"][0]["first"] == 30


def test_a_page_without_its_extra_names_it_and_json_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "matplotlib" else find(name, *a))
    with pytest.raises(MissingExtra, match=r'needs matplotlib; pip install "vidinv\[report\]".*\.json'):
        write_report(made_up(), tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []
    write_report(made_up(), tmp_path / "r.json")


def in_a_browser(page: Path, folder: Path, width: int) -> dict:
    """What a headless browser makes of the page in a window so wide."""
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser on this machine: none of {', '.join(BROWSERS)}")
    ask = """<script>window.addEventListener("load", () => { document.title = JSON.stringify({
        wide: document.documentElement.scrollWidth, window: window.innerWidth,
        pictures: [...document.images].map(i => i.naturalWidth), tables: document.querySelectorAll("table").length,
        drawn: [...document.querySelectorAll("svg")].map(s => s.getBoundingClientRect().width),
        small: parseFloat(getComputedStyle(document.body).fontSize) }) })</script>"""
    # A frame as wide as a phone: a headless window itself has a least width.
    framed, asking = folder / "frame.html", folder / "asking.html"
    asking.write_text(page.read_text(encoding="utf-8").replace("</body>", ask + "</body>"), encoding="utf-8")
    listen = "onload='setTimeout(() => document.title = this.contentDocument.title, 50)'"
    framed.write_text(f"<iframe src='asking.html' width={width} height=800 style='border:0' {listen}></iframe>")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files")
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [program, *options, profile, "--virtual-time-budget=4000", "--dump-dom", framed.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    found = re.search(r"<title>(.*?)</title>", done.stdout)
    assert found, done.stderr[-2000:]
    return json.loads(found[1].replace("&quot;", '"'))


@pytest.mark.parametrize("width", [360, 1200])
def test_a_real_browser_shows_it_without_scrolling_sideways(page: Path, tmp_path: Path, width: int) -> None:
    seen = in_a_browser(page, tmp_path, width)
    assert seen["window"] == width
    assert seen["wide"] <= width
    assert seen["pictures"] == [160, 160, 64, 64] * 2
    assert len(seen["drawn"]) == 3
    assert min(seen["drawn"]) > 0.8 * min(width, 736) - 32
    assert seen["small"] >= 15
