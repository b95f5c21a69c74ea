"""The tested set is one that the package takes, and names all that it needs."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.test_architecture import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = ("report", "train", "ray", "ui", "dev")  # not ffmpeg and docs: a program of the system's, and a page
NEEDED = [
    Requirement(text)
    for text in (*PROJECT["dependencies"], *(t for e in EXTRAS for t in PROJECT["optional-dependencies"][e]))
]
TESTED = {
    canonicalize_name(name): version
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for name, _, version in [line.partition("==")]
}


@pytest.mark.parametrize("needed", [one for one in NEEDED if one.name != "vidinv"], ids=str)
def test_the_tested_set_has_what_is_needed(needed: Requirement) -> None:
    if needed.name == "pre-commit":
        pytest.skip("runs the others before a commit, and no test")
    assert TESTED[canonicalize_name(needed.name)] in needed.specifier
