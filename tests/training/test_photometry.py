"""Colours of drawn faces, whose hair and skin are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidinv.faces.masks import oval
from vidinv.training import photometry
from vidinv.training.scores import eligible, nuisances, scores

LIGHT_SKIN, DARK_SKIN = (224, 188, 164), (96, 62, 46)
DARK_HAIR, FAIR_HAIR = (40, 30, 26), (206, 178, 110)


def points(count: int, size: int = 128) -> np.ndarray:
    """Landmarks of a face that fills the crop, as the pack's template places it."""
    p = np.zeros((count, 68, 2))
    angle = np.linspace(0, np.pi, 17)
    p[:, :17] = np.stack([62 - 56 * np.cos(angle), 45 + 84 * np.sin(angle)], 1)
    p[:, 17:27, 1], p[:, 17:27, 0] = 28, np.linspace(20, 104, 10)
    p[:, 27:31] = np.stack([np.full(4, 62.0), np.linspace(45, 74, 4)], 1)
    p[:, 31:36] = np.stack([np.linspace(53, 71, 5), np.full(5, 80.0)], 1)
    around = np.linspace(np.pi, -np.pi, 7)[:6]
    for first, x in ((36, 36.0), (42, 88.0)):
        p[:, first : first + 6] = np.stack([x + 9 * np.cos(around), 45 - 5 * np.sin(around)], 1)
    p[:, 48:] = (62, 98)
    return p * size / 128


def face(skin: tuple, hair: tuple | None, light: float = 1.0, size: int = 128) -> np.ndarray:
    """A face of one colour before a grey wall, with hair down to the forehead, or none."""
    picture = np.full((128, 128, 3), 128, np.uint8)
    cv2.ellipse(picture, (62, 50), (58, 84), 0, 0, 360, skin, -1)
    for x in (36, 88):
        cv2.ellipse(picture, (x, 45), (9, 5), 0, 0, 360, (235, 235, 235), -1)
    if hair is not None:
        picture[:14] = hair
    picture = np.clip(picture * light, 0, 255).astype(np.uint8)
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)


def lab(rgb: tuple) -> np.ndarray:
    return cv2.cvtColor(np.array([[rgb]], np.float32) / 255, cv2.COLOR_RGB2LAB)[0, 0]


@pytest.mark.parametrize("size", [128, 256])
def test_hair_has_the_lightness_it_was_drawn_with_and_none_is_seen_on_bald_heads(size: int) -> None:
    drawn = [(LIGHT_SKIN, DARK_HAIR), (LIGHT_SKIN, FAIR_HAIR), (DARK_SKIN, DARK_HAIR), (LIGHT_SKIN, None)]
    found = photometry.measured(np.stack([face(*d, size=size) for d in drawn]), points(4, size))
    assert found["hair"][:3] == pytest.approx([lab(d[1])[0] for d in drawn[:3]], abs=2)
    assert np.isnan(found["hair"][3])


def test_skin_has_the_typology_angle_it_was_drawn_with_and_none_without_colours() -> None:
    grey = np.repeat(face(LIGHT_SKIN, DARK_HAIR).mean(2, keepdims=True), 3, 2).astype(np.uint8)
    found = photometry.measured(np.stack([face(LIGHT_SKIN, DARK_HAIR), face(DARK_SKIN, FAIR_HAIR), grey]), points(3))
    expected = [np.degrees(np.arctan2(lab(s)[0] - 50, lab(s)[2])) for s in (LIGHT_SKIN, DARK_SKIN)]
    assert found["tone"][:2] == pytest.approx(expected, abs=1.5)
    assert found["tone"][0] > 41 > 0 > found["tone"][1]
    assert np.isnan(found["tone"][2])


def test_the_eyes_whites_tell_the_light_from_the_skin() -> None:
    dim, dark, sunglasses = face(LIGHT_SKIN, None, 0.45), face(DARK_SKIN, None), face(LIGHT_SKIN, None)
    sunglasses[36:54, 20:106] = 15
    whites = photometry.eye_whites(np.stack([face(LIGHT_SKIN, None), dim, dark, sunglasses]), points(4))
    assert whites[2] == pytest.approx(whites[0], abs=2)
    assert whites[1] < whites[0] - 30
    assert whites[3] < 10


def test_colours_tell_the_face_from_what_is_around_it() -> None:
    picture = np.full((2, 64, 64, 3), (10, 20, 30), np.uint8)
    picture[1, oval(64) > 0.5] = (200, 100, 50)
    found = photometry.colours(picture)
    assert found[0] == pytest.approx([10, 20, 30, 0, 0, 0, 10, 20, 30, 0, 0, 0], abs=1e-4)
    assert found[1] == pytest.approx([200, 100, 50, 0, 0, 0, 10, 20, 30, 0, 0, 0], abs=1e-4)


def table(count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "age": rng.uniform(5, 80, count),
        "male": rng.random(count),
        "expression": rng.dirichlet(np.ones(7), count),
        "points68": points(count) + rng.normal(0, 1, (count, 68, 2)),
        "skin": rng.uniform(90, 220, count),
        "side": rng.uniform(90, 300, count),
        "set": np.full(count, "a"),
        "colour": rng.uniform(0, 255, (count, 12)),
        "hair": np.where(np.arange(count) % 4 == 0, np.nan, rng.uniform(10, 80, count)),
        "tone": rng.uniform(-40, 70, count),
        "white": rng.uniform(5, 80, count),
        "glasses": rng.random(count),
        "beard": rng.random(count),
        "makeup": rng.random(count),
    }


def test_faces_that_do_not_show_a_score_have_no_say_in_it() -> None:
    labels = table(400)
    assert not eligible("hair", labels)[::4].any()
    assert eligible("hair", labels)[1::4].all()
    assert (labels["male"][eligible("beard", labels)] > 0.5).all()
    assert (labels["male"][eligible("makeup", labels)] <= 0.5).all()
    sunglasses = (labels["glasses"] > 0.5) & (labels["white"] < 12)
    assert sunglasses.sum() > 3
    assert not (eligible("glasses", labels) & sunglasses).any()
    assert eligible("age", labels).all()


def test_an_edit_of_colour_is_not_held_fixed_by_the_colours_of_its_own_region() -> None:
    """A column that is the score itself would leave nothing of it; of the other region it is held fixed."""
    labels = table(300)

    def held(name: str, column: np.ndarray) -> bool:
        return any(np.array_equal(c, column) for c in nuisances(labels, name).T)

    face_red, around_red = labels["colour"][:, 0], labels["colour"][:, 6]
    assert held("age", face_red)
    assert held("age", around_red)
    assert not held("skin", face_red)
    assert not held("skin", labels["skin"])
    assert held("skin", around_red)
    assert held("skin", labels["white"])
    assert held("hair", face_red)
    assert not held("hair", around_red)


def test_glasses_are_held_fixed_beside_every_other_edit_and_beards_are_part_of_gender() -> None:
    labels = table(300)

    def held(name: str) -> set[str]:
        return {
            a for a in ("glasses", "beard", "makeup") for c in nuisances(labels, name).T if np.array_equal(c, labels[a])
        }

    assert held("age") == {"glasses", "beard", "makeup"}
    assert held("gender") == {"glasses"}
    assert held("beard") == {"glasses", "makeup"}
    bare = {k: v for k, v in labels.items() if k not in ("glasses", "beard", "makeup")}
    assert "glasses" not in scores(bare)
    assert nuisances(bare, "age").shape[1] == nuisances(labels, "age").shape[1] - 3
