"""Hyperplanes that tell attributes apart, and DCI by lasso, on codes of which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from vidinv.errors import InputError
from vidinv.metrics.disentanglement import dci_lasso
from vidinv.metrics.separability import Hyperplanes, fit_hyperplanes

RNG = np.random.default_rng(0)
pytest.importorskip("sklearn")


def test_outputs_and_accuracies_are_of_the_given_planes() -> None:
    planes = Hyperplanes(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0.0, -1.0]))
    codes = np.array([[1.0, 1.0], [-1.0, 0.0], [2.0, 0.0]])
    assert planes.outputs(codes).tolist() == [[1, 1], [-1, -1], [2, -1]]
    truth = np.array([[1, 1], [1, -1], [1, 0]])
    assert planes.accuracies(codes, truth) == pytest.approx([2 / 3, 1])  # of the second, two are known


def test_a_plane_is_found_whatever_the_codes_are_turned_by() -> None:
    codes = RNG.normal(size=(400, 6))
    truth = np.where(codes[:, :2] > 0, 1, -1)
    truth[:50, 0] = 0
    turn = np.linalg.qr(RNG.normal(size=(6, 6)))[0]
    straight = fit_hyperplanes(codes, truth, 1.0)
    turned = fit_hyperplanes(codes @ turn, truth, 1.0)
    unseen = RNG.normal(size=(300, 6))
    assert straight.accuracies(unseen, np.where(unseen[:, :2] > 0, 1, -1)).min() > 0.95
    assert np.allclose(straight.outputs(unseen), turned.outputs(unseen @ turn), atol=1e-2)


def test_a_curved_border_is_not_told_apart() -> None:
    codes = RNG.normal(size=(400, 2))
    truth = np.where((codes**2).sum(1) > 1.4, 1, -1)[:, None]
    assert fit_hyperplanes(codes, truth, 1.0).accuracies(codes, truth)[0] < 0.7


def test_an_attribute_that_all_have_is_refused() -> None:
    with pytest.raises(InputError, match="attribute 1 of 2: all or none of 9 faces"):
        fit_hyperplanes(RNG.normal(size=(9, 3)), np.column_stack([np.sign(np.arange(9) - 4.5), np.ones(9)]))


def test_dci_by_lasso_knows_axes_from_a_rotation() -> None:
    factors = RNG.choice([-1.0, 1.0], (600, 3))
    codes = factors + RNG.normal(0, 0.2, factors.shape)
    parts = codes[:400], factors[:400], codes[400:], factors[400:]
    straight = dci_lasso(*parts)
    assert straight.disentanglement > 0.9
    assert straight.completeness > 0.9
    assert straight.informativeness < 0.3
    turn = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    turned = dci_lasso(parts[0] @ turn, parts[1], parts[2] @ turn, parts[3])
    assert turned.disentanglement < straight.disentanglement - 0.2


def test_codes_that_say_nothing_miss_as_the_mean_does() -> None:
    factors = RNG.choice([-1.0, 1.0], (300, 2))
    codes = RNG.normal(size=(300, 4))
    codes[:, 0] = 7.0  # and a number that never differs is no trouble
    found = dci_lasso(codes[:200], factors[:200], codes[200:], factors[200:], alpha=0.3)
    assert found.informativeness == pytest.approx(1, abs=0.05)
