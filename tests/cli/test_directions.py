"""vidinv directions: fit, list, show, add, remove, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.directions_toy import write_kinds
from vidinv import errors
from vidinv.packs.own import Effects, read_own


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_kinds(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDINV_PACKS", str(tmp_path / "packs"))
    return tmp_path / "packs"


def test_an_edit_of_two_folders_is_fitted_used_and_removed(
    invoke: Invoke, toy_pack: Path, kinds: Path, face_clip: Path, tmp_path: Path
) -> None:
    folders = ("--positive", kinds / "light", "--negative", kinds / "dark", "--aligned", "--pack", toy_pack)
    done = invoke("directions", "fit", "light", *folders, "--text", "lighter skin")
    assert done.exit_code == 0, done.stderr
    path = Path(done.stdout.splitlines()[-1])
    assert path.is_file()
    assert "own score, sd" in done.stdout
    assert "held-out pictures right" in done.stdout
    assert "lighter skin" in invoke("directions", "list", "--pack", toy_pack).stdout
    shown = invoke("directions", "show", "light", "--pack", toy_pack).stdout
    assert "24 positive and 24 negative pictures" in shown
    again = invoke("directions", "fit", "light", *folders)
    assert again.exit_code == errors.OutputExists.exit_code
    assert "--overwrite" in again.stderr
    edited = tmp_path / "out.png"
    preview = invoke("preview", face_clip, "-e", "light=+1", "--at", "1s", "-o", edited, "--pack", toy_pack)
    assert preview.exit_code == 0, preview.stderr
    assert edited.is_file()
    gone = invoke("directions", "remove", "light", "--pack", toy_pack)
    assert gone.exit_code == 0
    assert not path.exists()
    assert "no edit" in invoke("directions", "list", "--pack", toy_pack).stdout
    assert invoke("directions", "remove", "light", "--pack", toy_pack).exit_code == errors.UsageError.exit_code


def test_a_direction_kept_elsewhere_is_added_by_its_file(invoke: Invoke, toy_pack: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    made = invoke("directions", "fit", "bare", "--method", "sefa", "--to", file, "--pack", toy_pack)
    assert made.exit_code == 0, made.stderr
    assert "no pictures were given" in made.stdout
    assert "no edit" in invoke("directions", "list", "--pack", toy_pack).stdout
    assert "component 0" in invoke("directions", "show", file).stdout
    assert invoke("directions", "add", file, "--pack", toy_pack).exit_code == 0
    assert "bare" in invoke("directions", "list", "--pack", toy_pack).stdout
    other = invoke("directions", "add", file)  # the default pack
    assert other.exit_code == errors.UnknownEdit.exit_code
    assert "was fitted to pack toy" in other.stderr


@pytest.mark.parametrize(
    ("args", "error", "said"),
    [
        (("age", "--method", "sefa"), errors.UsageError, "has an edit age of its own"),
        (("own",), errors.UsageError, "positive and negative pictures, or pictures with labels"),
        (("own", "--positive", "no", "--negative", "no"), errors.InputMissing, "no does not exist"),
        (("own", "--method", "sefa", "--layers", "top"), errors.UsageError, "coarse, middle, fine"),
        (("own", "--method", "sefa", "--region", "ear"), errors.UsageError, "no region 'ear'"),
        (("own", "--method", "sefa", "--to", "no/own.safetensors"), errors.OutputUnwritable, "create it first"),
    ],
)
def test_what_is_refused(
    invoke: Invoke, toy_pack: Path, mine: Path, args: tuple[str, ...], error: type[errors.VidinvError], said: str
) -> None:
    result = invoke("directions", "fit", *args, "--pack", toy_pack)
    assert result.exit_code == error.exit_code
    assert said in result.stderr
    assert not mine.exists()


def test_too_few_pictures_say_how_many_are_needed(invoke: Invoke, toy_pack: Path, kinds: Path, tmp_path: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted((kinds / "light").iterdir())[:3]:
        (few / path.name).write_bytes(path.read_bytes())
    folders = ("--positive", few, "--negative", kinds / "dark", "--aligned", "--pack", toy_pack)
    result = invoke("directions", "fit", "own", *folders)
    assert result.exit_code == errors.InputError.exit_code
    assert "3 positive pictures can be used, and 20 of either kind are needed" in result.stderr


def test_texts_in_brackets_and_other_strengths_are_listed_and_shown(
    invoke: Invoke, toy_pack: Path, tmp_path: Path
) -> None:
    file = tmp_path / "m2.dir"  # no ending that is known
    made = invoke(
        "directions", "fit", "odd", "--method", "sefa", "--text", "a [/b] [red]c", "--to", file, "--pack", toy_pack
    )
    assert made.exit_code == 0, made.stderr
    effects = Effects(3, True, (-2.0, 2.0), (-1.0, 1.0), {"[/age]": (0.1, 0.2)}, ())
    replace(read_own(file), effects=effects).save(file, overwrite=True)
    shown = invoke("directions", "show", file, "--pack", toy_pack)
    assert shown.exit_code == 0, shown.stderr
    assert "[/age], sd" in shown.stdout
    assert "directions list" not in invoke("packs", toy_pack).stdout
    assert invoke("directions", "add", file, "--pack", toy_pack).exit_code == 0
    listed = invoke("directions", "list", "--pack", toy_pack)
    assert listed.exit_code == 0, listed.stderr
    assert "a [/b] [red]c" in listed.stdout
    assert "Edits of your own: odd; see vidinv directions list." in invoke("packs", toy_pack).stdout
    gone = invoke("directions", "show", "nothing", "--pack", toy_pack)
    assert "you have fitted no edit 'nothing'" in gone.stderr
