"""Smiles with another's teeth: what comes of it smiles, keeps its own skin and lips, and stays the same elsewhere."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines import borrow_smiles
from pipelines.draw_pairs import jpeg
from vidinv.training import borrowed, mouths
from vidinv.training.objects import polygon
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
    """A plain face that shows its teeth, each second of them darker, as far as its mouth is open."""
    made = np.full((SIDE, SIDE, 3), skin, np.uint8)
    outer, inner = (polygon(points[part], SIDE)[..., None] for part in (slice(48, 60), borrowed.INSIDE))
    teeth = np.where(np.arange(SIDE)[None, :, None] // 4 % 2, 235, 215) * np.ones((SIDE, SIDE, 3))
    made = made + outer * (np.array(lips) - made)
    return (made + inner * (teeth - made)).astype(np.uint8)


HAPPY = face(mouth=5, wide=1.35)
OWN, DONOR = picture(face(), (180, 140, 120), (150, 80, 80)), picture(HAPPY, (150, 110, 95), (180, 60, 70))


@pytest.fixture(scope="module")
def smiling() -> tuple[np.ndarray, np.ndarray]:
    return borrowed.borrow(OWN, face(), DONOR, HAPPY, borrowed.mean_smile(HAPPY[None]))[-1]


def test_a_smile_shows_light_teeth_between_wider_lips_on_dark_faces_too(smiling) -> None:
    made, target = smiling
    assert np.ptp(target[[48, 54], 0]) > 1.1 * np.ptp(face()[[48, 54], 0])
    x, y = target[borrowed.INSIDE].mean(0).round().astype(int)
    assert made[y, x].min() > 130 > OWN[y - 3, x].min()
    dark = picture(face(), (80, 50, 40), (70, 35, 35))
    *_, (made, _) = borrowed.borrow(dark, face(), DONOR, HAPPY, borrowed.mean_smile(HAPPY[None]))
    assert 80 < made[y, x].mean() < 180


def test_lips_half_open_show_less_of_the_same_teeth(smiling) -> None:
    whole, target = smiling
    each = borrowed.borrow(OWN, face(), DONOR, HAPPY, borrowed.mean_smile(HAPPY[None]), (0.5, 1.0))
    (closed, _), (half, at), (again, _) = each
    assert np.array_equal(closed, mouths.smile(OWN, face(), borrowed.GENTLE)[0])
    assert np.array_equal(again, whole)
    gaps = [np.ptp(p[[62, 66], 1]) for p in (face(), at, target)]
    assert gaps[0] < gaps[1] < gaps[2]
    light = [(x.astype(int).min(2) - OWN.min(2) > 25).sum() for x in (half, whole)]
    assert 0 < light[0] < light[1]


def test_a_face_that_smiles_keeps_its_own_lips_and_chin_and_what_is_above(smiling) -> None:
    made, target = smiling
    assert np.abs(made[:35].astype(int) - OWN[:35]).max() <= 2  # but for the light of raised cheeks
    x, y = (target[57] + target[66]).round().astype(int) // 2  # in the lower lip
    assert np.abs(made[y, x].astype(int) - (150, 80, 80)).max() < 30
    x, y = (target[8] * 0.45 + target[57] * 0.55).round().astype(int)  # between lip and chin
    assert np.abs(made[y, x].astype(int) - (180, 140, 120)).max() < 12


def test_all_smiles_have_one_shape_that_is_as_wide_as_the_face_makes_it() -> None:
    lop = face(mouth=5, wide=1.35)
    lop[48, 1] -= 6  # a crooked one
    shape = borrowed.mean_smile(np.stack([HAPPY, lop]))
    assert np.allclose(shape * (-1, 1), shape[borrowed.MIRRORED])
    narrow, wide = (np.ptp(borrowed.fitted(face(wide=w), shape)[[48, 54], 0]) for w in (0.9, 1.1))
    assert narrow < wide


def test_who_lends_has_sharp_teeth_like_most() -> None:
    blurred = cv2.GaussianBlur(DONOR, (0, 0), 3)
    odd = DONOR.copy()
    odd[:, :64] = odd[:, :64] // 3
    points = np.stack([HAPPY] * 5)
    assert borrowed.lender(np.stack([blurred, odd, DONOR, DONOR, blurred]), points, borrowed.mean_smile(points)) == 2


def test_children_serious_turned_and_small_faces_lend_no_teeth() -> None:
    turned = face(mouth=5)
    turned[27:36, 0] += 10
    labels = {
        "val": np.array([False, False, False, False, False, True]),
        "age": np.array([30.0, 3.0, 30.0, 30.0, 30.0, 30.0]),
        "expression": np.eye(7)[[1, 1, 0, 1, 1, 1]],
        "side": np.array([200.0, 200.0, 200.0, 200.0, 90.0, 200.0]),
        "points68": np.stack([*[face(mouth=5)] * 3, turned, *[face(mouth=5)] * 2]),
    }
    assert borrowed.donors(labels).tolist() == [0]


def test_pairs_with_borrowed_smiles_follow_what_was_there_and_say_how_much_they_smile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = np.stack([face()] * 3 + [HAPPY] * 3)
    labels = {
        "points68": points,
        "val": np.array([False, False, True, False, False, False]),
        "age": np.full(6, 30.0),
        "side": np.full(6, 200.0),
        "expression": np.eye(7)[[0, 0, 0, 1, 1, 1]],
        "set": np.full(6, "toy"),
        "file": np.array([f"{i}.png" for i in range(6)]),
    }
    crops = [jpeg(x) for x in (OWN, OWN, OWN, DONOR, DONOR, DONOR)]
    write_shards(tmp_path / "faces", crops, labels)
    write_shards(tmp_path / "pairs", crops[:2], {k: v[:2] for k, v in labels.items()})
    read = iter(([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 7.0]))

    def judged(nets: object, scale: float, sets: tuple) -> tuple[np.ndarray, np.ndarray]:
        assert [len(s) for s in sets] == [1, 1, 1, 1]
        return np.array([next(read)]) / scale, np.array([True])

    monkeypatch.setattr(borrow_smiles, "judged", judged)
    monkeypatch.setattr(borrow_smiles.teachers, "load_teachers", lambda folder: None)
    monkeypatch.setattr(borrow_smiles.codes, "measured_scales", lambda data: {"smile": 2.0})
    monkeypatch.setattr(borrow_smiles, "BATCH", 1)
    told = ["", "--data", str(tmp_path / "faces"), "--pairs", str(tmp_path / "pairs"), "--labellers", "none"]
    monkeypatch.setattr("sys.argv", [*told, "--out", str(tmp_path / "out")])
    borrow_smiles.main()
    made, pictures = read_labels(tmp_path / "out"), read_crops(tmp_path / "out")
    names = [f"smile/lent-{row:07d}/{k}" for k in range(4) for row in (0, 1)]
    assert made["file"].tolist() == ["0.png", "1.png", *names]
    assert made["drawn"].tolist() == [0, 0, 0, 0, 0.5, 0.5, 1, 1, 2.5, 2.5]  # one shape, one amount
    assert not made["val"].any()
    assert np.abs(OWN.astype(int) - pictures[2]).mean() < 2  # but for a JPEG's loss
    assert np.abs(OWN.astype(int) - pictures[8]).max() > 60
