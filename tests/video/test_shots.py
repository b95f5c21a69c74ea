"""A cut is a cut; a pan, a flash of noise or a fade is none."""

import numpy as np

from vidinv.video.shots import ShotState, is_cut

RNG = np.random.default_rng(0)
WIDE = RNG.integers(0, 256, (18, 96, 3), np.uint8).repeat(20, 0).repeat(20, 1)
OTHER = RNG.integers(0, 256, (18, 32, 3), np.uint8).repeat(20, 0).repeat(20, 1)


def cuts(pictures: list[np.ndarray]) -> list[int]:
    state, found = ShotState(), []
    for i, picture in enumerate(pictures):
        cut, state = is_cut(state, picture)
        found += [i] if cut else []
    return found


def test_a_hard_cut_is_found_once() -> None:
    assert cuts([WIDE[:, :640]] * 10 + [OTHER] * 10) == [10]


def test_a_still_picture_and_a_slow_pan_are_no_cuts() -> None:
    assert cuts([OTHER] * 20) == []
    assert cuts([WIDE[:, 4 * i : 4 * i + 640] for i in range(60)]) == []


def test_noise_and_a_fade_are_no_cuts() -> None:
    noisy = [np.clip(OTHER + RNG.normal(0, 20, OTHER.shape), 0, 255).astype(np.uint8) for _ in range(10)]
    assert cuts(noisy) == []
    assert cuts([(OTHER * (1 - i / 20)).astype(np.uint8) for i in range(21)]) == []
