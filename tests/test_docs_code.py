"""What stands in code on the pages runs: Python as it is written, commands as far as the program's own parser.

Of every page the Python blocks run in order, in one namespace and in a folder that has the files which the pages name:
four frames of assets/sample.mp4, and pictures out of it. A block that a test cannot run has a comment before it,
``<!-- not run: WHY; tests/FILE.py does -->``, and that file has to use what the block uses.
"""

from __future__ import annotations

import ast
import functools
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import pytest
import typer

import vidinv
import vidinv.api
from benchmarks.tables import documents
from vidinv.cli.main import app, main
from vidinv.video import Reader

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*documents(), ROOT / "CONTRIBUTING.md"]
NOT_RUN = re.compile(r"<!-- not run: (?P<why>[^;]+); (?P<files>tests/\S+\.py(?: and tests/\S+\.py)*) do(?:es)? -->\n+$")
MADE_BY_THE_PROGRAM = re.compile(r"<!-- table: (?:commands|exit codes) -->.*?<!-- end -->", re.S)
PICTURES = (
    "photo.jpg a.jpg b.jpg b.png c.jpg anna.jpg ben-1.jpg ben-2.jpg neutral.jpg smile.jpg photos/a.jpg photos/b.jpg"
)
OTHER_PROGRAMS = {"pip", "python", "python3", "pytest", "ruff", "mypy", "mkdocs", "pre-commit", "ray", "source", "cd"}


@dataclass(frozen=True)
class Block:
    language: str
    code: str
    line: int
    """Of the page, from 1: where the code begins."""
    before: str
    """The page up to its fence."""


def blocks(text: str) -> list[Block]:
    """In fences."""
    found = re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S)
    return [Block(f[1], f[2], text.count("\n", 0, f.start(2)) + 1, text[: f.start()]) for f in found]


def commands(page: Path) -> Iterator[list[str]]:
    """Every line of a shell, as words: in fences and in indented code."""
    text = MADE_BY_THE_PROGRAM.sub("", page.read_text(encoding="utf-8"))
    indented = re.findall(
        r"(?:(?<=\n\n)|\A)((?: {4}\S.*\n(?:\n(?= {4}))?)+)", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    )
    for code in [*(b.code for b in blocks(text) if b.language == "bash"), *indented]:
        for line in re.sub(r"\\\n\s*", "", code).splitlines():
            told = re.sub(r"(?<=\S)(?: {3,}|\s+# ).*$", "", line.strip())  # what it does stands behind it
            for one in re.split(r" && |, (?=vidinv )", told):
                words = shlex.split(re.sub(r"[\[\]](?=[\s-]|$)|(?<=\s)\[", "", one)) if is_command(one) else []
                if words:
                    yield [words[0].removeprefix(".venv/bin/"), *words[1:]]


def is_command(line: str) -> bool:
    first = line.split(" ")[0].removeprefix(".venv/bin/")
    return first in {"vidinv", *OTHER_PROGRAMS} and "=" not in first


def read(args: list[str]) -> None:
    """As the program would, without doing it. :raises Exception: it would not understand."""
    command: Any = typer.main.get_command(app)
    if args == ["--version"]:
        return
    while hasattr(command, "commands"):
        listed = command.commands
        if "list" in listed and (not args or args[0] not in listed):
            args = ["list", *args]  # vidinv packs NAME
        assert args[0] in listed, f"no command {args}"
        command, args = listed[args[0]], args[1:]
    command.make_context(command.name, list(args))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_every_command_is_one(page: Path) -> None:
    for words in commands(page):
        told = f"{page.name}: {shlex.join(words)}"
        if words[0] == "vidinv":
            try:
                read(words[1:])
            except Exception as error:
                pytest.fail(f"{told}\n{type(error).__name__}: {getattr(error, 'message', error)}", pytrace=False)
        elif words[1:2] == ["-m"] and words[2].startswith(("pipelines.", "benchmarks.")):
            options = {w.partition("=")[0] for w in words if w.startswith("--")}
            missing = {o for o in options if f'"{o}"' not in sources(words[2])}
            assert not missing, f"{told}\n{words[2]} has no {missing}"


def test_a_command_that_is_none_is_found() -> None:
    for text in ("run in.mp4 --edits age=+2", "pack list", "preview in.mp4", "run in.mp4 -e age=1 --crf low"):
        with pytest.raises(Exception):  # noqa: B017, PT011 typer has a class of its own for each
            read(shlex.split(text))
    assert sum(len(list(commands(page))) for page in PAGES) > 80


def sources(module: str) -> str:
    """Of a module that is run, and of what may hold its options."""
    path = ROOT / module.replace(".", "/")
    files = [path.with_suffix(".py"), *path.glob("*.py"), *path.parent.glob("*.py")]
    return "\n".join(f.read_text(encoding="utf-8") for f in files if f.is_file())


def test_options_of_commands_in_a_sentence_exist() -> None:
    root: Any = typer.main.get_command(app)
    for page in PAGES:
        text = MADE_BY_THE_PROGRAM.sub("", page.read_text(encoding="utf-8"))
        for name, rest in re.findall(r"`vidinv (\w+)([^`\n]*)`", text):
            assert name in root.commands, f"{page.name}: vidinv {name}"
            if not hasattr(root.commands[name], "commands"):
                known = {o for p in root.commands[name].params for o in p.opts} | {"--help"}
                assert set(re.findall(r"--[\w-]+", rest)) <= known, f"{page.name}: vidinv {name}{rest}"


def test_every_extra_that_is_installed_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for page in PAGES:
        for named in re.findall(r"(?:vidinv|\")(?:\.)?\[([\w,]+)\]\"", page.read_text(encoding="utf-8")):
            assert set(named.split(",")) <= set(extras), f"{page.name} installs [{named}]"


def test_every_block_is_in_a_language_that_is_tested() -> None:
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8")):
            assert block.language in {"python", "bash", "toml", "text"}, f"{page.name}:{block.line}"
            if block.language == "toml":
                tomllib.loads(block.code)
            for line in re.sub(r"\\\n\s*", "", block.code).splitlines() if block.language == "bash" else ():
                assert all(is_command(one) for one in line.split(" && ")), f"{page.name}:{block.line} has {line}"


@pytest.fixture(scope="module")
def networks() -> Iterator[None]:
    """Read once for all pages, which make an editor in every second block."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("load_pack", "make_detectors"):
            patch.setattr(vidinv.api, name, functools.cache(getattr(vidinv.api, name)))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the pages name."""
    made = tmp_path_factory.mktemp("docs")
    with Reader(ROOT / "assets" / "sample.mp4") as reader:
        frames = [
            cv2.resize(f.image, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA) for f in islice(reader, 0, 48, 12)
        ]
    (made / "assets").mkdir()
    with av.open(str(made / "assets" / "sample.mp4"), "w") as output:  # a frame a second: times are the pages'
        stream = output.add_stream("libx264", 1, options={"crf": "16"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for i, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 1)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    for name in ("input.mp4", "in.mp4", "source.mp4", "driver.mp4", "clips/one.mp4"):
        (made / name).parent.mkdir(exist_ok=True)
        shutil.copy(made / "assets" / "sample.mp4", made / name)
    for i, name in enumerate(PICTURES.split()):
        (made / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(made / name), frames[i % len(frames)][..., ::-1])
    return made


@pytest.mark.parametrize("page", [p for p in documents() if p.name != "README.md"], ids=lambda p: p.stem)
def test_the_python_of_a_page_runs(
    page: Path, folder: Path, networks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [b for b in blocks(page.read_text(encoding="utf-8")) if b.language == "python"]
    if not written:
        return
    monkeypatch.chdir(shutil.copytree(folder, tmp_path / "docs"))
    names: dict[str, Any] = {"__name__": f"docs.{page.stem}"}
    for block in written:
        code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
        excused = NOT_RUN.search(block.before)
        if excused:
            check_excuse(block, excused)
        else:
            assert "__main__" not in block.code, f"{page.name}:{block.line} would do nothing here, and has no excuse"
            exec(code, names)


def check_excuse(block: Block, excused: re.Match[str]) -> None:
    """The test that it names uses every function and method of ours that the block calls."""
    used = {n.attr for n in ast.walk(ast.parse(block.code)) if isinstance(n, ast.Attribute)}
    ours = used & {*vidinv.__all__, *(n for n in vars(vidinv.VideoEditor) if not n.startswith("_"))}
    test = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in excused["files"].split(" and "))
    assert len(excused["why"].split()) >= 3, f"line {block.line} does not say why"
    assert ours, f"line {block.line} calls nothing of ours"
    for name in ours:
        assert re.search(rf"\b{name}(?:_of)?\b", test), f"{excused['files']}: no {name}"


def test_the_commands_of_the_tutorial_run(
    folder: Path, networks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shutil.copytree(folder, tmp_path / "docs"))
    tried = [words for words in commands(ROOT / "docs" / "first-edit.md") if words[0] == "vidinv"]
    assert len(tried) >= 4
    for words in tried:
        with pytest.raises(SystemExit) as ended:
            main(words[1:])
        assert ended.value.code in (0, None), words
