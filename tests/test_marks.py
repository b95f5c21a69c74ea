"""An edited video says that it is one, in the tag that its container has for it; what it said before stays."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.inversion.latent_toy import BOXES, write_box_pack
from tests.video.make import clip
from vidinv.api import VideoEditor
from vidinv.edits.parse import parse_edit
from vidinv.ending import marked_by
from vidinv.stages.encode import EncodeOptions
from vidinv.video.marks import mark_tags

KEYS = {".mp4": "encoder", ".mkv": "EDITED_BY", ".mov": "comment"}


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> VideoEditor:
    return VideoEditor(write_box_pack(tmp_path_factory.mktemp("packs") / "toy"))


def tags(path: Path) -> dict[str, str]:
    with av.open(str(path)) as file:
        return dict(file.metadata)


@pytest.mark.parametrize("suffix", KEYS)
def test_the_output_says_what_was_edited_and_keeps_its_title(editor: VideoEditor, tmp_path: Path, suffix: str) -> None:
    source = clip(tmp_path / "in.mp4", count=4, audio=(), size=(160, 96), metadata={"title": "a", "comment": "b"})
    boxes = {i: BOXES[0] for i in range(4)}
    out, plain = tmp_path / f"out{suffix}", tmp_path / f"plain{suffix}"
    editor.edit_video(source, out, "age=+2@0s-1s", boxes=boxes)
    said = tags(out)[KEYS[suffix]]
    assert said.startswith("vidinv") or suffix == ".mov"
    assert "age=+2@0s-1s" in said
    assert tags(out)["title"] == "a"
    assert tags(out).get("comment", tags(out).get("COMMENT", "")).startswith("b")
    editor.edit_video(source, plain, "age=+2@0s-1s", boxes=boxes, output=EncodeOptions(mark=False))
    assert "vidinv" not in str(tags(plain))
    again = tmp_path / f"again{suffix}"
    editor.edit_video(out, again, "smile=+1", boxes=boxes)
    assert said in tags(again)[KEYS[suffix]]
    assert "smile=+1" in tags(again)[KEYS[suffix]]


def test_no_name_of_a_person_or_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("time,strength\n0,0\n1,2\n")
    said = marked_by([parse_edit("anna+0:smile=+1"), parse_edit(f"anna:age=@{tmp_path / 'secret.csv'}")])
    assert said.endswith("edited faces: smile=+1, age=+0@0s..+2@1s")


def test_files_with_keys_of_their_own_get_one() -> None:
    assert mark_tags("mov", True, {"com.vidinv.edited": "a"}, "b") == {"com.vidinv.edited": "a; b"}
    assert mark_tags("mp4", False, {"encoder": "Lavf60"}, "b") == {"encoding_tool": "b"}


def test_a_long_curve_and_many_edits_make_a_short_mark(tmp_path: Path) -> None:
    keys = "".join(f"{at},{at % 3}\n" for at in range(5000))
    (tmp_path / "long.csv").write_text(f"time,strength\n{keys}")
    said = marked_by([parse_edit(f"age=@{tmp_path / 'long.csv'}")])
    assert said.endswith("age=+0@0s..+1@4999s (5000 keys)")
    tag = mark_tags("mov", False, {"comment": "my own words"}, "vidinv 1 " + "a" * 5000)["comment"]
    for number in range(5):
        tag = mark_tags("mov", False, {"comment": tag}, f"vidinv {number} edited faces: " + "b" * 900)["comment"]
    assert tag.startswith("my own words; vidinv 1 ")
    assert "vidinv 4 edited faces: bbb" in tag
    assert len(tag) < 2100
