"""Figures over time and over sets: known answers, and what must not change them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vidinv.metrics.disentanglement import completeness, dci, disentanglement
from vidinv.metrics.identity import csim, similarity
from vidinv.metrics.landmarks import amplitude_kept, hausdorff, jitter, motion_kept, shaking
from vidinv.metrics.seam import change, flicker, outside_difference, ring, steadiness
from vidinv.metrics.sliced_wasserstein import sliced_wasserstein
from vidinv.metrics.sync import av_drift
from vidinv.metrics.temporal import correspondence, moved_difference, warping_error
from vidinv.video.spans import Spans

RNG = np.random.default_rng(0)


def test_jitter_is_blind_to_even_motion_and_sees_shaking() -> None:
    base = RNG.normal(size=(68, 2)) * 20
    even = base + np.arange(30)[:, None, None] * [3.0, -1.0]
    assert jitter(even) == pytest.approx(0, abs=1e-9)
    shaken = even + np.array([[[1.0, 0.0]], [[-1.0, 0.0]]])[np.arange(30) % 2]
    assert jitter(shaken) == pytest.approx(4)
    assert shaking(*shaken[:3]) == pytest.approx(4)
    assert math.isnan(jitter(even[:2]))


def test_hausdorff_is_symmetric_and_known_for_simple_sets() -> None:
    a, b = np.array([[0.0, 0], [1, 0]]), np.array([[0.0, 0], [1, 0], [1, 5]])
    assert hausdorff(a, a) == 0
    assert hausdorff(a, b) == hausdorff(b, a) == 5
    assert hausdorff(a + 7, b + 7) == 5
    brute = max(np.linalg.norm(a[:, None] - b[None], axis=2).min(0).max(), 0)
    assert hausdorff(a, b) == brute


def test_motion_kept_is_the_share_of_the_amplitude_wherever_the_face_stands() -> None:
    t = np.arange(60) / 30
    nod = 10 * np.sin(2 * np.pi * t)[:, None, None] * np.ones((1, 5, 2))
    assert motion_kept(nod, 0.4 * nod + 100) == pytest.approx(0.4)
    assert motion_kept(nod, np.zeros_like(nod)) == 0
    assert math.isnan(motion_kept(np.ones((9, 5, 2)), np.ones((9, 5, 2))))


@pytest.mark.parametrize("frequency", [0.5, 1, 2, 3])
def test_the_amplitude_of_a_nod_under_a_known_filter(frequency: float) -> None:
    """A centred Gaussian of 0.1 s keeps exp(-2 (pi f sigma)^2) of a frequency."""
    rate, sigma = 50.0, 0.1
    t = np.arange(400) / rate
    nod = np.sin(2 * np.pi * frequency * t + 0.3)
    offsets = np.arange(-30, 31) / rate
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    smoothed = np.convolve(nod, kernel / kernel.sum(), "valid")
    expected = math.exp(-2 * (math.pi * frequency * sigma) ** 2)
    assert amplitude_kept(nod[30:-30], smoothed, frequency, rate) == pytest.approx(expected, abs=0.01)


def test_a_seam_is_looked_for_where_the_mask_falls_off() -> None:
    mask = np.clip(np.linspace(1.2, -0.2, 20), 0, 1)[None].repeat(20, 0)
    where = ring(mask)
    assert not where[:, :9].any()
    assert not where[:, -3:].any()
    assert where[:, 10:16].all()


def test_flicker_is_of_what_was_put_in_not_of_what_was_there() -> None:
    frames = [RNG.integers(60, 200, (16, 16, 3), np.uint8) for _ in range(3)]
    region = np.ones((16, 16), bool)
    steady = [change(f, f + np.uint8(20)) for f in frames]
    assert flicker(steady[0], steady[1], region) == 0
    blinking = change(frames[2], frames[2] + np.uint8(26))
    assert flicker(steady[1], blinking, region) == pytest.approx(6)


def test_the_outside_is_untouched_or_counted() -> None:
    source = RNG.integers(0, 200, (20, 30, 3), np.uint8)
    inside = np.zeros((20, 30), bool)
    inside[5:15, 5:15] = True
    edited = np.where(inside[..., None], source + np.uint8(50), source)
    assert outside_difference(source, edited, inside) == 0
    assert outside_difference(source, source + np.uint8(2), inside) == pytest.approx(2)
    assert math.isnan(outside_difference(source, edited, np.ones((20, 30), bool)))
    assert outside_difference(source, source + np.uint8(2), np.zeros((20, 30), bool)) == pytest.approx(2)


def test_the_outside_is_told_by_the_part_that_was_changed() -> None:
    source = RNG.integers(0, 200, (20, 30, 3), np.uint8)
    inside, edited = np.zeros((20, 30), bool), source.copy()
    inside[5:15, 5:15] = True
    edited[3:12, 8:22] += np.uint8(40)
    part = slice(3, 12), slice(8, 22)
    whole = outside_difference(source, edited, inside)
    assert outside_difference(source[part], edited[part], inside, (8, 3)) == pytest.approx(whole)
    nothing = source[:0, :0]
    assert outside_difference(nothing, nothing, inside) == 0
    assert math.isnan(outside_difference(nothing, nothing, np.ones((20, 30), bool)))


def test_steadiness_ignores_the_source_and_a_constant_edit() -> None:
    source = RNG.normal(40, 5, 100)
    assert steadiness(source, source + 10) == pytest.approx(0, abs=1e-9)
    assert steadiness(source, source + np.where(np.arange(100) % 2, 12, 8)) == pytest.approx(2)


@pytest.mark.parametrize(
    ("output", "drift"),
    [
        (Spans((0, 10), (0.1, 10.1)), (0, 0)),
        (Spans((5, 15), (5.1, 15.1)), (0, 0)),  # another clock
        (Spans((0, 10), (0.3, 10.3)), (0.2, 0.2)),  # late from the start
        (Spans((0, 12.5), (0.1, 10.1)), (0, -2.5)),  # 30 frames a second written as 24
    ],
)
def test_av_drift_is_what_changes_between_sound_and_picture(output: Spans, drift: tuple[float, float]) -> None:
    assert av_drift(Spans((0, 10), (0.1, 10.1)), output) == pytest.approx(drift)


def test_silence_does_not_drift() -> None:
    assert av_drift(Spans((0, 10), None), Spans((0, 10), (0, 10))) is None


def test_csim_is_the_mean_cosine() -> None:
    e = RNG.normal(size=(7, 16))
    e /= np.linalg.norm(e, axis=1, keepdims=True)
    assert csim(e, e) == pytest.approx(1)
    assert csim(e, -e) == pytest.approx(-1)
    assert csim(e, e[::-1]) == pytest.approx(float(np.mean(similarity(e, e[::-1]))))


def test_dci_of_importances_with_known_answers() -> None:
    assert disentanglement(np.eye(4)) == pytest.approx(1)
    assert completeness(np.eye(4)) == pytest.approx(1)
    assert disentanglement(np.ones((4, 4))) == pytest.approx(0)
    assert completeness(np.ones((4, 4))) == pytest.approx(0)
    # Two dimensions share each factor, none speaks of both: disentangled, half complete.
    split = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    assert disentanglement(split) == pytest.approx(1)
    assert completeness(split) == pytest.approx(0.5)
    assert disentanglement(7 * split[::-1]) == pytest.approx(1)


def test_dci_of_codes_knows_axes_from_a_rotation() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 2, (400, 3))
    codes = factors + rng.normal(0, 0.15, factors.shape)
    straight = dci(codes, factors)
    assert straight.disentanglement > 0.9
    assert straight.informativeness > 0.95
    turned = dci(codes @ np.linalg.qr(rng.normal(size=(3, 3)))[0], factors)
    assert turned.disentanglement < straight.disentanglement - 0.2
    assert dci(codes, factors).importance.tolist() == straight.importance.tolist()


def test_sliced_wasserstein_of_a_shift() -> None:
    """Of two sets a shift d apart: E|<d, u>| over unit vectors u, in three dimensions |d| / 2."""
    a = RNG.normal(size=(500, 3))
    assert sliced_wasserstein(a, a) == 0
    assert sliced_wasserstein(a, a + [4.0, 0, 0], 1500) == pytest.approx(2, rel=0.05)
    assert sliced_wasserstein(a, a[::-1]) == pytest.approx(0, abs=1e-12)
    assert sliced_wasserstein(a, a * 2) == pytest.approx(sliced_wasserstein(a * 2, a))
    assert sliced_wasserstein(a, np.concatenate([a, a])) < 0.01


def test_sliced_wasserstein_agrees_with_scipys_in_one_dimension() -> None:
    from scipy.stats import wasserstein_distance

    a, b = RNG.normal(size=(300, 1)), RNG.exponential(size=(300, 1))
    expected = wasserstein_distance(a[:, 0], b[:, 0])
    assert sliced_wasserstein(a, b, 3) == pytest.approx(expected, rel=1e-6)


def test_warping_error_leaves_out_what_was_hidden() -> None:
    """A square moves over a still texture: what it uncovers cannot be predicted and is not counted."""
    texture = RNG.integers(0, 256, (30, 40, 3), np.uint8).repeat(6, 0).repeat(6, 1)
    square = RNG.integers(0, 256, (10, 10, 3), np.uint8).repeat(6, 0).repeat(6, 1)
    before, after = texture.copy(), texture.copy()
    before[60:120, 60:120], after[60:120, 72:132] = square, square
    found = correspondence(before, after)
    uncovered = np.zeros(before.shape[:2], bool)
    uncovered[66:114, 61:71] = True
    assert (~found.visible[uncovered]).mean() > 0.6
    everywhere = moved_difference(before, after, type(found)(found.backward, np.ones_like(found.visible)))
    assert warping_error((before, after), (before, after))[0] < 0.5 * everywhere
