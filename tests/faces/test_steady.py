"""Landmarks over time: they tremble less, go with the face, and no single frame's word decides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.training.codes_toy import one_face
from vidinv.faces.steady import steadied
from vidinv.types import Eyeglasses

SIDE = 128
KEEP, STILL = np.full((SIDE, SIDE), 0.9, np.float32), np.zeros((SIDE, SIDE, 2), np.float32)
POINTS = one_face().astype(np.float32)
GLASSES = Eyeglasses(POINTS, np.full(3, 150, np.float32))


def test_they_tremble_less_than_landmarks_and_go_with_the_face() -> None:
    rng, mean, places = np.random.default_rng(0), GLASSES, []
    for _ in range(60):
        noise = rng.normal(0, 1, POINTS.shape).astype(np.float32)
        mean = steadied(mean, replace(GLASSES, points=POINTS + noise), STILL, KEEP)
        places.append(mean.points)
    assert np.stack(places[20:]).std(0).mean() < 0.35
    # All moved by three pixels to the right: this crop's pixels were found three further left.
    gone = replace(GLASSES, points=POINTS + np.float32([3, 0]))
    by = np.full((SIDE, SIDE, 2), (-3, 0), np.float32)
    np.testing.assert_allclose(steadied(GLASSES, gone, by, KEEP).points, gone.points, atol=1e-4)


def test_how_much_is_asked_for_never_lags() -> None:
    now = steadied(GLASSES, replace(GLASSES, share=0.5, bold=0.7), STILL, KEEP)
    assert (now.share, now.bold) == (0.5, 0.7)


def test_one_frames_word_that_somebody_wears_some_takes_nothing_off() -> None:
    odd = replace(GLASSES, wearing=1.0)
    assert steadied(GLASSES, odd, STILL, KEEP).wearing < 0.02
    always = GLASSES
    for _ in range(300):
        always = steadied(always, odd, STILL, KEEP)
    assert always.wearing > 0.9
