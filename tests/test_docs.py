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
from pipelines.make_limits import EDITS, LARGEST
from vidinv.edits.parse import parse_edits, read_requests
from vidinv.report import Report
from vidinv.report.page import NAMES
from vidinv.still_edits import edit_still

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*documents(), ROOT / "CONTRIBUTING.md"]  # the changelog may name what is gone
FOLDERS = "vidinv|pipelines|benchmarks|tests|docs|assets"
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)


def need(*modules: str) -> None:
    """Of the extra docs: without them the test is skipped."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'{module} is not installed: pip install -e ".[docs]"')


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
    listed = re.findall(r"(?:: |- )([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M)
    docs = ROOT / "docs"
    assert sorted(listed) == sorted(str(p.relative_to(docs)) for p in docs.rglob("*.md"))


def test_the_reference_has_every_public_name() -> None:
    pages = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "docs" / "reference").glob("*.md"))
    shown = re.findall(r"^::: vidinv\.(\w+)$", pages, re.M)
    assert sorted(n for n in shown if n != "errors") == sorted({*vidinv.__all__} - {"VidinvError"})
    assert "members: [VidinvError]" in pages


def test_pictures_of_the_docs_are_small_and_made_by_a_program() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").iterdir())
    assert [p.name for p in pictures] == sorted(f"{name}.jpg" for name in (*EDITS, "inversion"))
    assert all(p.stat().st_size <= LARGEST for p in pictures)


def test_docstrings_are_shown_without_the_marks_of_another_program() -> None:
    need("griffe")
    from benchmarks.docstrings import shown

    text = "As of :meth:`~vidinv.A.b`.\n\n:param a: one. :param b: two.\n:raises UsageError, InputError: it is bad."
    assert shown(text).splitlines() == [
        "As of `vidinv.A.b`.",
        "",
        ":param a: one.",
        ":param b: two.",
        ":raises UsageError: it is bad.",
        ":raises InputError: it is bad.",
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as strictly as can be; about 4 seconds of one core, the reference most of it."""
    need("mkdocs", "material", "mkdocstrings", "griffe")
    made = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(made)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


def test_the_site_builds(site: Path) -> None:
    assert (site / "index.html").exists()
    reference = (site / "reference" / "videos" / "index.html").read_text(encoding="utf-8")
    assert 'id="vidinv.VideoEditor.edit_video"' in reference
    assert 'id="vidinv.VideoEditor._plan"' not in reference  # what is private stays so


def test_a_page_of_the_site_asks_no_other_host_for_anything(site: Path) -> None:
    asked = [
        r"<(?:script|img|iframe|audio|video|source|embed)\b[^>]*\bsrc=\"?((?:https?:)?//[^\s\">]+)",
        r"<link\b(?=[^>]*rel=\"?(?:stylesheet|preload|prefetch|preconnect|dns-prefetch|icon|manifest))"
        r"[^>]*href=\"?((?:https?:)?//[^\s\">]+)",
        r"(?:url\(|@import\s)[\"']?((?:https?:)?//[^\s\"')]+)",
    ]
    pages = [p for ending in ("html", "css") for p in site.rglob(f"*.{ending}")]
    assert len(pages) > 25
    for page in pages:
        text = page.read_text(encoding="utf-8")
        found = [host for pattern in asked for host in re.findall(pattern, text)]
        assert not found, f"{page.relative_to(site)} asks {found}"
