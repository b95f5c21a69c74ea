"""Saved states that somebody changed, under their right sha256, are named, and nothing but them is at fault."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.inversion.latent_toy import write_box_pack
from tests.test_journal import edit, stopping, video
from vidinv.api import VideoEditor
from vidinv.errors import InputError
from vidinv.journal import NOTES
from vidinv.runtime.saved import mapped, read_states, write_states
from vidinv.types import Face, Frame
from vidinv.video.output import work_folder
from vidinv.video.parts import Part


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> VideoEditor:
    return VideoEditor(write_box_pack(tmp_path_factory.mktemp("packs") / "toy"), batch=2)


@pytest.fixture(scope="module")
def left(editor: VideoEditor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video, and what an interrupted run to out.mp4 left."""
    folder = tmp_path_factory.mktemp("left")
    source = video(folder / "in.mp4")
    with pytest.raises(KeyboardInterrupt):
        edit(editor, source, folder / "out.mp4", progress=stopping(25))
    return folder


def arrays(value: Any, change: Callable[[np.ndarray], Any]) -> Any:
    """A state with other arrays and tensors."""
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, torch.Tensor):
        return torch.from_numpy(np.asarray(change(value.numpy())))
    if isinstance(value, dict):
        return {key: arrays(item, change) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(arrays(item, change) for item in value)
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, Part):
        return replace(value, **{name: arrays(getattr(value, name), change) for name in value.__dataclass_fields__})
    return value


def nan(array: np.ndarray) -> np.ndarray:
    return np.full_like(array, np.nan) if array.dtype.kind == "f" else array


def of_stages(states: dict[str, Any], value: Any) -> dict[str, Any]:
    return states | dict.fromkeys(states.keys() - {"decode", "encode"}, value)


def parts(states: dict[str, Any], **changed: Callable[[Part], Any]) -> dict[str, Any]:
    return mapped(states, (Part,), lambda part: replace(part, **{k: v(part) for k, v in changed.items()}))


FORGED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "numbers that are none": lambda states: {k: arrays(v, nan) for k, v in states.items()},
    "nothing in the arrays": lambda states: {k: arrays(v, lambda a: a.reshape(-1)[:0]) for k, v in states.items()},
    "other axes": lambda states: {k: arrays(v, lambda a: a.reshape(-1)) for k, v in states.items()},
    "texts for states": lambda states: of_stages(states, "a"),
    "no states": lambda states: of_stages(states, None),
    "a number for the parts": lambda states: states | {"encode": 1},
    "a text for a part": lambda states: states | {"encode": replace(states["encode"], parts=("a",))},
    "parts without times": lambda states: parts(states, pts=lambda part: part.pts[:0]),
    "parts of other packets": lambda states: parts(states, order=lambda part: part.order + 999),
    "frames that were never read": lambda states: mapped(states, (Frame,), lambda f: replace(f, index=f.index + 9999)),
    "times that are texts": lambda states: mapped(states, (Frame,), lambda f: replace(f, time="x")),
    "persons that are texts": lambda states: mapped(states, (Face,), lambda f: replace(f, person="x")),
    "several numbers of frames": lambda states: states | {"decode": np.array([states["decode"]] * 2)},
}


def forge(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """Change what was saved, and what the notes say of it."""
    (path,) = folder.glob("states-*")
    states = change(read_states(path))
    path.unlink()
    write_states(path, states)
    notes = json.loads((folder / NOTES).read_text())
    notes["files"][path.name] = (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    (folder / NOTES).write_text(json.dumps(notes))
    return path


@pytest.mark.parametrize("kind", FORGED)
def test_it_is_named_and_without_it_the_run_begins_anew(
    editor: VideoEditor, left: Path, tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "again"
    shutil.copytree(left, folder)
    path = forge(hidden := work_folder(folder / "out.mp4"), FORGED[kind])
    with pytest.raises(InputError) as raised:
        edit(editor, folder / "in.mp4", folder / "out.mp4", resume=True)
    assert str(path) in str(raised.value)
    assert f"remove {hidden} and begin anew" in str(raised.value)
    assert raised.value.unforeseen
    assert not (folder / "out.mp4").exists()
    shutil.rmtree(hidden)
    edit(editor, folder / "in.mp4", folder / "out.mp4")


def test_what_a_caller_raises_in_a_run_that_goes_on_is_the_callers(
    editor: VideoEditor, left: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "again"
    shutil.copytree(left, folder)
    with pytest.raises(ZeroDivisionError, match="mine"):
        edit(
            editor, folder / "in.mp4", folder / "out.mp4", resume=True, progress=stopping(30, ZeroDivisionError("mine"))
        )
