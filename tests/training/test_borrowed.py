"""Smiles borrowed of others: what comes of it smiles, and stays the same face elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines import borrow_smiles
from pipelines.draw_pairs import jpeg
from vidinv.training import borrowed
from vidinv.training.shards import read_crops, read_labels, write_shards

SIDE = 128


def face(mouth: float = 0.0, wide: float = 1.0) -> np.ndarray:
    """Landmarks [68, 2] of a plain face; ``mouth``: how far it is open, pixels."""
    p = np.zeros((68, 2))
    turn = np.linspace(0, np.pi, 17)
    p[:17] = np.stack([64 - 44 * np.cos(turn), 52 + 62 * np.sin(turn)], 1)
    p[17:22], p[22:27] = ([(x, 40) for x in np.linspace(a, b, 5)] for a, b in ((32, 54), (74, 96)))
    p[27:31] = [(64, y) for y in np.linspace(50, 72, 4)]
    p[31:36] = [(x, 77) for x in np.linspace(56, 72, 5)]
    for first, centre in ((36, 45), (42, 83)):
        ring = np.linspace(np.pi, -np.pi, 6, endpoint=False)
        p[first : first + 6] = np.stack([centre + 8 * np.cos(ring), 50 - 3 * np.sin(ring)], 1)
    ring = np.linspace(np.pi, -np.pi, 12, endpoint=False)
    p[48:60] = np.stack([64 + 17 * wide * np.cos(ring), 92 - (5 + mouth / 2) * np.sin(ring)], 1)
    ring = np.linspace(np.pi, -np.pi, 8, endpoint=False)
    p[60:68] = np.stack([64 + 14 * wide * np.cos(ring), 92 - (0.5 + mouth / 2) * np.sin(ring)], 1)
    return p


def picture(points: np.ndarray, skin: tuple[int, int, int], lips: tuple[int, int, int]) -> np.ndarray:
    made = np.full((SIDE, SIDE, 3), skin, np.uint8)
    outer, inner = (borrowed._polygon(points[part], SIDE)[..., None] for part in (borrowed.LIPS, borrowed.INSIDE))
    made = made + outer * (np.array(lips) - made)
    return (made + inner * (np.array([240, 238, 230]) - made)).astype(np.uint8)


@pytest.fixture
def lent() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    serious, happy = face(), face(mouth=10, wide=1.35)
    own = picture(serious, (180, 140, 120), (150, 80, 80))
    donor, shape = picture(happy, (150, 110, 95), (180, 60, 70)), borrowed.mean_smile(happy[None])
    made, target = borrowed.borrow(own, serious, donor, happy, shape)
    return own, serious, made, target


def test_a_borrowed_smile_shows_teeth_between_wider_lips(lent) -> None:
    own, serious, made, target = lent
    assert np.ptp(target[[48, 54], 0]) > 1.1 * np.ptp(serious[[48, 54], 0])
    x, y = target[borrowed.INSIDE].mean(0).round().astype(int)
    assert made[y, x].min() > 200 > own[y - 3, x].min()


def test_a_face_that_borrows_a_smile_keeps_its_skin_its_lips_colour_and_what_is_above(lent) -> None:
    own, _, made, target = lent
    assert np.array_equal(made[:60], own[:60])
    x, y = (target[48] * 0.2 + target[57] * 0.8).round().astype(int)  # in the lower lip
    assert np.abs(made[y, x].astype(int) - (150, 80, 80)).max() < 30
    x, y = (target[8] * 0.45 + target[57] * 0.55).round().astype(int)  # between lip and chin
    assert np.abs(made[y, x].astype(int) - (180, 140, 120)).max() < 12


def test_all_smiles_have_one_shape_that_is_as_wide_as_the_face_makes_it() -> None:
    lop = face(mouth=10, wide=1.35)
    lop[48, 1] -= 6  # a crooked one
    shape = borrowed.mean_smile(np.stack([face(mouth=10, wide=1.35), lop]))
    assert np.allclose(shape * (-1, 1), shape[borrowed.MIRRORED])
    narrow, wide = (np.ptp(borrowed.fitted(face(wide=w), shape)[[48, 54], 0]) for w in (0.9, 1.1))
    assert narrow < wide


def test_a_seam_and_a_burnt_mouth_are_told_from_a_borrowed_smile(lent) -> None:
    own, serious, made, target = lent
    spoilt = made.copy()
    spoilt[80:110, 40:88] = 255
    assert borrowed.unlike(own, made, serious, target) < 5 < 12 < borrowed.unlike(own, spoilt, serious, target)


def test_children_bearded_and_serious_people_lend_no_smile() -> None:
    labels = {
        "val": np.array([False, False, False, False, True]),
        "beard": np.array([0.0, 0.9, 0.0, 0.0, 0.0]),
        "age": np.array([30.0, 30.0, 3.0, 30.0, 30.0]),
        "expression": np.eye(7)[[1, 1, 1, 0, 1]],
        "points68": np.stack([face(mouth=10)] * 5),
    }
    assert borrowed.donors(labels).tolist() == [0]


def test_the_nearest_in_looks_is_seen_from_the_same_side() -> None:
    points = np.stack([face(), face(), face()])
    points[0, 27:36, 0] += 8
    points[2, 27:36, 0] += 7
    labels = {"points68": points, "male": np.zeros(3), "age": np.full(3, 30.0), "makeup": np.zeros(3)}
    pictures = np.stack([picture(face(), (180, 140, 120), (150, 80, 80))] * 3)
    far = np.linalg.norm(np.diff(borrowed.looks(pictures, labels)[[0, 1, 0, 2]], axis=0), axis=1)[[0, 2]]
    assert far[1] < far[0]


def test_pairs_with_borrowed_smiles_follow_what_was_there_and_say_how_much_they_smile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = np.stack([face()] * 3 + [face(mouth=10, wide=1.35)] * 3)
    labels = {
        "points68": points,
        "val": np.array([False, False, True, False, False, False]),
        "beard": np.zeros(6),
        "age": np.full(6, 30.0),
        "male": np.zeros(6),
        "makeup": np.zeros(6),
        "expression": np.eye(7)[[0, 0, 0, 1, 1, 1]],
        "set": np.full(6, "toy"),
        "file": np.array([f"{i}.png" for i in range(6)]),
    }
    crops = [jpeg(picture(p, (180, 140, 120), (150, 80, 80))) for p in points]
    write_shards(tmp_path / "faces", crops, labels)
    write_shards(tmp_path / "pairs", crops[:2], {k: v[:2] for k, v in labels.items()})

    def judged(nets: object, scale: float, sets: tuple) -> tuple[np.ndarray, np.ndarray]:
        faces = len(sets[0])
        return np.tile([0.0, 1.0, 3.0], (faces, 1)) / scale, np.where(np.arange(faces) == 0, 1.0, np.inf)

    monkeypatch.setattr(borrow_smiles, "judged", judged)
    monkeypatch.setattr(borrow_smiles.teachers, "load_teachers", lambda folder: None)
    monkeypatch.setattr(borrow_smiles.codes, "measured_scales", lambda data: {"smile": 2.0})
    monkeypatch.setattr(borrow_smiles, "BATCH", 1)
    out = tmp_path / "out"
    told = ["", "--data", str(tmp_path / "faces"), "--pairs", str(tmp_path / "pairs"), "--labellers", "none"]
    monkeypatch.setattr("sys.argv", [*told, "--out", str(out), "--donors", "2"])
    borrow_smiles.main()
    made, pictures = read_labels(out), read_crops(out)
    names = [f"smile/lent-{row:07d}-{number}" for row in (0, 1) for number in (0, 1)]
    assert made["file"].tolist() == ["0.png", "1.png"] + [f"{n}/{k}" for k in range(3) for n in names]
    assert made["drawn"].tolist() == [0, 0] + [0] * 4 + [0.5] * 4 + [1.5] * 4
    assert not made["val"].any()
    whole = read_crops(tmp_path / "faces", np.array([0]))[0].astype(int)
    assert np.abs(whole - pictures[2]).mean() < 2  # but for a JPEG's loss
    assert np.abs(whole - pictures[10]).mean() > 2
