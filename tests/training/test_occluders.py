"""Drawn occluders: where the map says, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidinv.models.landmarks import MIRROR
from vidinv.models.visibility import VisibilityConfig
from vidinv.training import distil, limbs, occluders, student_figures, visibility_examples
from vidinv.training.distil import DistilOptions
from vidinv.training.hands import ALPHA, HEIGHT, WIDTH, draw_hand
from vidinv.training.objects import OBJECTS
from vidinv.training.photo_augmentation import PhotoAugmentation

pytestmark = pytest.mark.usefixtures("one_thread")

SIZE = 64
STILL = DistilOptions(batch=8, augmentation=PhotoAugmentation(0, 0, 0, 0, 0, 0, 0, 0, 0))


def face_points(size: int = SIZE) -> np.ndarray:
    """Where 68 points lie in a plain face that looks into the camera."""
    half = np.zeros((68, 2))
    turn = np.linspace(np.pi, 0, 17)
    half[:17] = np.stack([0.5 + 0.36 * np.cos(turn), 0.45 + 0.48 * np.sin(turn)], 1)
    for first, (x, y) in {17: (0.3, 0.33), 22: (0.7, 0.33)}.items():
        half[first : first + 5] = np.stack([x + np.linspace(-0.1, 0.1, 5), np.full(5, y)], 1)
    half[27:31] = np.stack([np.full(4, 0.5), np.linspace(0.42, 0.58, 4)], 1)
    half[31:36] = np.stack([np.linspace(0.42, 0.58, 5), np.full(5, 0.62)], 1)
    ring = np.linspace(np.pi, 3 * np.pi, 6, endpoint=False)
    for first, x in {36: 0.32, 42: 0.68}.items():
        half[first : first + 6] = np.stack([x + 0.07 * np.cos(ring), 0.43 + 0.03 * np.sin(ring)], 1)
    for first, count in {48: 12, 60: 8}.items():
        ring = np.linspace(np.pi, 3 * np.pi, count, endpoint=False)
        half[first : first + count] = np.stack([0.5 + 0.14 * np.cos(ring), 0.76 + 0.05 * np.sin(ring)], 1)
    return half * size - 0.5


@pytest.fixture(scope="module")
def faces() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    pictures = np.clip(rng.normal(150, 6, (6, SIZE, SIZE, 3)), 0, 255).astype(np.uint8)
    points = np.repeat(face_points()[None], 6, 0)
    return pictures, {"points68": points, "age": np.full(6, 30.0), "skin": np.full(6, 150.0), "male": np.ones(6)}


@pytest.fixture(scope="module")
def bank(faces) -> limbs.Bank:
    return limbs.make_bank(faces[0], faces[1]["points68"], hands=8, grain=4)


def drawn(faces, bank, monkeypatch, count: int, clean: float = 0.0) -> list[tuple[np.ndarray, np.ndarray]]:
    monkeypatch.setattr(occluders, "CLEAN", clean)
    points = faces[1]["points68"][0]
    return [occluders.cover(faces[0][0], points, bank, np.random.default_rng(n)) for n in range(count)]


def test_pixels_that_are_said_to_be_free_change_by_a_shadow_at_most(faces, bank, monkeypatch) -> None:
    monkeypatch.setattr(occluders, "decoys", lambda base, points, rng: base)
    for picture, covered in drawn(faces, bank, monkeypatch, 60):
        free = covered == 0
        assert (picture[free].astype(int) <= faces[0][0][free].astype(int) + 1).all()


def test_what_is_drawn_shows_where_the_map_says(faces, bank, monkeypatch) -> None:
    monkeypatch.setattr(occluders, "decoys", lambda base, points, rng: base)
    changes = []
    for picture, covered in drawn(faces, bank, monkeypatch, 60):
        if covered.max() > 0:
            change = np.abs(picture.astype(float) - faces[0][0]).mean(2)
            changes.append((change[covered > 0.9].mean(), change[covered == 0].mean()))
    inside, outside = np.array(changes).T
    assert len(changes) > 40
    assert np.median(inside) > 3 * np.median(outside)


def test_the_covered_share_stays_in_its_bounds_and_some_faces_are_clean(faces, bank, monkeypatch) -> None:
    region = occluders.face_region(face_points(), SIZE)
    clean = occluders.CLEAN
    shares = [(c * region).sum() / region.sum() for _, c in drawn(faces, bank, monkeypatch, 200, clean)]
    assert max(shares) < occluders.MOST
    assert np.mean(np.array(shares) == 0) == pytest.approx(clean, abs=0.12)


def test_hair_glasses_and_shadows_are_drawn_and_cover_nothing(faces, bank, monkeypatch) -> None:
    made = drawn(faces, bank, monkeypatch, 60, clean=1.0)
    assert all(covered.max() == 0 for _, covered in made)
    assert 5 < sum(not np.array_equal(picture, faces[0][0]) for picture, _ in made) < 40


@pytest.mark.parametrize("kind", OBJECTS)
def test_every_thing_is_a_picture_with_an_outline(faces, kind: str) -> None:
    for seed in range(10):
        colour, alpha = OBJECTS[kind](face_points(), faces[0], np.random.default_rng(seed))
        assert colour.shape == (SIZE, SIZE, 3)
        assert alpha.shape == (SIZE, SIZE)
        assert colour.dtype == alpha.dtype == np.float32
        assert alpha.min() >= 0
        assert alpha.max() <= 1
        assert np.isfinite(colour).all()


def test_a_hand_is_one_piece_with_slopes_inside_it() -> None:
    for seed in range(6):
        hand = draw_hand(np.random.default_rng(seed))
        assert hand.shape == (HEIGHT, WIDTH, 4)
        assert cv2.connectedComponents((hand[..., ALPHA] > 0.5).astype(np.uint8))[0] == 2
        assert np.hypot(hand[..., 0], hand[..., 1]).max() <= 1.001
        assert hand[..., 2].min() >= 0


def test_the_face_is_meant_whole() -> None:
    points = face_points()
    region = occluders.face_region(points, SIZE)
    x, y = np.round(points[[19, 24, 33, 57, 40]]).astype(int).T
    assert (region[y, x] == 1).all()
    assert region[0, 0] == region[-1, 0] == region[-1, -1] == 0
    assert 0.4 < region.mean() < 0.75
    mirrored = points[list(MIRROR)] * (-1, 1) + (SIZE - 1, 0)
    assert np.abs(occluders.face_region(mirrored, SIZE)[:, ::-1] - region).mean() < 0.01


def test_the_map_moves_with_the_picture(faces, bank, monkeypatch) -> None:
    def paint(picture, points, bank, rng):
        covered = np.zeros((SIZE, SIZE), np.float32)
        covered[10:30, 35:60] = 1
        return np.where(covered[..., None] > 0, 255, picture // 2).astype(np.uint8), covered

    monkeypatch.setattr(visibility_examples, "cover", paint)
    how = DistilOptions(augmentation=PhotoAugmentation(20, 0.1, 0.08, 0, 0, 0, 0, 0, 0))
    for seed in range(8):
        rng = np.random.default_rng(seed)
        picture, _, covered = visibility_examples.example(faces[0][0], face_points(), bank, how, rng)
        assert (picture[covered > 0.95] > 240).all()
        assert (picture[covered < 0.05] < 110).all()


def test_image_n_of_a_run_is_the_same_however_often_it_was_cut(faces, bank) -> None:
    feed = visibility_examples.batches(*faces, bank, SIZE // 2, STILL)
    next(feed)
    whole = next(feed)
    resumed = next(visibility_examples.batches(*faces, bank, SIZE // 2, STILL, seen=8))
    assert whole[0].equal(resumed[0])
    assert all(whole[1][k].equal(resumed[1][k]) for k in ("face", "occluder"))


def test_a_few_steps_lower_the_loss(faces, bank) -> None:
    options = DistilOptions(images=160, batch=8, rate=5e-3)
    state = distil.start(VisibilityConfig(side=32, widths=(8, 12, 16), blocks=(1, 1)), options)
    feed = visibility_examples.batches(*faces, bank, 16, options)
    losses = [float(distil.step(state, "visibility", *next(feed), options)["loss"]) for _ in range(20)]
    assert state.seen == options.images
    assert np.mean(losses[-4:]) < 0.9 * np.mean(losses[:4])


def test_agreement_with_what_was_drawn(faces, bank) -> None:
    pictures, maps = visibility_examples.examples(
        np.repeat(faces[0], 5, 0), {"points68": np.repeat(faces[1]["points68"], 5, 0)}, bank, 32, STILL
    )
    assert pictures.shape == (30, SIZE, SIZE, 3)
    same = student_figures.agreement(maps, maps)
    assert same["occluder_iou"] == same["occluder_pixel_auc"] == same["face_iou"] == 1
    assert same["clean_faces_with_an_alarm"] == same["covered_faces_without_an_alarm"] == 0
    blind = student_figures.agreement({**maps, "occluder": np.ones_like(maps["occluder"])}, maps)
    assert blind["clean_faces_with_an_alarm"] == 1
    assert blind["occluder_iou"] < 0.6


def test_shrunk_faces_keep_their_points_in_place() -> None:
    picture = np.zeros((1, 64, 64, 3), np.uint8)
    picture[0, 40:44, 20:24] = 255
    labels = {"points68": np.full((1, 68, 2), (21.5, 41.5))}
    small, moved = visibility_examples.shrunk(picture, labels, 32)
    assert np.allclose(moved["points68"], (10.5, 20.5))
    assert small[0, 20:22, 10:12].min() == 255


def test_faces_are_left_out_by_their_pictures_names(tmp_path: Path) -> None:
    (tmp_path / "covered.csv").write_text("set,file\na,1.jpg\nb,2.jpg\nb,9.jpg\n")
    labels = {"set": np.array(["a", "b", "b"]), "file": np.array(["1.jpg", "1.jpg", "2.jpg"])}
    assert visibility_examples.listed(labels, tmp_path / "covered.csv").tolist() == [True, False, True]
    with pytest.raises(ValueError, match="no column 'file'"):
        visibility_examples.listed({"set": labels["set"]}, tmp_path / "covered.csv")
