"""The docs are true: what they name exists, their links lead somewhere, their tables are the results."""

from __future__ import annotations

import importlib.util
import inspect
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import vidinv
from benchmarks.tables import documents, filled
from vidinv.edits.parse import parse_edits, read_requests
from vidinv.report import Report
from vidinv.report.page import NAMES
from vidinv.still_edits import edit_still

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*documents(), ROOT / "CONTRIBUTING.md"]  # the changelog may name what is gone
FOLDERS = "vidinv|pipelines|benchmarks|tests|docs|assets"
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)


def anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub and MkDocs make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", h.lower()).strip()) for h in headings}


@each_page
def test_every_path_in_code_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(rf"`((?:{FOLDERS})/[\w./-]*)`", text):
        assert (ROOT / name).exists(), f"{page.name} names {name}"
    for name in re.findall(rf"(?<![\w/])((?:{FOLDERS})/[\w./-]+\.(?:py|toml|csv|mp4))", text):
        assert (ROOT / name).exists(), f"{page.name} names {name}"


@each_page
def test_every_module_that_is_run_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    # A name in capitals stands for any.
    modules = re.findall(r"(?:python -m |`)((?:pipelines|benchmarks)(?:\.[a-z][a-z0-9_]*)+)", text)
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), f"{page.name} runs {module}"


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name} links to {target}"


@each_page
def test_every_edit_that_is_typed_can_be_read(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for quoted, plain in re.findall(r"(?:--edit|-e) (?:\"([^\"]+)\"|([^\s`]+))", text):
        edit = (quoted or plain).rstrip(".,)")
        if "=" in edit and "NAME" not in edit:
            read_requests(edit)


def test_the_python_of_edits_does_what_its_comments_say(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, where = [], {"edit_video": vidinv.VideoEditor.edit_video, "edit_picture": edit_still}
    for name, call in where.items():
        signature = inspect.signature(call)

        def called(*args: Any, signature: inspect.Signature = signature, **options: Any) -> SimpleNamespace:
            asked.append(signature.bind(None, *args, **options).arguments["edit"])
            return SimpleNamespace(picture=None)

        monkeypatch.setattr(vidinv, name, called, raising=False)
    text = (ROOT / "docs" / "edits.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.S))
    exec(compile(code, "edits.md", "exec"), {"vidinv": vidinv})
    assert len([parse_edits(edit) for edit in asked]) == 2
    for line in re.findall(r"^EditRequest.*  # .*$", code, re.M):
        request, _, comment = line.partition("  # ")
        assert str(eval(request, {"EditRequest": vidinv.EditRequest, "Curve": vidinv.Curve})) == comment


@pytest.mark.parametrize("page", documents(), ids=lambda p: p.name)
def test_tables_are_the_results(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert filled(text) == text, f"{page.name} is not up to date: python -m benchmarks.tables"


def test_every_field_and_figure_of_a_report_is_explained() -> None:
    text = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`(\w+)`", text))
    assert {f.name for f in fields(Report)} <= explained
    assert set(NAMES) <= explained


def test_the_site_has_every_page() -> None:
    listed = re.findall(r": ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M)
    assert sorted(listed) == sorted(p.name for p in (ROOT / "docs").glob("*.md"))


def test_the_site_builds(tmp_path: Path) -> None:
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None:
        pytest.skip('mkdocs-material is not installed: pip install -e ".[docs]"')
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "index.html").exists()
