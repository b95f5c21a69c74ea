"""A pack is found by name in a few folders, or by a path, and nothing is taken for the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.toy import write_toy_pack
from vidinv.errors import UnknownPack
from vidinv.packs.load import load_pack
from vidinv.packs.locate import DEFAULT_PACK, downloads, find_pack, list_packs, user_packs


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.mark.parametrize("name", [None, "", DEFAULT_PACK])
def test_a_folder_where_one_works_does_not_take_the_default_packs_place(here: Path, name: str | None) -> None:
    installed = find_pack(None)
    write_toy_pack(here / DEFAULT_PACK)
    assert find_pack(name) == installed
    assert load_pack(name).name == DEFAULT_PACK


def test_a_path_holds_a_separator(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_toy_pack(here / DEFAULT_PACK)
    write_toy_pack(here / "mine")
    for path in (f"./{DEFAULT_PACK}", f"../here/{DEFAULT_PACK}", str(here / DEFAULT_PACK), Path(DEFAULT_PACK)):
        assert load_pack(path).name == "toy"
    with pytest.raises(UnknownPack, match=r"no model pack 'mine': installed packs are .*\./NAME"):
        find_pack("mine")
    monkeypatch.chdir(here / "mine")
    assert load_pack(".").name == "toy"


def test_a_path_is_not_looked_up_among_the_installed(here: Path) -> None:
    with pytest.raises(UnknownPack, match=rf"no model pack '\./{DEFAULT_PACK}'"):
        find_pack(f"./{DEFAULT_PACK}")


def test_an_unknown_pack_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownPack, match=rf"installed packs are [\w, -]*{DEFAULT_PACK}"):
        find_pack("no-such-pack")


def test_the_users_packs_are_where_the_system_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIDINV_PACKS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert user_packs() == tmp_path / "vidinv" / "packs"
    assert downloads() == user_packs() / "downloads"
    monkeypatch.setenv("VIDINV_PACKS", str(tmp_path / "mine"))
    assert user_packs() == tmp_path / "mine"


def test_the_users_packs_are_listed_and_half_written_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDINV_PACKS", str(tmp_path))
    write_toy_pack(tmp_path / "toy")
    write_toy_pack(tmp_path / ".other.part")
    (tmp_path / "downloads").mkdir()
    assert [p.name for p in list_packs() if p.parent == tmp_path] == ["toy"]
    assert find_pack("toy") == tmp_path / "toy"


@pytest.mark.parametrize("home", ["/" + "x" * 300, "/dev/null"], ids=["cannot be looked into", "is no folder"])
def test_a_home_that_cannot_be_read_is_no_reason_to_stop(monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    monkeypatch.delenv("VIDINV_PACKS", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", home)
    pack = load_pack(DEFAULT_PACK)
    assert pack.folder in list_packs()
    assert pack.edit("nothing of the kind") is None
    assert set(pack.edits) == set(pack.spec.edits)
    with pytest.raises(UnknownPack, match="installed packs are"):
        find_pack("nobody")


def test_somebody_without_a_home_has_no_packs_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("VIDINV_PACKS", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    assert find_pack(None) in list_packs()
