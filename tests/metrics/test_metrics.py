"""Known answers on made-up series."""

import numpy as np
import pytest

from vidinv.metrics.frechet import frechet_distance
from vidinv.metrics.identity import consistency, global_consistency, local_consistency, similarity
from vidinv.metrics.temporal import warping_error
from vidinv.report import PersonTally, summarise_identity


def units(n: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, 16)) + 3
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_equal_series_are_perfectly_consistent() -> None:
    e = units(12)
    assert local_consistency(e, e) == pytest.approx(1)
    assert global_consistency(e, e) == pytest.approx(1)
    assert consistency(np.repeat(e[:1], 5, 0)) == pytest.approx(1)
    assert similarity(e, e) == pytest.approx(np.ones(12))


def test_consistency_is_the_mean_cosine_to_the_first_frame() -> None:
    angles = np.radians([0, 60, 90])
    assert consistency(np.stack([np.cos(angles), np.sin(angles)], 1)) == pytest.approx(0.5)


def test_a_flickering_edit_lowers_the_local_figure_and_a_drifting_one_only_the_global() -> None:
    source = np.repeat(units(1), 100, 0)
    angle = np.radians(np.linspace(0, 60, 100))
    side = np.eye(16)[0] - source[0] * source[0, 0]
    side /= np.linalg.norm(side)
    drift = np.cos(angle)[:, None] * source + np.sin(angle)[:, None] * side
    flicker = drift[np.arange(100) % 2 * 99]
    assert local_consistency(source, drift) > 0.999
    assert global_consistency(source, drift) < 0.95
    assert local_consistency(source, flicker) == pytest.approx(0.5)


def test_the_running_tally_agrees_with_the_formulas() -> None:
    views = {"source": units(9, 1), "inversion": units(9, 2), "edited": units(9, 3)}
    tally = PersonTally()
    for i in range(9):
        tally = tally.add(i, {k: v[i] for k, v in views.items()})
    alike, held, local = summarise_identity({0: tally})
    assert alike["edited"] == pytest.approx(similarity(views["edited"], views["source"]).mean())
    assert held["inversion"] == pytest.approx(consistency(views["inversion"]))
    assert held["persons"]["0"]["source"] == pytest.approx(consistency(views["source"]))
    assert local == pytest.approx(local_consistency(views["source"], views["edited"]))


def test_nothing_edited_is_nothing_measured() -> None:
    alike, held, local = summarise_identity({})
    assert alike == {"inversion": None, "edited": None}
    assert held["source"] is None
    assert local is None


def moving(shift: int, noise: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    texture = rng.integers(0, 256, (40, 60, 3)).astype(float).repeat(6, 0).repeat(6, 1)
    picture = np.roll(texture, shift, 1)[20:200, 40:300]
    return np.clip(picture + np.random.default_rng(seed).normal(0, noise, picture.shape), 0, 255).astype(np.uint8)


def test_warping_error_follows_motion_and_sees_flicker() -> None:
    source = moving(0, 0, 0), moving(4, 0, 0)
    own, same = warping_error(source, source)
    assert own == same < 0.002
    _, brighter = warping_error(source, (source[0], np.clip(source[1].astype(int) + 30, 0, 255).astype(np.uint8)))
    assert brighter > 4 * own
    still = warping_error((source[0], source[0]), (source[0], source[0]))
    assert still == (0, 0)


def test_frechet_distance_of_known_gaussians() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(4000, 3))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + [2, 0, 0]) == pytest.approx(4)
    assert frechet_distance(a, 3 * a) == pytest.approx(3 * (3 - 1) ** 2, rel=0.1)
    b = rng.normal(size=(4000, 3)) * [1, 2, 3]
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))
