"""A run that is killed goes on to the same bytes, and nothing else is touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.inversion.latent_toy import write_box_pack
from tests.video.make import clip, other_packets
from vidinv.api import VideoEditor
from vidinv.errors import DiskFull, OutOfResources, OutputExists, OutputUnwritable, UsageError
from vidinv.faces.regions import Touch
from vidinv.report import Report
from vidinv.report.quality import QualityOptions
from vidinv.stages.encode import EncodeOptions
from vidinv.types import Progress
from vidinv.video import Reader
from vidinv.video.output import work_folder

ROOT = Path(__file__).resolve().parents[1]
RATE, COUNT = Fraction(10), 36  # a low rate makes the stages' windows short
BOXES = {i: [(20 + i, 10, 100 + i, 70), (110, 40, 170, 85)] for i in range(COUNT)}
TURNED = {i: [(10, 20 + i, 70, 100 + i)] for i in range(COUNT)}
VARYING = [1280 * i + (500 if i % 3 == 1 else 0) + (9000 if i > 20 else 0) for i in range(COUNT)]
EDITS = "age=+2,0:smile=1@0.5s-2s"
OPTIONS = EncodeOptions(segment=0.5, preset="ultrafast")
KINDS: dict[str, tuple[dict[str, Any], str, EncodeOptions]] = {
    "mp4, sound, subtitles": ({"audio": ("aac", "aac"), "subtitles": "mov_text"}, ".mp4", OPTIONS),
    "mkv, varying rate": ({"times": VARYING}, ".mkv", OPTIONS),
    "mov, turned": ({"rotation": 90, "times": VARYING}, ".mov", replace(OPTIONS, codec="libx265")),
    "webm": ({"audio": ("libopus",)}, ".webm", replace(OPTIONS, codec="libvpx-vp9")),
}


def video(path: Path, **how: Any) -> Path:
    return clip(path, size=(192, 96), rate=RATE, **{"count": COUNT, **how})


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_box_pack(tmp_path_factory.mktemp("packs") / "toy")


@pytest.fixture(scope="module")
def editor(pack: Path) -> VideoEditor:
    return VideoEditor(pack, batch=2)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return video(tmp_path / "in.mp4")


def edit(editor: VideoEditor, source: Path, target: Path, edits: str = EDITS, **more: Any) -> Report:
    return editor.edit_video(source, target, edits, **{"boxes": BOXES, "output": OPTIONS, **more})


def stopping(at: int, error: BaseException | type[BaseException] = KeyboardInterrupt) -> Callable[[Progress], None]:
    """What raises behind a frame."""

    def told(progress: Progress) -> None:
        if progress.frames == at:
            raise error

    return told


def figures(report: Report) -> dict[str, Any]:
    """All of a report that two runs can have in common: not how long they took, nor what their files are called."""
    told = report.as_dict()
    stages = {name: stage["items"] for name, stage in told.pop("stages").items()}
    return {name: value for name, value in told.items() if name not in ("seconds", "output")} | {"items": stages}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_was_interrupted_twice_gives_the_bytes_and_figures_of_one_that_was_not(
    editor: VideoEditor, tmp_path: Path, kind: str
) -> None:
    how, suffix, output = KINDS[kind]
    source = video(tmp_path / f"in{'.mkv' if suffix == '.webm' else suffix}", **how)
    target, told = tmp_path / f"again{suffix}", list[str]()
    asked = {"boxes": TURNED if "rotation" in how else BOXES, "output": output, "notify": told.append}
    asked["quality"] = QualityOptions(flow_every=3) if suffix == ".mp4" else None
    whole = edit(editor, source, tmp_path / f"whole{suffix}", **asked)
    for at in (12, 25):
        with pytest.raises(KeyboardInterrupt, match="the same command goes on"):
            edit(editor, source, target, progress=stopping(at), **asked)
        assert not target.exists()
    again = edit(editor, source, target, resume=True, **asked)
    assert len(told) == 2
    assert all("going on after" in message for message in told)
    assert target.read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()
    assert figures(again) == figures(whole)
    with Reader(source) as before, Reader(target) as after:
        assert [f.time for f in after] == [f.time for f in before]
    assert other_packets(target) == other_packets(source)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([source.name, target.name, f"whole{suffix}"])


def test_so_does_one_from_codes(editor: VideoEditor, source: Path, tmp_path: Path) -> None:
    editor.keep_codes(source, tmp_path / "codes", boxes=BOXES)
    asked = {"boxes": None, "codes": tmp_path / "codes"}
    whole = edit(editor, source, tmp_path / "whole.mp4", **asked)
    with pytest.raises(KeyboardInterrupt):
        edit(editor, source, tmp_path / "again.mp4", progress=stopping(20), **asked)
    again = edit(editor, source, tmp_path / "again.mp4", resume=True, **asked)
    assert (tmp_path / "again.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert figures(again) == figures(whole)


def test_an_interruption_before_the_first_segment_is_complete_leaves_nothing(
    editor: VideoEditor, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        edit(editor, source, tmp_path / "out.mp4", progress=stopping(1))
    assert not str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.parametrize("note", [1, 2], ids=["first segment", "second segment"])
def test_a_segment_that_was_noted_when_the_interrupt_came_is_kept(
    editor: VideoEditor, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, note: int
) -> None:
    target, replace_file, noted = tmp_path / "out.mp4", os.replace, list[str]()

    def replaced(old: Path, new: Path) -> None:
        replace_file(old, new)
        if Path(new).name == "journal.json":
            noted.append(new)
            if len(noted) == note + 1:  # the first note is of nothing complete
                raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", replaced)
    with pytest.raises(KeyboardInterrupt, match="the same command goes on"):
        edit(editor, source, target)
    monkeypatch.undo()
    told = list[str]()
    edit(editor, source, target, resume=True, notify=told.append)
    whole = edit(editor, source, tmp_path / "whole.mp4")
    assert whole.frames == COUNT
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert sum("going on after" in message for message in told) == 1


@pytest.fixture(scope="module")
def left(editor: VideoEditor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source, and what an interrupted run left."""
    folder = tmp_path_factory.mktemp("left")
    with pytest.raises(KeyboardInterrupt):
        edit(editor, video(folder / "in.mp4"), folder / "out.mp4", progress=stopping(20))
    return folder


def _other_source(editor: VideoEditor, source: Path) -> dict[str, Any]:
    video(source, count=COUNT + 1)
    return {}


def _other_version(editor: VideoEditor, source: Path) -> dict[str, Any]:
    notes = work_folder(source.with_name("out.mp4")) / "journal.json"
    notes.write_text(notes.read_text().replace('"version": "', '"version": "0.'))
    return {}


def _other_pack(editor: VideoEditor, source: Path) -> dict[str, Any]:
    return {"editor": VideoEditor(write_box_pack(source.parent / "other", seed=7), batch=2)}


def _damage(editor: VideoEditor, source: Path) -> dict[str, Any]:
    part = work_folder(source.with_name("out.mp4")) / "part-00000.mp4"
    part.write_bytes(part.read_bytes()[:-1])
    return {}


REFUSED: dict[str, Callable[[VideoEditor, Path], dict[str, Any]]] = {
    "another source": _other_source,
    "another version": _other_version,
    "another pack": _other_pack,
    "another edit": lambda editor, source: {"edits": "age=+1.9"},
    "another boxes": lambda editor, source: {"boxes": {**BOXES, 3: [(0, 0, 50, 50)]}},
    "another encoder": lambda editor, source: {"output": replace(OPTIONS, crf=20)},
    "another composite": lambda editor, source: {"composite": "replace"},
    "part-00000.mp4 is not what was written": _damage,
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_another_run_left_is_refused_by_name(editor: VideoEditor, left: Path, tmp_path: Path, why: str) -> None:
    folder = Path(shutil.copytree(left, tmp_path / "copy"))
    asked = REFUSED[why](editor, folder / "in.mp4")
    editor = asked.pop("editor", editor)
    with pytest.raises(UsageError, match=f"{why}.*Run without --resume"):
        edit(editor, folder / "in.mp4", folder / "out.mp4", resume=True, **asked)
    if "not what was written" not in why:
        with pytest.raises(UsageError, match=rf"s of .*out.mp4 are complete, .*{why}.*; .*\(--overwrite\)"):
            edit(editor, folder / "in.mp4", folder / "out.mp4", **asked)
    assert (work_folder(folder / "out.mp4") / "part-00000.mp4").exists(), "it may still be resumed as it was"


def test_what_another_run_left_is_removed_by_one_that_overwrites_which_says_so(
    editor: VideoEditor, left: Path, tmp_path: Path
) -> None:
    folder, told = Path(shutil.copytree(left, tmp_path / "copy")), list[str]()
    asked = {"output": replace(OPTIONS, overwrite=True), "notify": told.append}
    edit(editor, folder / "in.mp4", folder / "out.mp4", "age=+1.9", **asked)
    assert told == ["what an interrupted run to out.mp4 had left was removed: it was a run with another edit"]
    assert sorted(p.name for p in folder.iterdir()) == ["in.mp4", "out.mp4"]


def test_resuming_nothing_is_refused(editor: VideoEditor, source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none was interrupted after its first segment"):
        edit(editor, source, tmp_path / "out.mp4", resume=True)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.parametrize("error", [DiskFull("no space left for out.mp4; nothing was kept"), MemoryError()])
def test_what_the_machine_stopped_is_kept(editor: VideoEditor, source: Path, tmp_path: Path, error: Exception) -> None:
    kind = OutOfResources if isinstance(error, MemoryError) else type(error)
    with pytest.raises(kind, match="kept; the same command"):
        edit(editor, source, tmp_path / "out.mp4", progress=stopping(20, error))
    assert work_folder(tmp_path / "out.mp4").exists()


def test_a_second_run_to_the_same_output_is_refused_while_the_first_works(
    editor: VideoEditor, source: Path, tmp_path: Path
) -> None:
    target, refused = tmp_path / "out.mp4", list[str]()

    def second(progress: Progress) -> None:
        if progress.frames == 1:
            with pytest.raises(OutputUnwritable, match="another run writes to") as caught:
                edit(editor, source, target)
            refused.append(str(caught.value))

    edit(editor, source, target, progress=second)
    assert len(refused) == 1
    assert target.exists()


def test_a_lock_file_without_a_process_is_no_lock(editor: VideoEditor, source: Path, tmp_path: Path) -> None:
    folder = work_folder(tmp_path / "out.mp4")
    folder.mkdir()
    lock = FileLock(folder / "lock")
    with lock:
        pass
    (folder / "lock").touch()
    edit(editor, source, tmp_path / "out.mp4")
    assert not folder.exists()


KILLED = """
from tests.test_journal import edit
from vidinv.api import VideoEditor
from pathlib import Path
import torch
torch.set_num_threads({threads})
edit(VideoEditor({pack!r}, batch=2), Path({source!r}), Path({target!r}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_process_that_was_killed_goes_on_in_another(
    editor: VideoEditor, pack: Path, source: Path, tmp_path: Path
) -> None:
    import torch

    target = tmp_path / "out.mp4"
    edit(editor, source, tmp_path / "whole.mp4")
    names = {"pack": str(pack), "source": str(source), "target": str(target), "threads": torch.get_num_threads()}
    process = subprocess.Popen([sys.executable, "-c", KILLED.format(**names)], cwd=ROOT)
    while process.poll() is None and not (work_folder(target) / "states-00002.safetensors").exists():
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not target.exists()
    edit(editor, source, target, resume=True)
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_too_little_room_is_said_before_the_start(
    editor: VideoEditor, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage, told = shutil.disk_usage(tmp_path), list[str]()
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=150 * 2**20))

    def first(progress: Progress) -> None:
        assert "150 MiB are free beside out.mp4, and it may take 2" in told[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        edit(editor, source, tmp_path / "out.mp4", notify=told.append, progress=first)


class Own:
    """An edit of a program's own."""

    def acts(self, face: Any, time: float) -> bool:
        return True

    def touches(self, face: Any, time: float) -> list[Touch]:
        return [Touch()]

    def apply(self, code: Any, face: Any, time: float) -> tuple[Any, float]:
        return code, 1.0


def test_a_run_that_cannot_be_told_from_another_promises_nothing(
    editor: VideoEditor, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        edit(editor, source, tmp_path / "out.mp4", (Own(),), progress=stopping(20))
    assert not str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]
    with pytest.raises(UsageError, match="cannot be told from another"):
        edit(editor, source, tmp_path / "out.mp4", (Own(),), resume=True)


def test_codes_are_not_kept_of_a_part_of_a_run(editor: VideoEditor, left: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(left, tmp_path / "copy"))
    with pytest.raises(UsageError, match="another keep codes"):
        edit(editor, folder / "in.mp4", folder / "out.mp4", keep_codes=folder / "codes")


def test_a_source_that_is_removed_on_the_way_is_edited_with_all_that_it_carries(
    editor: VideoEditor, source: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(source, tmp_path / "copy.mp4"))

    def removed(progress: Progress) -> None:
        if progress.frames == 20:
            source.unlink()

    done = edit(editor, source, tmp_path / "out.mp4", progress=removed, quality=QualityOptions())
    assert done.frames == COUNT
    assert other_packets(tmp_path / "out.mp4") == other_packets(copy)


def test_a_file_that_took_the_name_meanwhile_costs_no_work(editor: VideoEditor, source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"

    def taken(progress: Progress) -> None:
        if progress.frames == COUNT:
            target.write_text("mine")

    with pytest.raises(OutputExists, match="kept; the same command"):
        edit(editor, source, target, progress=taken)
    assert target.read_text() == "mine"
    target.unlink()
    edit(editor, source, target, resume=True)
