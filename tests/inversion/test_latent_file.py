"""Codes on disk: what is rendered of them is what a direct run gives, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tests.inversion.latent_toy import (
    BOXES,
    SAMPLE,
    assert_same_faces,
    pictures,
    same,
)
from tests.shared import shared
from vidinv import halves
from vidinv.api import VideoEditor
from vidinv.errors import InputError
from vidinv.inversion import latent_file
from vidinv.inversion.latent_file import LatentFile, LatentWriter, open_latent_file
from vidinv.inversion.latent_manifest import manifest_of
from vidinv.inversion.latent_parts import faces_of, tensors_of
from vidinv.stages.decode import decode
from vidinv.stages.encode import encode
from vidinv.types import Code, Face, Faces
from vidinv.video import Reader, probe

EDITS = ("age=+2", "0:smile=1,1+2:age=-1@0.2s-")


def direct(editor: VideoEditor, clip: Path, edit: str) -> list[np.ndarray]:
    rate = float(Reader(clip).info.rate)
    return pictures(editor.render(None, editor.analyse(clip, boxes=BOXES), edit, rate=rate))


def test_what_is_read_is_what_was_analysed(editor: VideoEditor, clip: Path, kept: Path) -> None:
    analysed = list(editor.analyse(clip, boxes=BOXES))
    file = open_latent_file(kept)
    assert_same_faces(analysed, list(file.faces()))
    assert (sum(one.frame.cut for one in analysed), len(file.manifest.parts)) == (2, 3)
    assert not all(face.seen for one in analysed for face in one.faces), "one is bridged"
    assert {len(one.faces) for one in analysed} == {0, 1, 2}
    assert len({b.frame.time - a.frame.time for a, b in pairwise(analysed)}) > 1


@pytest.mark.parametrize("edit", EDITS)
def test_rendering_from_the_file_is_the_direct_run_bit_for_bit(
    editor: VideoEditor, clip: Path, kept: Path, edit: str
) -> None:
    plain = direct(editor, clip, edit)
    assert same(pictures(editor.render(clip, kept, edit)), plain)
    with Reader(clip) as reader:
        assert same(pictures(editor.render(reader, kept, edit)), plain)
        assert not same([frame.image for frame in Reader(clip)], plain)


def test_crops_are_cut_again_as_they_were(editor: VideoEditor, clip: Path, kept: Path) -> None:
    way = halves.Way(25.0)
    again = list(halves.restored(open_latent_file(kept), iter(Reader(clip)), way, editor._means))
    assert_same_faces(list(editor.analyse(clip, boxes=BOXES)), again, crops=True)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("method", ["feature-style", "image2stylegan"])
def test_without_features_they_are_computed_again_to_the_same_bits(
    box_pack: Path, clip: Path, tmp_path: Path, method: str, precision: str
) -> None:
    search = {"steps": 2, "warm_steps": 1} if method == "image2stylegan" else None
    editor = VideoEditor(box_pack, batch=3, precision=precision, method=method, search=search)
    whole = editor.keep_codes(clip, tmp_path / "whole", boxes=BOXES)
    small = editor.keep_codes(clip, tmp_path / "small", boxes=BOXES, features=False)
    assert small.size < whole.size / 3
    assert (small.frames, small.faces) == (whole.frames, whole.faces)
    way = halves.Way(25.0)
    again = list(halves.restored(open_latent_file(tmp_path / "small"), iter(Reader(clip)), way, editor._means))
    assert_same_faces(list(editor.analyse(clip, boxes=BOXES)), again, crops=True)
    # Who renders need not name the method.
    other = VideoEditor(box_pack, batch=3, precision=precision)
    plain = pictures(other.render(clip, tmp_path / "whole", "age=+2"))
    assert same(pictures(other.render(clip, tmp_path / "small", "age=+2")), plain)


def test_a_long_shot_goes_on_in_further_parts(
    editor: VideoEditor, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latent_file, "PART_FRAMES", 3)
    editor.keep_codes(clip, tmp_path / "codes", boxes=BOXES)
    file = open_latent_file(tmp_path / "codes")
    assert [part.frames for part in file.manifest.parts] == [3, 3, 2, 3, 3, 2, 3, 3, 2]
    assert [part.first for part in file.manifest.parts] == [0, 3, 6, 8, 11, 14, 16, 19, 22]
    assert_same_faces(list(editor.analyse(clip, boxes=BOXES)), list(file.faces()))
    monkeypatch.setattr(latent_file, "PART_BYTES", 1)
    editor.keep_codes(clip, tmp_path / "codes", boxes=BOXES, overwrite=True)
    assert len(open_latent_file(tmp_path / "codes").manifest.parts) > 15


def test_noise_maps_and_what_half_precision_cannot_hold_come_back(editor: VideoEditor, tmp_path: Path) -> None:
    rng = torch.Generator().manual_seed(0)

    def face(i: int) -> Face:
        wide = torch.randn(4, 4, 6, generator=rng).permute(2, 0, 1)
        code = Code(torch.randn(3, 5, generator=rng), wide, torch.randn(20, generator=rng))
        return Face(np.full(4, i, np.float32), person=i, quad=np.full((4, 2), i / 3), code=code)

    frames = [Faces(replace(next(iter(Reader(SAMPLE))), index=i, cut=i == 0), (face(i),)) for i in range(3)]
    about = manifest_of(editor.pack, editor.inverter, editor.compute, 2, [SAMPLE], rate=25.0)
    with LatentWriter(tmp_path / "codes", about) as writer:
        assert list(writer.through(iter(frames))) == frames
    assert_same_faces(frames, list(open_latent_file(tmp_path / "codes").faces()))


def test_pictures_are_shots_of_one_frame_each_with_a_source_of_its_own(editor: VideoEditor, tmp_path: Path) -> None:
    with Reader(SAMPLE) as reader:
        stills = [replace(f, index=i, pts=None, time=None, cut=True) for i, f in enumerate(islice(reader, 3))]
    code = Code(torch.zeros(2, 3), torch.zeros(4, 2, 2))
    frames = [Faces(f, (Face(np.zeros(4, np.float32), quad=np.zeros((4, 2)), person=0, code=code),)) for f in stills]
    names = [SAMPLE, SAMPLE.with_name("preview.png"), SAMPLE]
    about = manifest_of(editor.pack, editor.inverter, editor.compute, 2, names, rate=None)
    with LatentWriter(tmp_path / "codes", about) as writer:
        list(writer.through(iter(frames)))
    file = open_latent_file(tmp_path / "codes")
    assert_same_faces(frames, list(file.faces()))
    assert [s.name for s in file.manifest.sources] == ["sample.mp4", "preview.png", "sample.mp4"]
    with pytest.raises(InputError, match="codes of pictures"):
        editor.render(SAMPLE, tmp_path / "codes", "age=1")


def test_a_run_may_keep_its_codes_and_says_when_it_did_not_look(
    editor: VideoEditor, clip: Path, kept: Path, tmp_path: Path
) -> None:
    first = editor.edit_video(clip, tmp_path / "a.mkv", "age=+2", boxes=BOXES, keep_codes=tmp_path / "codes")
    second = editor.edit_video(clip, tmp_path / "b.mkv", "age=+2", codes=tmp_path / "codes")
    assert_same_faces(list(open_latent_file(kept).faces()), list(open_latent_file(tmp_path / "codes").faces()))
    assert (first.codes, second.codes) == (None, str(tmp_path / "codes"))
    assert second.as_dict()["codes"] == str(tmp_path / "codes")
    assert not {"detect", "align", "invert"} & second.stages.keys()
    assert first.series == second.series


def test_it_holds_one_part_in_memory(editor: VideoEditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On either side, and no picture."""
    frame = next(iter(Reader(SAMPLE)))
    code = Code(torch.zeros(2, 3), torch.zeros(4, 2, 2))
    face = Face(np.zeros(4, np.float32), quad=np.zeros((4, 2)), code=code, crop=np.zeros((8, 8, 3), np.uint8))
    frames = (Faces(replace(frame, index=i, cut=i == 0), (face,)) for i in range(700))
    about = manifest_of(editor.pack, editor.inverter, editor.compute, 2, [SAMPLE], rate=25.0)
    with LatentWriter(tmp_path / "codes", about) as writer:
        for _ in writer.through(frames):
            assert len(writer._waiting) <= 256
            assert all(one.frame.image.base is not None and one.faces[0].crop is None for one in writer._waiting)
    file = open_latent_file(tmp_path / "codes")
    read: list[str] = []
    monkeypatch.setattr(LatentFile, "_read", lambda self, part, device: read.append(part.file) or [])
    assert next(file.faces(), None) is None
    assert len(read) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "precision"),
    [
        ("", "auto"),
        ("", "fp32"),
        ("several_people_1080p_aac.mp4", "auto"),
        ("vfr_hevc_cut_to_no_face.mov", "auto"),
    ],
)
def test_real_clips_through_the_shipped_pack(name: str, precision: str, tmp_path: Path) -> None:
    source = shared("clips") / name if name else SAMPLE
    short = tmp_path / source.name
    for _ in encode(islice(decode(source), 12), short, probe(source)):
        pass
    editor, edit = VideoEditor(precision=precision), "age=+2,smile=+1@0.1s-0.3s"
    rate = float(probe(short).rate)
    plain = pictures(editor.render(None, editor.analyse(short), edit, rate=rate))
    for folder, features in (("whole", True), ("small", False)):
        editor.keep_codes(short, tmp_path / folder, features=features)
        assert same(pictures(editor.render(short, tmp_path / folder, edit)), plain), folder


def test_points_are_kept_in_whatever_order_of_memory_a_detector_tells_them(
    editor: VideoEditor, clip: Path, tmp_path: Path
) -> None:
    points = np.asfortranarray(np.arange(10, dtype=np.float32).reshape(5, 2))
    told = [one.each(lambda face: replace(face, points=points)) for one in editor.analyse(clip, boxes=BOXES)]
    with safe_open(_saved(tensors_of(told, True), tmp_path / "part"), "pt") as file:
        found = faces_of({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    assert_same_faces(told, found)


def _saved(tensors: dict[str, torch.Tensor], path: Path) -> Path:
    save_file(tensors, path)
    return path
