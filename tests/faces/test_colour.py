"""How many colours footage has, and changes that keep to them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidinv.faces.colour import CLEAR, FAINT, beside_tint, colour_share, tinted

SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def picture(seed: int = 0) -> np.ndarray:
    rough = np.random.default_rng(seed).integers(20, 235, (8, 8, 3)).astype(np.uint8)
    return cv2.resize(rough, (128, 128), interpolation=cv2.INTER_CUBIC)


def grey(p: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, 2)


def compressed(p: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], cv2.IMREAD_COLOR)


@pytest.mark.parametrize("how", [lambda p: p, compressed], ids=["clean", "compressed"])
def test_grey_and_toned_footage_has_no_colours_beside_its_tint(how) -> None:
    sepia = np.clip(0.75 * picture() @ SEPIA.T, 0, 255).astype(np.uint8)
    for one in (grey(picture()), sepia):
        assert colour_share(beside_tint(how(one))[0]) == 0
    assert colour_share(beside_tint(how(picture()))[0]) == 1


def test_a_dark_picture_has_its_colours_still_and_a_black_one_tells_nothing() -> None:
    levels, told = beside_tint(picture() // 6)
    assert colour_share(levels) == 1
    assert told < beside_tint(picture())[1]
    assert beside_tint(np.zeros((64, 64, 3), np.uint8)) == (0, 0)


def test_the_share_rises_softly() -> None:
    shares = [colour_share(v) for v in np.linspace(FAINT - 0.5, CLEAR + 0.5, 60)]
    assert shares[0] == 0
    assert shares[-1] == 1
    assert 0 <= np.diff(shares).min() <= np.diff(shares).max() < 0.1


def test_what_takes_no_colours_changes_by_its_luma_and_what_takes_all_is_left_alone() -> None:
    change = np.random.default_rng(0).normal(0, 30, (16, 16, 3)).astype(np.float32)
    assert tinted(change, 1.0) is change
    none, half = tinted(change, 0.0), tinted(change, 0.5)
    assert np.ptp(none, axis=2).max() == 0
    assert none[..., 0] == pytest.approx(change @ np.float32([0.299, 0.587, 0.114]), abs=1e-3)
    assert half == pytest.approx((none + change) / 2, abs=1e-3)


def test_a_generated_picture_takes_the_footages_own_tint() -> None:
    made, own = picture(1).astype(np.float32), np.clip(0.75 * picture() @ SEPIA.T, 0, 255).astype(np.uint8)
    luma = np.float32([0.299, 0.587, 0.114])
    taken = tinted(made, 0.0, own)
    assert taken @ luma == pytest.approx(made @ luma, abs=1e-2)
    assert taken[..., 0] - taken[..., 2] == pytest.approx(own[..., 0].astype(float) - own[..., 2], abs=1e-2)
    assert np.ptp(tinted(made, 0.0, grey(own)), axis=2).max() == 0
