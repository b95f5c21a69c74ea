"""A run's folder that a stranger prepared leads nowhere else, and files that are read whole are files with an end."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from vidinv.edits.curve import read_curve
from vidinv.edits.driver_table import read_driver_table
from vidinv.errors import InputError, OutputUnwritable, UsageError, VidinvError
from vidinv.faces.boxes import read_boxes
from vidinv.inversion.latent_manifest import MANIFEST, is_latent_file, read_manifest
from vidinv.job import read_jobs
from vidinv.journal import FORMAT, NOTES, ROWS, Checkpoint, Journal
from vidinv.packs.load import load_pack
from vidinv.regular import read_text
from vidinv.report.rows import Rows, beginning
from vidinv.runtime.saved import read_states, write_states
from vidinv.stages.encode import EncodeState
from vidinv.video.output import work_folder
from vidinv.video.parts import Part

ABOUT = {"source": "this one"}
PRECIOUS = b"precious, and nobody's output"


@pytest.fixture
def dst(tmp_path: Path) -> Path:
    (tmp_path / "in.mp4").write_bytes(bytes(1000))
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "book.txt").write_bytes(PRECIOUS)
    return tmp_path / "out.mp4"


def begun(dst: Path) -> None:
    """What a run does first of all, and its end."""
    with Journal(dst, ABOUT, dst.parent / "in.mp4") as journal:
        journal.rows.written()
        for name in ("part-00000.mp4", "states-00001.safetensors"):
            (journal.folder / name).write_bytes(b"a part")


def notes(folder: Path, **changed: Any) -> None:
    at = {**asdict(Checkpoint()), "files": {}, **changed}
    (folder / NOTES).write_text(json.dumps({"format": FORMAT, "about": ABOUT, **at}))


def test_a_folder_that_is_a_link_is_refused_and_nothing_behind_it_is_touched(dst: Path) -> None:
    work_folder(dst).symlink_to("precious")
    with pytest.raises(OutputUnwritable, match="is a link"):
        begun(dst)
    assert [p.name for p in (dst.parent / "precious").iterdir()] == ["book.txt"]


@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("name", [ROWS, NOTES, f"{NOTES}.new", "lock", "part-00000.mp4", "published.json"])
def test_links_within_it_are_cut_before_anything_is_written(dst: Path, name: str, link: Callable[..., None]) -> None:
    folder, book = work_folder(dst), dst.parent / "precious" / "book.txt"
    folder.mkdir()
    if name != NOTES:
        notes(folder, files={ROWS: (0, hashlib.sha256().hexdigest())})
    link(book, folder / name)
    begun(dst)
    assert book.read_bytes() == PRECIOUS


def test_a_folder_within_it_is_named_and_stays(dst: Path) -> None:
    (work_folder(dst) / "photos").mkdir(parents=True)
    with pytest.raises(OutputUnwritable, match="photos is a folder"):
        begun(dst)
    assert (work_folder(dst) / "photos").is_dir()


def test_a_file_in_its_place_is_named(dst: Path) -> None:
    work_folder(dst).write_bytes(PRECIOUS)
    with pytest.raises(OutputUnwritable, match="remove it"):
        begun(dst)
    assert work_folder(dst).read_bytes() == PRECIOUS


@pytest.mark.parametrize(
    "changed",
    [{"segments": "many"}, {"seconds": "x"}, {"segments": -1}, {"frames": 1e300}, {"rows": True}, {"faces": None}],
)
def test_notes_with_other_values_are_begun_anew(dst: Path, changed: dict[str, Any]) -> None:
    work_folder(dst).mkdir()
    notes(work_folder(dst), **changed)
    begun(dst)
    assert not work_folder(dst).exists()


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "\0", "{}", "null"])
def test_notes_that_are_none_are_begun_anew(dst: Path, text: str) -> None:
    work_folder(dst).mkdir()
    (work_folder(dst) / NOTES).write_text(text)
    begun(dst)
    assert not work_folder(dst).exists()


def test_saved_states_name_no_part_in_another_folder(tmp_path: Path) -> None:
    part = Part("part-00000.mp4", np.arange(3), np.arange(3))
    write_states(tmp_path / "states", {"encode": EncodeState((part,))})
    assert read_states(tmp_path / "states")["encode"].parts[0].file == part.file
    (tmp_path / "states").write_bytes((tmp_path / "states").read_bytes().replace(b"part-00000.mp4", b"../precious.mp"))
    with pytest.raises(VidinvError, match="no name of a part"):
        read_states(tmp_path / "states")
    with pytest.raises(ValueError, match="no name of a part"):
        replace(part, file="/etc/passwd")


READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "jobs": ("jobs.toml", read_jobs),
    "a curve": ("curve.csv", read_curve),
    "a table that drives": ("driver.csv", read_driver_table),
    "boxes": ("boxes.csv", read_boxes),
    "codes": (MANIFEST, lambda path: read_manifest(path.parent)),
    "a pack": ("pack.toml", lambda path: load_pack(path.parent)),
}


@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "large", "nested", "zeros"])
@pytest.mark.parametrize("reader", READERS)
def test_what_is_read_whole_is_a_file_with_an_end(tmp_path: Path, reader: str, kind: str) -> None:
    name, read = READERS[reader]
    path = tmp_path / name
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "large":
        path.touch()
        os.truncate(path, 2**40)
    else:
        path.write_text("\0" * 1000 if kind == "zeros" else ("[" if name == MANIFEST else "a=" + "[") * 50_000)
    with pytest.raises(VidinvError):
        read(path)
    assert not is_latent_file(tmp_path)


def test_a_text_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("räksmörgås\r\n".encode())
    assert read_text(tmp_path / "a.txt") == "räksmörgås\r\n"


def test_what_is_no_file_of_a_run_stays_and_is_named(dst: Path) -> None:
    folder = work_folder(dst)
    folder.mkdir()
    (folder / "thesis.txt").write_bytes(PRECIOUS)
    (folder / "shortcut").symlink_to(dst.parent / "precious")
    (folder / "part-00007.mp4").write_bytes(b"of an interrupted run")
    with Journal(dst, ABOUT, dst.parent / "in.mp4") as journal:
        assert [m.partition(" is none")[0] for m in journal.messages] == [
            str(folder / "shortcut"), str(folder / "thesis.txt")
        ]  # fmt: skip
        assert not (folder / "part-00007.mp4").exists()
    assert sorted(p.name for p in folder.iterdir()) == ["shortcut", "thesis.txt"]
    assert (folder / "thesis.txt").read_bytes() == PRECIOUS
    assert (dst.parent / "precious" / "book.txt").read_bytes() == PRECIOUS


@pytest.mark.parametrize("name", [ROWS, "part-00000.mp4", "states-00001.safetensors"])
def test_a_hole_of_a_terabyte_is_not_read(dst: Path, name: str) -> None:
    folder = work_folder(dst)
    folder.mkdir()
    with (folder / name).open("wb") as file:
        file.truncate(2**40)
    notes(folder, segments=1, files={name: (2**40, "0" * 64)})
    with pytest.raises(VidinvError, match=f"{name} is not what was written"):
        Journal(dst, ABOUT, dst.parent / "in.mp4", resume=True)


@pytest.mark.parametrize("states", [{}, {"decode": 7, "encode": EncodeState()}], ids=["empty", "of another frame"])
def test_states_that_are_not_of_the_noted_frame_are_refused(dst: Path, states: dict[str, Any]) -> None:
    folder = work_folder(dst)
    folder.mkdir()
    write_states(path := folder / "states-00001.safetensors", states)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    notes(folder, segments=1, frames=8, files={path.name: (path.stat().st_size, digest)})
    with Journal(dst, ABOUT, dst.parent / "in.mp4") as journal, pytest.raises(InputError, match="not of frame 8"):
        journal.states("cpu", cast(Any, None))


def test_a_frame_that_waits_was_read(dst: Path) -> None:
    work_folder(dst).mkdir()
    notes(work_folder(dst), segments=1, frames=8, first=9)
    with pytest.raises(UsageError, match="frame 9 waits, of 8 that were read"):
        Journal(dst, ABOUT, dst.parent / "in.mp4", resume=True)


@pytest.mark.parametrize("line", [b"rubbish\n", b'{"a": 1}\n', b"[1]\n", b"null\n"])
def test_rows_that_are_none_are_named_by_line(tmp_path: Path, line: bytes) -> None:
    (tmp_path / ROWS).write_bytes(line)
    rows = Rows(tmp_path / ROWS, tmp_path / "out.mp4", beginning(tmp_path / ROWS, len(line)), 1)
    with pytest.raises(InputError, match=r"rows.jsonl, line 1: it is no row of a report"):
        list(rows)
