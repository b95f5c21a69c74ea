"""Driving end to end at toy size: who drives, what is neutral, and that a neutral driver leaves every bit alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import vidinv
from tests.toy import write_toy_pack
from tests.training.codes_toy import points68
from vidinv.drivers import most_neutral
from vidinv.edits.driver_table import LANDMARKS
from vidinv.errors import DamagedPack, NoFaceFound, UsageError
from vidinv.faces.boxes import CropRule
from vidinv.faces.expressions import displacement
from vidinv.faces.quads import quad_from_points
from vidinv.faces.warps import crop
from vidinv.packs.load import load_pack
from vidinv.packs.spec import template_of
from vidinv.packs.write import write_pack
from vidinv.types import Faces, Frame

FIVE = np.array([[60, 60], [90, 60], [75, 78], [64, 92], [86, 92]], float)


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> vidinv.VideoEditor:
    """Of a toy pack that finds the same landmarks on every face."""
    editor = vidinv.VideoEditor(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"), device="cpu")
    network = editor.pack.landmarks
    network.to_points.weight.zero_()
    network.to_points.bias.zero_()
    network.mean_points.copy_(torch.from_numpy(points68(1, np.random.default_rng(0))[0] + 0.5) / 64)
    return editor


def coded(editor: vidinv.VideoEditor, count: int) -> list[Faces]:
    """Frames with a face each that has its code."""
    from vidinv.types import Code, Face

    rng, sizes = np.random.default_rng(0), editor.pack.generator.config
    picture = cv2.GaussianBlur(rng.integers(0, 256, (150, 150, 3)).astype(np.uint8), (0, 0), 3)
    quad = quad_from_points(FIVE)
    code = Code(torch.zeros(sizes.layers, sizes.d_style), torch.zeros(sizes.feature_shape))
    face = Face(np.zeros(4, np.float32), FIVE.astype(np.float32), person=0, quad=quad, crop=crop(picture, quad, 64))
    return [Faces(Frame(picture, i), (replace(face, code=code),)) for i in range(count)]


def rows(path: Path, names: str, *values: str) -> Path:
    path.write_text("\n".join([f"time,{names}", *values]) + "\n")
    return path


def landmark_rows(path: Path, mouths: list[float]) -> Path:
    """A face in pixels of some video whose mouth opens."""
    face = points68(1, np.random.default_rng(0))[0] * 3 + [200, 100]
    places = [(face + displacement(face, {"mouth": m})).ravel() for m in mouths]
    listed = [",".join([f"{i / 30:.4f}", *(f"{v:.3f}" for v in place)]) for i, place in enumerate(places)]
    return rows(path, ",".join(LANDMARKS), *listed)


def test_a_neutral_driver_leaves_every_frame_bit_identical(editor: vidinv.VideoEditor, tmp_path: Path) -> None:
    frames = coded(editor, 6)
    for table in (
        rows(tmp_path / "a.csv", "mouth,yaw", "0,0,0", "1,0,0"),
        landmark_rows(tmp_path / "b.csv", [0.0] * 8),
    ):
        edit = vidinv.drive(table, editor)
        out = list(editor.render(None, frames, edit))
        assert all(np.array_equal(a.frame.image, b.output.image) for a, b in zip(frames, out, strict=True))


@pytest.mark.parametrize("composite", ["detail", "replace"])
def test_a_driver_moves_the_face_when_it_moves_and_not_before(
    editor: vidinv.VideoEditor, tmp_path: Path, composite: str
) -> None:
    frames = coded(editor, 12)
    edit = vidinv.drive(rows(tmp_path / "a.csv", "mouth", "0,0", "0.2,0", "0.3,1", "0.4,1"), editor)
    out = list(editor.render(None, frames, edit, composite=composite))
    changed = [not np.array_equal(a.frame.image, b.output.image) for a, b in zip(frames, out, strict=True)]
    assert changed == [False] * 7 + [True] * 5


def test_driving_does_not_lag_behind(editor: vidinv.VideoEditor, tmp_path: Path) -> None:
    edit = vidinv.drive(rows(tmp_path / "a.csv", "mouth", "0,0", "0.2,0", "0.22,1", "0.4,1"), editor)
    out = list(editor.render(None, coded(editor, 12), edit))
    assert np.array_equal(out[7].output.image, out[11].output.image)  # still, so the same from its first frame on


def test_driving_and_another_edit_go_together(editor: vidinv.VideoEditor, tmp_path: Path) -> None:
    edit = vidinv.drive(rows(tmp_path / "a.csv", "mouth", "0,1", "1,1"), editor)
    frames = coded(editor, 3)
    pictures = [next(editor.render(None, frames, asked)).output.image for asked in (edit, "age=+2", [edit, "age=+2"])]
    assert len({p.tobytes() for p in pictures}) == 3


def test_landmarks_of_another_video_open_the_mouth(editor: vidinv.VideoEditor, tmp_path: Path) -> None:
    edit = vidinv.drive(landmark_rows(tmp_path / "b.csv", [0.0] * 20 + [0.8] * 20), editor)
    rest, wide = edit.motion.at(0.0), edit.motion.at(1.0)
    assert np.abs(rest).max() < 0.05
    assert (wide[66] - wide[62])[1] > 0.05
    turned = vidinv.drive(tmp_path / "b.csv", editor, neutral=1.0, persons=[2])
    assert (turned.motion.at(0.0)[66] - turned.motion.at(0.0)[62])[1] < -0.05
    assert turned.persons == {2}


def test_the_neutral_frame_is_closed_and_looks_ahead() -> None:
    face = points68(1, np.random.default_rng(0))[0]
    turned = face + displacement(face, {"yaw": 20.0})
    wide = face + displacement(face, {"mouth": 1.0})
    assert most_neutral(np.stack([wide, turned, face, wide, turned])) == 2


def test_a_neutral_time_without_a_face_or_of_expressions(editor: vidinv.VideoEditor, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nobody is seen at the neutral time 9 s; .* 0\.00 to 0\.10 s"):
        vidinv.drive(landmark_rows(tmp_path / "b.csv", [0.0] * 4), editor, neutral=9.0)
    with pytest.raises(UsageError, match="give no neutral time"):
        vidinv.drive(rows(tmp_path / "a.csv", "mouth", "0,0"), editor, neutral=0.0)


def test_landmarks_in_one_point_are_refused_by_line(editor: vidinv.VideoEditor, tmp_path: Path) -> None:
    path = tmp_path / "point.csv"
    names = ",".join(f"x{i},y{i}" for i in range(68))
    path.write_text(f"time,{names}\n" + "".join(f"{i / 25}{',1' * 136}\n" for i in range(4)))
    with pytest.raises(UsageError, match="line 2: eyes and mouth lie in one point"):
        vidinv.drive(path, editor)


def test_packs_that_cannot_drive_say_so(tmp_path: Path) -> None:
    folder = write_toy_pack(tmp_path / "toy")
    spec = load_pack(folder).spec
    (folder / "landmarks.safetensors").unlink()
    write_pack(folder, replace(spec, networks={k: v for k, v in spec.networks.items() if k != "landmarks"}))
    table = rows(tmp_path / "a.csv", "mouth", "0,0")
    with pytest.raises(DamagedPack, match="has no landmarks network"):
        vidinv.drive(table, vidinv.VideoEditor(folder, device="cpu"))
    rule = CropRule("boxes", (1.0, 0.75))
    write_pack(folder, replace(load_pack(folder).spec, crops=rule, template=template_of(rule)))
    with pytest.raises(UsageError, match="not of faces"):
        vidinv.drive(table, vidinv.VideoEditor(folder, device="cpu"))


def test_a_video_without_a_face_drives_nobody(editor: vidinv.VideoEditor, tmp_path: Path) -> None:
    path = tmp_path / "grey.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (160, 120))
    for _ in range(4):
        video.write(np.full((120, 160, 3), 128, np.uint8))
    video.release()
    with pytest.raises(NoFaceFound, match=r"grey\.avi: no face in the whole video"):
        vidinv.drive(path, editor)
