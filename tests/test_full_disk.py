"""The disk is full at one write of a run, whichever: exit code 4, nothing half, and the same command goes on."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import pytest

from tests.test_journal import BOXES, OPTIONS, editor, pack, video
from vidinv.api import VideoEditor
from vidinv.cli import files
from vidinv.errors import DiskFull
from vidinv.report import rows
from vidinv.report.quality import QualityOptions
from vidinv.runtime import saved
from vidinv.video import muxer

__all__ = ["editor", "pack"]  # fixtures
PLACES: dict[str, tuple[type | ModuleType, str, int, bool]] = {
    # what writes there, how often it does in this run, and whether that keeps codes, and so goes in one segment
    "texts: the journal, what is published": (Path, "write_text", 7, False),
    "bytes: reports": (Path, "write_bytes", 2, False),
    "states": (saved, "save_file", 2, False),
    "attachments": (muxer, "append", 1, False),
    "what is on the disk at last": (os, "fsync", 18, False),
    "texts: codes": (Path, "write_text", 6, True),
    "bytes: codes": (Path, "write_bytes", 3, True),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip with sound and an attachment that is copied from file to file."""
    folder = tmp_path_factory.mktemp("attached")
    path = folder / "in.mkv"
    with av.open(str(video(folder / "clip.mkv", count=24))) as plain, av.open(str(path), "w") as output:
        tracks = {stream.index: output.add_stream_from_template(stream) for stream in plain.streams}
        output.add_attachment("a.ttf", "font/ttf", random.Random(0).randbytes(17 << 20))
        for packet in plain.demux():
            if packet.size:
                packet.stream = tracks[packet.stream.index]
                output.mux(packet)
    return path


def run(editor: VideoEditor, source: Path, folder: Path, codes: bool, overwrite: bool = False) -> None:
    """With all that a run can leave: video, two reports, the series beside them, codes."""
    write = partial(files.write_reports, paths=[folder / "r.json", folder / "r.html"], run=folder / "out.mkv")
    asked: dict[str, Any] = {"series": folder / "r.jsonl", "reported": write}
    asked |= {"keep_codes": folder / "codes"} if codes else {}
    output = replace(OPTIONS, threads=1, overwrite=overwrite)
    quality = QualityOptions(flow_every=3)
    editor.edit_video(source, folder / "out.mkv", "age=+2", boxes=BOXES, output=output, quality=quality, **asked)


def there(folder: Path) -> dict[str, bytes]:
    """What people see, whatever is in hidden folders."""
    names = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in names.items() if not name.startswith(".")}


Wholes = dict[bool, dict[str, bytes]]


@pytest.fixture(scope="module")
def whole(editor: VideoEditor, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Wholes:
    """What a run leaves for which there is room, without and with codes."""
    made: Wholes = {}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rows, "MOST", 5)  # else so short a series has no file of its own
        for codes in (False, True):
            run(editor, source, folder := tmp_path_factory.mktemp("whole"), codes)
            made[codes] = there(folder)
    assert made[False].keys() == {"out.mkv", "r.html", "r.json", "r.jsonl"}
    assert made[True].keys() == made[False].keys() | {"codes/manifest.json", "codes/part-00000.safetensors"}
    return made


@contextmanager
def full_at(owner: type | ModuleType, name: str, number: int) -> Iterator[list[int]]:
    """The ``number``-th call finds no room; holds how many there were."""
    right: Callable[..., Any] = getattr(owner, name)
    seen = [0]

    def write(*about: Any, **more: Any) -> Any:
        seen[0] += 1
        if seen[0] == number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return right(*about, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, write)
        yield seen


TRIALS = [(place, at + 1) for place, (_, _, count, _) in PLACES.items() for at in range(0, count, 1 + count // 9)]


@pytest.mark.slow
@pytest.mark.parametrize(("place", "number"), TRIALS)
def test_a_disk_that_is_full_at_any_write_leaves_nothing_half(
    editor: VideoEditor,
    source: Path,
    whole: Wholes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    number: int,
) -> None:
    monkeypatch.setattr(rows, "MOST", 5)
    owner, name, _, codes = PLACES[place]
    with full_at(owner, name, number), pytest.raises(DiskFull, match="no space left for") as told:
        run(editor, source, tmp_path, codes)
    left, hidden, right = there(tmp_path), [path.name for path in tmp_path.glob(".*")], whole[codes]
    # Either the video is whole and said to be, or it is not there; of reports all are there, or none.
    assert all(data == right[name] for name, data in left.items())
    assert ("is complete" in str(told.value)) == ("out.mkv" in left)
    assert not left.keys() & {"r.html", "r.json"}
    assert ("nothing was kept" in str(told.value)) == (not hidden)
    assert all(name.startswith(".out.mkv.") for name in hidden)  # the run's own folder
    run(editor, source, tmp_path, codes, overwrite=True)
    again = there(tmp_path)
    assert again.keys() == right.keys()
    assert all(again[name] == right[name] for name in right.keys() - {"r.html", "r.json"})  # which tell the time
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_all_writes_are_among_those_that_were_tried(
    editor: VideoEditor, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST", 5)
    for number, (owner, name, count, codes) in enumerate(PLACES.values()):
        (tmp_path / str(number)).mkdir()
        with full_at(owner, name, 0) as seen:
            run(editor, source, tmp_path / str(number), codes, overwrite=True)
        assert seen[0] == count, name
