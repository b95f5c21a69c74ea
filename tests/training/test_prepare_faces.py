"""Which picture a prepared face came from, and the labels given by eye that are kept by that name."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines import prepare_faces
from tests.shared import shared
from vidinv.models.face_detector import NOTHING, Detections
from vidinv.training import teachers
from vidinv.training.shards import read_crops, read_labels, write_shards

HAND = Path(prepare_faces.__file__).parent / "labels" / "accessories.csv"
POINTS = np.array([[70, 80], [130, 80], [100, 110], [75, 140], [125, 140]], np.float32)
WITHOUT_A_FACE, DISAGREES = 40, 120  # shades of drawn pictures


def _detect(padded: np.ndarray) -> Detections:
    if abs(int(padded[0, 0, 0]) - WITHOUT_A_FACE) < 5:
        return NOTHING
    pad = (len(padded) - 200) // 2
    return Detections(np.array([[50, 50, 150, 170]], np.float32) + pad, np.ones(1, np.float32), POINTS[None] + pad)


def _label(_: object, pictures: list[np.ndarray], boxes: np.ndarray) -> dict[str, np.ndarray]:
    points = np.zeros((len(pictures), 68, 2)) + 100
    points[:, 36:42], points[:, 42:48] = POINTS[0], POINTS[1]
    for p, picture in zip(points, pictures, strict=True):
        p += (len(picture) - 200) // 2
        if abs(int(picture[0, 0, 0]) - DISAGREES) < 5:
            p += 60
    return {"points68": points}


def test_every_kept_face_goes_by_the_name_of_its_own_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shades = {f"{s}.png": s for s in (200, WITHOUT_A_FACE, 80, DISAGREES, 160)}
    with zipfile.ZipFile(tmp_path / "drawn.zip", "w") as archive:
        for name, shade in shades.items():
            archive.writestr(name, cv2.imencode(".png", np.full((200, 200, 3), shade, np.uint8))[1].tobytes())
    monkeypatch.setattr(prepare_faces, "FaceDetector", lambda *_: _detect)
    monkeypatch.setattr(teachers, "load_teachers", lambda _: None)
    monkeypatch.setattr(teachers, "label", _label)
    rows = [{"set": "drawn", "file": name, "split": "train", "age": "", "sex": ""} for name in shades]
    jpegs, labels, reasons = prepare_faces.prepare((tmp_path, tmp_path, rows, 64, 0))
    write_shards(tmp_path / "out", jpegs, labels)
    assert read_labels(tmp_path / "out")["file"].tolist() == ["200.png", "80.png", "160.png"]
    assert reasons == {"no face found": 1, "landmarks disagree": 1}
    assert read_crops(tmp_path / "out").mean((1, 2, 3)) == pytest.approx([200, 80, 160], abs=2)


def _by_hand() -> list[dict[str, str]]:
    with open(HAND, newline="") as table:
        return list(csv.DictReader(table))


def test_labels_given_by_eye_are_yes_no_or_empty_and_name_a_face_once() -> None:
    rows = _by_hand()
    assert list(rows[0]) == ["set", "file", "glasses", "beard", "makeup"]
    assert {r[k] for r in rows for k in ("glasses", "beard", "makeup")} == {"0", "1", ""}
    assert len({(r["set"], r["file"]) for r in rows}) == len(rows)


def test_labels_given_by_eye_name_pictures_that_exist_and_some_to_validate_with() -> None:
    with open(shared("faces/labels.csv"), newline="") as table:
        split = {(r["set"], r["file"]): r["split"] for r in csv.DictReader(table)}
    found = [split[r["set"], r["file"]] for r in _by_hand()]
    assert found.count("val") >= 300
    assert found.count("train") >= 1000


def test_pictures_with_a_watermark_are_left_out_by_name() -> None:
    with open(prepare_faces.WATERMARKS, newline="") as table:
        marked = list(csv.DictReader(table))
    clean = [{"set": "utk", "file": "clean.jpg"}]
    assert len(marked) > 50
    assert prepare_faces.without_watermarks([*marked, *clean]) == clean
