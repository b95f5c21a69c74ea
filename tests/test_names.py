"""Names that no file can have, and values of other types: refused by name from Python and from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import vidinv
from tests.toy import write_toy_pack
from vidinv.cli.main import app
from vidinv.errors import InputError, MalformedEdit, OutputError, UsageError, VidinvError
from vidinv.regular import unnameable
from vidinv.video import Reader, check_output

NAMES = {"long": "z" * 300, "nul": "a\0b", "half": "a\ud800"}
names = pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> vidinv.VideoEditor:
    return vidinv.VideoEditor(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"))


def test_what_a_file_can_be_called() -> None:
    assert all(unnameable(Path(name)) for name in NAMES.values())
    assert not any(map(unnameable, (Path("none"), Path("a\n"), Path("a\udcff"), Path("z" * 250), Path(".."))))


@names
def test_a_name_that_cannot_be_is_told(name: str, editor: vidinv.VideoEditor, tmp_path: Path) -> None:
    asks: list[tuple[type[VidinvError], Callable[[], object]]] = [
        (InputError, lambda: Reader(f"{name}.mp4")),
        (InputError, lambda: vidinv.read_codes(name)),
        (InputError, lambda: vidinv.read_own(f"{name}.direction.safetensors")),
        (InputError, lambda: vidinv.drive(f"{name}.csv", editor)),
        (VidinvError, lambda: vidinv.read_jobs(f"{name}.toml")),
        (VidinvError, lambda: list(editor.edit_frames([], f"age=@{name}.csv"))),
        (OutputError, lambda: check_output(tmp_path / "a.mp4", tmp_path / f"{name}.mp4")),
        (OutputError, lambda: vidinv.edit_picture("a.png", f"{name}.png", "age=1", pack=editor.pack.folder)),
        (OutputError, lambda: vidinv.morph_video(["a", "b"], f"{name}.mp4")),
        (VidinvError, lambda: vidinv.VideoEditor(f"./{name}")),
    ]
    for kind, ask in asks:
        with pytest.raises(kind):
            ask()
    assert not list(tmp_path.iterdir())


LONG = "z" * 300


@pytest.mark.parametrize(
    "args",
    [
        ("run", f"{LONG}.mp4", "-e", "age=+1"),
        ("run", "a.mp4", "-e", "age=+1", "-o", f"{LONG}.mp4"),
        ("run", "a.mp4", "-e", "age=+1", "--report", f"{LONG}.json"),
        ("run", "a.mp4", "-e", "age=+1", "--keep-codes", LONG),
        ("run", "a.mp4", "-e", "anna:age=+1", "--face", f"anna={LONG}"),
        ("run", f"{LONG}.toml"),
        ("batch", f"{LONG}.toml"),
        ("batch", LONG, "-e", "age=+1", "--out", "out"),
        ("preview", f"{LONG}.mp4", "-e", "age=+1"),
        ("preview", "a.mp4", "-e", "age=+1", "-o", f"{LONG}.png"),
        ("invert", f"{LONG}.mp4"),
        ("mix", f"{LONG}.png", "b.png"),
        ("morph", f"{LONG}.png", "b.png"),
        ("compare", f"{LONG}.mp4", "b.mp4"),
        ("directions", "show", f"./{LONG}"),
        ("directions", "add", f"./{LONG}"),
        ("directions", "fit", "tall", "--positive", LONG),
        ("packs", "list", f"./{LONG}"),
        ("packs", "import", "--name", "mine", "--generator", LONG),
    ],
    ids=lambda args: " ".join(args[:2] if len(args[1]) < 20 else args[:1]),
)
def test_no_command_meets_a_name_that_is_too_long_unforeseen(
    args: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, list(args), prog_name="vidinv")
    assert result.exit_code in (2, 3, 4, 5), result.output
    assert result.stderr.startswith("error: ")
    assert "unexpected" not in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "given", "how"),
    [
        (MalformedEdit, None, {}),
        (MalformedEdit, 3, {}),
        (MalformedEdit, b"age=1", {}),
        (MalformedEdit, ["age=1", None], {}),
        (UsageError, "age=1", {"hold": 3}),
        (UsageError, "age=1", {"hold": [3]}),
        (UsageError, "age=1", {"faces": ["anna"]}),
        (UsageError, "age=1", {"faces": {"anna": 3}}),
        (UsageError, "age=1", {"faces": {"anna": None}}),
    ],
)
def test_values_of_other_types_are_told(
    kind: type[VidinvError], given: Any, how: dict[str, Any], editor: vidinv.VideoEditor
) -> None:
    with pytest.raises(kind):
        list(editor.edit_frames([np.zeros((64, 64, 3), np.uint8)], given, **how))


def test_one_attribute_may_be_held_without_a_list(editor: vidinv.VideoEditor) -> None:
    with pytest.raises(UsageError, match="cannot hold gender"):
        list(editor.edit_frames([], "age=1", hold="gender"))


@pytest.mark.parametrize("size", [(1, 1), (1, 16), (16, 1), (3, 5), (15, 16), (1, 2000)])
def test_pictures_that_hold_no_face_at_all_pass_as_they_are(size: tuple[int, int], editor: vidinv.VideoEditor) -> None:
    pictures = [np.full((*size, 3), 9 * i, np.uint8) for i in range(3)]
    made = list(editor.edit_frames(pictures, "age=1"))
    assert all(np.array_equal(a, b) for a, b in zip(made, pictures, strict=True))
