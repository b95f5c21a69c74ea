"""Every number that the command line takes, out of its bounds: refused by name, before anything is loaded."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import typer
from typer.testing import Result

import vidinv
from vidinv.bounds import BOUNDS, checked
from vidinv.cli.main import app
from vidinv.edits.parse import parse_edit
from vidinv.errors import MalformedEdit, UsageError
from vidinv.inversion.inverter import search_options
from vidinv.job import Job, read_jobs
from vidinv.report.quality import QualityOptions
from vidinv.stages.encode import EncodeOptions

NEEDED = {  # what has to stand on a command's line beside its options
    ("run",): ("none.mp4", "--edit", "age=+1"),
    ("batch",): ("none", "--edit", "age=+1", "--out", "nowhere"),
    ("preview",): ("none.mp4", "--edit", "age=+1"),
    ("invert",): ("none.mp4",),
    ("morph",): ("a.png", "b.png"),
    ("mix",): ("a.png", "b.png", "--diffuse", "face"),
    ("compare",): ("a.mp4", "b.mp4"),
    ("ui",): (),
    ("directions", "fit"): ("tall",),
    ("packs", "import"): ("--name", "mine", "--generator", "none.pt"),
}


def commands(group: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Callable[..., None]]]:
    for one in group.registered_commands:
        assert one.callback is not None
        yield (*path, one.name or one.callback.__name__), one.callback
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from commands(inner.typer_instance, (*path, str(inner.name)))


def numbers() -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Command, the option's parameter and what is typed for it."""
    for path, callback in commands(app):
        for name, told in get_type_hints(callback, include_extras=True).items():
            kind, *about = get_args(told) or (None,)
            if {int, float} & {kind, *get_args(kind)}:
                typed = [text for one in about for text in getattr(one, "param_decls", None) or () if text[:2] == "--"]
                yield path, name, typed[0] if typed else f"--{name.replace('_', '-')}"


def outside(name: str) -> list[str]:
    bound = BOUNDS[name]
    found = ["-1" if bound.least >= 0 else "-1000000000000", str(10**30), "9" * 5000]
    if not bound.whole:
        found += ["nan", "-inf", "1e308"] + (["inf"] if bound.most < math.inf else [])
    if bound.least > 0:
        found.append("0")
    if bound.most == math.inf:
        found = [text for text in found if len(text) < 30 and text != "1e308"]
    return found


ALL = sorted(numbers())


def test_all_of_them_were_found() -> None:
    """The walk itself: it sees what there is, and knows how to ask it."""
    assert {path for path, *_ in ALL} == set(NEEDED)
    assert len(ALL) > 25
    assert {("run",), ("batch",), ("invert",)} <= {path for path, name, _ in ALL if name == "warm_steps"}


@pytest.mark.parametrize(("path", "name", "typed"), ALL, ids=lambda x: x if isinstance(x, str) else " ".join(x))
def test_an_option_is_bounded(
    path: tuple[str, ...],
    name: str,
    typed: str,
    invoke: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert name in BOUNDS, f"{typed} of {' '.join(path)} is a number without a bound: give it a row"
    monkeypatch.chdir(tmp_path)
    for text in outside(name):
        result = invoke(*path, *NEEDED[path], typed, text)
        assert result.exit_code == UsageError.exit_code, (typed, text[:40], result.output)
        assert typed in result.stderr
        assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize(
    "value",
    [math.nan, -math.inf, 10**40, -(10**5000), True, None, "3", [3], 3 + 0j, np.float32("nan"), np.bool_(True)],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_number_or_out_of_bounds_is_refused(name: str, value: Any) -> None:
    if BOUNDS[name].most == math.inf and type(value) is int and value > 0:
        return
    with pytest.raises(UsageError, match=rf"^{name} is .{{1,40}}; give a (whole )?number from "):
        checked(name, value)


@pytest.mark.parametrize("name", BOUNDS)
def test_the_ends_are_let_in(name: str) -> None:
    bound = BOUNDS[name]
    for end in (bound.least, bound.most):
        assert checked(name, end) == end
    assert bound.whole or checked(name, Fraction(1, 2)) == Fraction(1, 2) or bound.least > 0.5


LARGE = 10**15


@pytest.mark.parametrize(
    "ask",
    [
        lambda: search_options("image2stylegan", {"steps": LARGE}),
        lambda: search_options("image2stylegan", {"warm_steps": LARGE}),
        lambda: search_options("image2stylegan", {"start": "random", "seed": -1}),
        lambda: search_options("image2stylegan", {"pixels": 1e30}),
        lambda: EncodeOptions(segment=math.nan),
        lambda: EncodeOptions(threads=LARGE),
        lambda: EncodeOptions(crf=math.nan),
        lambda: QualityOptions(flow_every=0),
        lambda: QualityOptions(shown=LARGE),
        lambda: vidinv.VideoEditor(batch=LARGE),
        lambda: vidinv.edit_many([], workers=LARGE),
        lambda: vidinv.edit_many([], threads=0),
        lambda: next(vidinv.morph(["a", "b"], seconds=LARGE)),
        lambda: next(vidinv.morph(["a", "b"], size=17)),
        lambda: vidinv.fit_direction("tall", pack="none", component=-1),
        lambda: Job(source=Path("a"), output=Path("b"), edits=("age=1",), search={"steps": LARGE}),
        lambda: vidinv.EditRequest("age", 1e9),
        lambda: vidinv.Curve(((0, 0), (1, math.inf))),
        lambda: Job(source=Path("a"), output=Path("b"), edits=("age=1",), neutral=math.inf),
    ],
)
def test_python_is_bounded_as_the_command_line_is(ask: Callable[[], object]) -> None:
    with pytest.raises(UsageError, match=r"give an? "):
        ask()


@pytest.mark.parametrize("text", ["age=+1001", "age=-20000y", f"age=+1@{LARGE}s-", f"age=0@0s..+1@{LARGE}s"])
def test_an_edit_is_bounded(text: str) -> None:
    with pytest.raises((MalformedEdit, UsageError), match="give a number from"):
        parse_edit(text)


FIELDS = {"crf": "64", "segment": "nan", "batch": "0", "encoder_threads": "-1", "neutral": "1e300"}


@pytest.mark.parametrize(("name", "value"), [*FIELDS.items(), ("search", "{steps = 1000000000000000}")])
def test_a_file_of_jobs_is_bounded_and_says_where(tmp_path: Path, name: str, value: str) -> None:
    path = tmp_path / "jobs.toml"
    path.write_text(f'[[job]]\nsource = "a.mp4"\noutput = "b.mp4"\nedits = ["age=1"]\n{name} = {value}\n')
    with pytest.raises(UsageError, match=rf"{re.escape(str(path))}, job 1: {name}.* is .*(give|should be) a .*number"):
        read_jobs(path)


def test_the_table_has_no_row_that_nothing_asks_for() -> None:
    text = "".join(p.read_text(encoding="utf-8") for p in Path(vidinv.__file__).parent.rglob("*.py"))
    asked = set(re.findall(r'checked\(\s*"(\w+)"', text)) | {name for _, name, _ in ALL}
    assert {"search_rate", "weight", *asked} >= set(BOUNDS)
