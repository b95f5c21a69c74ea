"""A cut is a cut; a pan, a flash, a strobe, a caption, noise or a fade is none."""

import numpy as np
import pytest

from vidinv.types import Frame
from vidinv.video import shots
from vidinv.video.shots import ShotState, mark_cuts

RNG = np.random.default_rng(0)
WIDE = RNG.integers(0, 256, (18, 96, 3), np.uint8).repeat(20, 0).repeat(20, 1)
OTHER = RNG.integers(0, 256, (18, 32, 3), np.uint8).repeat(20, 0).repeat(20, 1)
THIRD = OTHER[::-1].copy()
WHITE, BLACK = np.full_like(OTHER, 255), np.zeros_like(OTHER)


def cuts(pictures: list[np.ndarray], rate: float = 30.0) -> list[int]:
    state, out = ShotState(), []
    for one in (*(Frame(picture, i) for i, picture in enumerate(pictures)), None):
        state, ready = mark_cuts(state, one, rate)
        assert len(state.waiting) <= 0.3 * rate
        out += ready
    assert [frame.index for frame in out] == list(range(len(pictures)))
    assert not state.waiting
    return [frame.index for frame in out if frame.cut]


def test_a_hard_cut_is_found_once() -> None:
    assert cuts([WIDE[:, :640]] * 10 + [OTHER] * 10) == [10]
    assert cuts([OTHER] * 20 + [THIRD] * 20 + [OTHER] * 20) == [20, 40]
    assert cuts([OTHER] * 20 + [BLACK] * 20 + [THIRD] * 3) == [20, 40]


def test_a_still_picture_and_a_slow_pan_are_no_cuts() -> None:
    assert cuts([OTHER] * 20) == []
    assert cuts([WIDE[:, 4 * i : 4 * i + 640] for i in range(60)]) == []


def test_noise_and_a_fade_are_no_cuts() -> None:
    noisy = [np.clip(OTHER + RNG.normal(0, 20, OTHER.shape), 0, 255).astype(np.uint8) for _ in range(10)]
    assert cuts(noisy) == []
    for length in (20, 6, 4):
        fade = [(OTHER * (1 - i / length)).astype(np.uint8) for i in range(length + 1)]
        assert cuts([OTHER] * 5 + fade) == []
        assert cuts([OTHER] * 5 + fade + [BLACK] * 20 + fade[::-1] + [OTHER] * 5) == []


def test_another_picture_that_comes_out_of_the_dark_is_a_cut() -> None:
    assert cuts([(OTHER * (1 - i / 10)).astype(np.uint8) for i in range(11)] + [BLACK] * 20 + [THIRD] * 12) == [31]


@pytest.mark.parametrize("between", [WHITE, BLACK, THIRD], ids=["white", "black", "colours"])
@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_flash_is_no_cut(between: np.ndarray, length: int) -> None:
    assert cuts([OTHER] * 10 + [between] * length + [OTHER] * 10) == []


@pytest.mark.parametrize("rate", [10, 30, 240])
def test_a_strobe_is_no_cut_at_any_rate(rate: int) -> None:
    half = max(1, round(0.1 * rate))
    assert cuts(([OTHER] * half + [BLACK] * half) * 10 + [OTHER] * 3, rate) == []


def test_what_waits_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shots, "MOST", 4 * OTHER.nbytes)
    state, most = ShotState(), 0
    for index, one in enumerate([OTHER] * 3 + [THIRD] * 30):
        state, _ = mark_cuts(state, Frame(one, index), 60.0)
        most = max(most, len(state.waiting))
    assert most == 4
    assert cuts([OTHER] * 10 + [WHITE] * 4 + [OTHER] * 10) == []
    assert cuts([OTHER] * 10 + [THIRD] * 10) == [10]


def test_each_frame_that_waits_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compared, jumps = [], shots._jumps
    monkeypatch.setattr(shots, "_jumps", lambda state, after: compared.append(1) or jumps(state, after))
    assert cuts([OTHER] * 10 + [WHITE] * 8 + [OTHER] * 10) == []
    assert len(compared) == 27


def test_a_cut_right_after_a_flash_is_a_cut() -> None:
    assert cuts([OTHER] * 10 + [WHITE] * 2 + [OTHER] * 4 + [THIRD] * 20) == [16]


def test_a_caption_that_comes_and_goes_is_no_cut() -> None:
    titled = OTHER.copy()
    titled[180:] = 255
    assert cuts([OTHER] * 20 + [titled] * 60 + [OTHER] * 20) == []


def test_another_person_before_the_same_plain_wall_is_a_cut() -> None:
    one, two = (np.full_like(OTHER, 90) for _ in range(2))
    one[60:300, 100:400], two[60:300, 240:540] = OTHER[60:300, 100:400], THIRD[60:300, 240:540]
    assert cuts([one] * 10 + [two] * 20) == [10]
