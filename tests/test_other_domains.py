"""Packs of other things than faces: crops are given or fixed, rectangles stay rectangles."""

from __future__ import annotations

import tomllib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import torch

import vidinv
from tests.shapes_toy import CONTENT, bar, pictures, trained, write_shapes_pack
from tests.video.make import clip
from vidinv.errors import DamagedPack, UsageError
from vidinv.faces.boxes import CropRule, part_of_frame
from vidinv.packs.load import load_pack
from vidinv.runtime.steps import run
from vidinv.stages.align import AlignOptions, AlignState, align
from vidinv.stages.track_boxes import TrackBoxesState, track_boxes
from vidinv.types import Frame

HEIGHT, WIDTH, COUNT = 120, 200, 6
BOXES = {i: np.array([[40.0 + 2 * i, 30.0, 120.0 + 2 * i, 90.0]]) for i in range(COUNT)}


@pytest.fixture(scope="module")
def by_boxes(tmp_path_factory) -> Path:
    return write_shapes_pack(tmp_path_factory.mktemp("packs") / "boxes", CropRule("boxes", CONTENT))


@pytest.fixture(scope="module")
def by_frame(tmp_path_factory) -> Path:
    rule = CropRule("frame", CONTENT, part=(0.5, 0.0, 1.0, 1.0))
    return write_shapes_pack(tmp_path_factory.mktemp("packs") / "frame", rule)


def frames() -> list[np.ndarray]:
    """Something that crosses the picture, of four by three."""
    rng = np.random.default_rng(5)
    thing = bar(rng, 60, 80)
    made = []
    for i in range(COUNT):
        picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        x0, y0, x1, y1 = BOXES[i][0].astype(int)
        picture[y0:y1, x0:x1] = thing
        made.append(picture)
    return made


def test_the_small_generator_learned_its_domain() -> None:
    generator, encoder = trained()
    x = pictures(16, seed=99)
    drawn = generator(*encoder(x))
    assert float((drawn - x).square().mean()) < 0.1  # more than 16 dB; before training 1
    assert float(drawn[:, :, :3].mean()) < -0.7
    assert float(drawn[:, :, -3:].mean()) < -0.7


def test_given_boxes_are_edited_and_nothing_else(by_boxes: Path) -> None:
    editor, before = vidinv.VideoEditor(by_boxes, precision="fp32"), frames()
    after = list(editor.edit_frames(before, "sefa-0=3", boxes=BOXES))
    assert len(after) == COUNT
    for i, (a, b) in enumerate(zip(before, after, strict=True)):
        x0, y0, x1, y1 = BOXES[i][0].astype(int)
        changed = (a != b).any(2)
        assert changed[y0:y1, x0:x1].any(), i
        changed[y0 - 2 : y1 + 2, x0 - 2 : x1 + 2] = False
        assert not changed.any(), i
    kept = editor.edit_frames(before, "sefa-0=0", boxes=BOXES)
    assert all(np.array_equal(a, b) for a, b in zip(before, kept, strict=True))


def test_boxes_may_come_as_a_list_and_be_missing(by_boxes: Path) -> None:
    editor, before = vidinv.VideoEditor(by_boxes, precision="fp32"), frames()
    none = list(editor.edit_frames(before, "sefa-0=3", boxes=[[] for _ in before]))
    assert all(np.array_equal(a, b) for a, b in zip(before, none, strict=True))
    listed = list(editor.edit_frames(before, "sefa-0=3", boxes=[BOXES[i][0] for i in range(COUNT)]))
    given = list(editor.edit_frames(before, "sefa-0=3", boxes=BOXES))
    assert all(np.array_equal(a, b) for a, b in zip(listed, given, strict=True))


def test_a_part_of_the_frame_needs_no_boxes(by_frame: Path) -> None:
    editor, before = vidinv.VideoEditor(by_frame, precision="fp32"), frames()
    after = list(editor.edit_frames(before, "sefa-0=3"))
    changed = np.any([a != b for a, b in zip(before, after, strict=True)], axis=(0, 3))
    # The right half is 100 x 120: four by three in its middle are 100 x 75.
    assert changed[25:95, 105:195].any()
    changed[22:98, 100:] = False
    assert not changed.any()


def test_the_crop_is_the_content_between_black_bars(by_frame: Path) -> None:

    pack, picture = load_pack(by_frame), frames()[0]
    _, found = track_boxes(TrackBoxesState(), Frame(picture, 0), part_of_frame(pack.crops))
    placing = partial(align, options=AlignOptions(pack.resolution, pack.template))
    (aligned,) = run("align", placing, AlignState(), found)
    (face,) = aligned.faces
    assert face.crop.shape == (32, 32, 3)
    assert not face.crop[:4].any()
    assert not face.crop[28:].any()
    assert (face.crop[4:28] > 0).all()
    assert face.quad[0] == pytest.approx([99.5, 9.5])
    assert face.quad[2] == pytest.approx([199.5, 109.5])


def test_a_video_is_edited_by_the_boxes_of_a_file(by_boxes: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    clip(source, size=(WIDTH, HEIGHT), count=8)
    lines = [f"{i},40,30,120,90" for i in range(8)]
    (tmp_path / "boxes.csv").write_text("\n".join(["frame,x0,y0,x1,y1", *lines]))
    report = vidinv.edit_video(
        source, tmp_path / "out.mp4", "sefa-0=2", pack=by_boxes, precision="fp32", boxes=tmp_path / "boxes.csv"
    )
    assert (report.frames, report.faces) == (8, 8)
    assert "identity" in report.unmeasured
    preview = vidinv.VideoEditor(by_boxes).preview(source, 0.0, "sefa-0=2", boxes=tmp_path / "boxes.csv")
    assert not preview.source[:4].any()


def test_boxes_are_asked_for_where_they_are_needed_and_only_there(by_boxes: Path, by_frame: Path) -> None:
    with pytest.raises(UsageError, match="pack bars has to be told where to edit"):
        vidinv.VideoEditor(by_boxes).edit_frames([], "sefa-0=1")
    with pytest.raises(UsageError, match="pack bars finds its crops itself"):
        vidinv.VideoEditor(by_frame).edit_frames([], "sefa-0=1", boxes=BOXES)
    with pytest.raises(UsageError, match="not of faces"):
        vidinv.compare_videos("a.mp4", "b.mp4", pack=by_frame)


@pytest.mark.parametrize(("key", "value"), [("kind", "cat"), ("content", [1.0, 0.0]), ("part", [1.5, 0.0, 1.0, 1.0])])
def test_a_rule_that_cannot_be_is_refused_when_the_pack_is_loaded(by_frame: Path, tmp_path: Path, key, value) -> None:
    table = tomllib.loads((by_frame / "pack.toml").read_text())
    assert key in table["crops"]
    table["crops"][key] = value
    (tmp_path / "pack.toml").write_text(tomli_w.dumps(table))
    with pytest.raises(DamagedPack, match="crops"):
        load_pack(tmp_path)


def test_sefa_moves_the_domain(by_boxes: Path) -> None:
    pack, x = load_pack(by_boxes), pictures(2, seed=3)
    w, _ = pack.encoder(x)
    moved = pack.generator(w + 3 * pack.directions["sefa-0"].w)
    assert torch.isfinite(moved).all()
    assert float((moved - pack.generator(w)).abs().mean()) > 0.02
