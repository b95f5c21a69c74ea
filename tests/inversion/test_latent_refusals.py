"""Codes that do not fit, or are damaged, or cannot be kept: refused by name, and nothing is left."""

from __future__ import annotations

import errno
import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.inversion.latent_toy import (
    BOXES,
    FRAMES,
    write_box_pack,
    write_clip,
)
from vidinv.api import VideoEditor
from vidinv.errors import DiskFull, InputError, InputMissing, NoFaceFound, OutputExists, OutputUnwritable, UsageError
from vidinv.faces.boxes import CropRule
from vidinv.inversion.latent_file import open_latent_file
from vidinv.inversion.latent_manifest import MANIFEST
from vidinv.packs.load import load_pack
from vidinv.packs.spec import template_of
from vidinv.packs.write import write_pack
from vidinv.video import Reader


def test_an_f_that_was_searched_for_cannot_be_left_out(box_pack: Path, clip: Path, tmp_path: Path) -> None:
    editor = VideoEditor(box_pack, method="image2stylegan", search={"steps": 1, "feature": True})
    with pytest.raises(UsageError, match="cannot be computed again"):
        editor.keep_codes(clip, tmp_path / "codes", boxes=BOXES, features=False)
    assert list(tmp_path.iterdir()) == []


def test_codes_of_another_clip_are_refused_by_name(editor: VideoEditor, clip: Path, kept: Path, tmp_path: Path) -> None:
    other = write_clip(tmp_path / "other.mkv", seed=1)
    with pytest.raises(InputError, match=r"codes of clip three-shots.mkv, not other.mkv; invert again"):
        editor.render(other, kept, "age=1")
    shutil.copy(other, tmp_path / clip.name)
    with pytest.raises(InputError, match="whose content is another"):
        editor.edit_video(tmp_path / clip.name, tmp_path / "out.mkv", "age=1", codes=kept)
    renamed = Path(shutil.copy(clip, tmp_path / "renamed.mkv"))
    assert next(editor.render(renamed, kept, "age=1")).output is not None
    with pytest.raises(InputError, match="ends after 9 frames"):
        list(editor.render(islice(Reader(clip), 9), kept, "age=1"))
    smaller = (replace(f, image=np.ascontiguousarray(f.image[::2, ::2])) for f in Reader(clip))
    with pytest.raises(InputError, match="frame 0 has 80x48 pixels, and 160x96 were analysed"):
        list(editor.render(smaller, kept, "age=1"))
    assert not [t for t in threading.enumerate() if t.name.startswith("vidinv")]


def test_codes_of_another_pack_are_refused_by_name(kept: Path, clip: Path, box_pack: Path, tmp_path: Path) -> None:
    other = VideoEditor(write_box_pack(tmp_path / "other", seed=7))
    with pytest.raises(InputError, match=r"codes of pack toy \([0-9a-f]{12}\), not toy \([0-9a-f]{12}\)"):
        other.render(clip, kept, "age=1")
    read = Path(shutil.copytree(box_pack, tmp_path / "read"))  # what reads faces has no part in codes
    (read / "attributes.safetensors").write_bytes((tmp_path / "other" / "attributes.safetensors").read_bytes())
    write_pack(read, load_pack(read).spec)
    VideoEditor(read).render(clip, kept, "age=1").close()
    moved = Path(shutil.copytree(box_pack, tmp_path / "moved"))
    rule = CropRule("boxes", (1.0, 0.5))
    write_pack(moved, replace(load_pack(moved).spec, crops=rule, template=template_of(rule)))
    with pytest.raises(InputError, match="placed otherwise"):
        VideoEditor(moved).render(clip, kept, "age=1")


def test_codes_that_were_kept_by_the_hash_of_the_whole_pack_are_still_known(
    editor: VideoEditor, clip: Path, copied: Path
) -> None:
    assert editor.pack.hash != editor.pack.codes_hash
    in_manifest(pack_hash=editor.pack.hash)(copied)
    editor.render(clip, copied, "age=1").close()
    in_manifest(pack_hash="0" * 64)(copied)
    with pytest.raises(InputError, match=r"codes of pack toy \(0{12}\)"):
        editor.render(clip, copied, "age=1")


def test_codes_of_another_method_are_refused_by_name_if_one_was_asked_for(
    kept: Path, clip: Path, box_pack: Path, tmp_path: Path
) -> None:
    searching = VideoEditor(box_pack, batch=2, method="image2stylegan", search={"steps": 3, "warm_steps": 1})
    with pytest.raises(UsageError, match="codes made by feature-style, not image2stylegan; leave the method out"):
        searching.render(clip, kept, "age=1")
    VideoEditor(box_pack, method="feature-style").render(clip, kept, "age=1").close()
    searching.keep_codes(clip, tmp_path / "codes", boxes=BOXES)
    other = VideoEditor(box_pack, method="image2stylegan", search={"steps": 4, "warm_steps": 1})
    with pytest.raises(UsageError, match="made by image2stylegan with steps 3, not 4"):
        other.render(clip, tmp_path / "codes", "age=1")
    VideoEditor(box_pack).render(clip, tmp_path / "codes", "age=1").close()


def test_codes_without_their_video_are_refused(editor: VideoEditor, clip: Path, kept: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give the video"):
        editor.render(None, kept, "age=1")
    with pytest.raises(UsageError, match="give no boxes"):
        editor.edit_video(clip, tmp_path / "out.mkv", "age=1", codes=kept, boxes=BOXES)
    with pytest.raises(UsageError, match="give no codes to keep"):
        editor.edit_video(clip, tmp_path / "out.mkv", "age=1", codes=kept, keep_codes=tmp_path / "more")


def cut_short(folder: Path) -> None:
    path = folder / "part-00001.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def one_bit(folder: Path) -> None:
    data = bytearray((folder / "part-00002.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "part-00002.safetensors").write_bytes(data)


def in_manifest(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        table = json.loads((folder / MANIFEST).read_text())
        for name, value in changes.items():
            (table["parts"][0] if name in table["parts"][0] and name != "frames" else table)[name] = value
        (folder / MANIFEST).write_text(json.dumps(table))

    return change


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut_short, "part-00001.safetensors was cut short"),
        (one_bit, r"part-00002.safetensors is damaged \(its sha256"),
        (lambda folder: (folder / "part-00000.safetensors").unlink(), "part-00000.safetensors is missing"),
        (lambda folder: (folder / MANIFEST).unlink(), "holds no codes"),
        (lambda folder: (folder / MANIFEST).write_text("{"), "manifest.json is damaged"),
        (lambda folder: (folder / MANIFEST).write_bytes(b"\xff"), "manifest.json is damaged"),
        (lambda folder: (folder / MANIFEST).write_text("[1]"), "manifest.json is damaged"),
        (in_manifest(format="vidinv codes 2"), "holds 'vidinv codes 2', and this version of vidinv reads"),
        (in_manifest(file="../part-00000.safetensors"), "is no name of a part"),
        (in_manifest(size="1"), "size is '1'"),
        (in_manifest(sha256="0" * 63), "is no sha256"),
        (in_manifest(first=1), "begins at frame 1, not 0"),
        (in_manifest(frames=7), "do not add up"),
        (in_manifest(sources=[]), "names no source"),
        (in_manifest(more=1), "a manifest has"),
        (in_manifest(parts=None), "is damaged"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_and_the_next_step_named(
    editor: VideoEditor, clip: Path, copied: Path, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    damage(copied)
    with pytest.raises(InputError, match=said) as refused:
        editor.edit_video(clip, tmp_path / "out.mkv", "age=1", codes=copied)
    assert "vidinv invert" in str(refused.value)
    assert [p.name for p in tmp_path.iterdir()] == [copied.name], "no output is left"


def test_a_folder_that_is_not_there(editor: VideoEditor, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match="holds no codes"):
        editor.render(clip, tmp_path / "nothing", "age=1")


def test_whatever_ends_a_run_leaves_no_codes(editor: VideoEditor, clip: Path, tmp_path: Path) -> None:
    def stop(progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        editor.keep_codes(clip, tmp_path / "codes", boxes=BOXES, progress=stop)
    with pytest.raises(KeyboardInterrupt):
        editor.edit_video(clip, tmp_path / "o.mkv", "age=1", boxes=BOXES, keep_codes=tmp_path / "codes", progress=stop)
    with pytest.raises(NoFaceFound, match="person"):
        editor.edit_video(clip, tmp_path / "o.mkv", "9:age=1", boxes=BOXES, keep_codes=tmp_path / "codes")
    with pytest.raises(NoFaceFound, match="nothing to invert in any of 24 frames"):
        editor.keep_codes(clip, tmp_path / "codes", boxes={})
    assert list(tmp_path.iterdir()) == []
    assert not [t for t in threading.enumerate() if t.name.startswith("vidinv")]


@pytest.mark.parametrize("room", [0, 1, 3])
def test_a_full_disk_leaves_nothing_and_what_was_there(
    editor: VideoEditor, clip: Path, copied: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """In a part, or in the manifest."""
    real, done = Path.write_bytes, []

    def write(path: Path, data: bytes) -> int:
        if len(done) == room:
            raise OSError(errno.ENOSPC, "No space left on device")
        done.append(path)
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", write)
    monkeypatch.setattr(Path, "write_text", lambda path, text, encoding: write(path, text.encode()))
    with pytest.raises(DiskFull, match=r"no space left for .*--no-features"):
        editor.keep_codes(clip, copied, boxes=BOXES, overwrite=True)
    assert [p.name for p in copied.parent.iterdir()] == [copied.name]
    assert len(list(open_latent_file(copied).faces())) == FRAMES


def test_codes_replace_only_codes_and_only_when_told(editor: VideoEditor, clip: Path, copied: Path) -> None:
    folder = copied.parent
    with pytest.raises(OutputExists, match="--overwrite"):
        editor.keep_codes(clip, copied, boxes=BOXES)
    editor.keep_codes(clip, copied, boxes=BOXES, features=False, overwrite=True)
    assert not open_latent_file(copied).manifest.features
    (folder / "things").mkdir()
    (folder / "things" / "a.txt").write_text("mine")
    (folder / "file").write_text("mine")
    for name, said in (("things", "no codes but other things"), ("file", "is a file"), ("no/codes", "create it first")):
        with pytest.raises(OutputUnwritable, match=said):
            editor.keep_codes(clip, folder / name, boxes=BOXES, overwrite=True)
    with pytest.raises(OutputUnwritable, match="the output video too"):
        editor.edit_video(clip, folder / "x.mkv", "age=1", boxes=BOXES, keep_codes=folder / "x.mkv")
    assert sorted(p.name for p in folder.iterdir()) == ["copied.vidinv", "file", "things"]
