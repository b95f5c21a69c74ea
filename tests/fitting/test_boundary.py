"""Boundaries and components: what was put into codes is found in them again."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from vidinv.errors import InputError, MissingExtra, UsageError
from vidinv.fitting import boundary as svm
from vidinv.fitting.components import following, principal
from vidinv.fitting.fit import Other, by_boundary, by_component, other_by_normal
from vidinv.packs.published.directions import sefa


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def two_kinds(count: int = 80, size: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes whose kinds lie apart along a known direction, away from the origin."""
    random = np.random.default_rng(0)
    direction = random.normal(size=size)
    direction /= np.linalg.norm(direction)
    values = np.arange(count) % 2.0
    codes = random.normal(size=(count, size)) * 0.5 + np.outer(3 * values, direction) + 7
    return codes, values, direction


def test_a_known_direction_is_found_again_and_tells_new_faces_apart() -> None:
    codes, values, direction = two_kinds()
    kinds = svm.kinds_of(values)
    held = svm.held_out(kinds)
    found = svm.boundary(codes[~held], kinds[~held])
    assert np.linalg.norm(found.normal) == pytest.approx(1)
    assert cosine(found.normal, direction) > 0.9
    assert svm.accuracy(found.distances(codes[held]), kinds[held]) == 1
    assert svm.accuracy(-found.distances(codes[held]), kinds[held]) == 0


def test_the_boundary_stays_where_it_is_with_four_of_one_kind_to_one() -> None:
    codes, values, direction = two_kinds(400)
    few = np.flatnonzero((values == 0) | (np.arange(400) % 8 == 1))
    found = svm.boundary(codes[few], svm.kinds_of(values)[few])
    middle = (codes[values == 1].mean(0) + codes[values == 0].mean(0)) / 2
    assert cosine(found.normal, direction) > 0.9
    assert abs(found.distances(middle[None])[0]) < 0.5, "the rarer kind is not given up"


def test_of_penalties_that_tell_as_much_the_softest_is_taken() -> None:
    """Along it the kinds lie farther apart than across a hard margin, at the same accuracy."""
    random = np.random.default_rng(5)
    kinds = np.arange(60) % 2 * 2 - 1
    codes = random.normal(size=(60, 400)) * np.linspace(3, 0.3, 400)
    codes[:, 0] += 6 * kinds
    between = codes[kinds == 1].mean(0) - codes[kinds == -1].mean(0)
    assert cosine(svm.boundary(codes, kinds).normal, between) > 0.95


def test_a_conditional_direction_is_orthogonal_to_all_others() -> None:
    random = np.random.default_rng(1)
    normal, *others = random.normal(size=(4, 30))
    normal /= np.linalg.norm(normal)
    others[1] = others[0] + 0.1 * others[1]  # nearly the same one twice
    rest = svm.conditional(normal, others)
    assert np.linalg.norm(rest) == pytest.approx(1)
    assert all(abs(cosine(rest, other)) < 1e-9 for other in others)
    assert cosine(rest, normal) > 0.8
    with pytest.raises(UsageError, match="nothing is left"):
        svm.conditional(normal, [normal * 3])


def test_of_numbers_the_outer_thirds_are_the_kinds() -> None:
    kinds = svm.kinds_of(np.arange(90.0))
    assert [int((kinds == k).sum()) for k in (-1, 0, 1)] == [30, 30, 30]
    assert kinds[0] == -1
    assert kinds[-1] == 1
    assert svm.kinds_of(np.array([0.0, 1, 1])).tolist() == [-1, 1, 1]
    with pytest.raises(InputError, match="the same label"):
        svm.kinds_of(np.ones(50))
    with pytest.raises(InputError, match="no two ends"):
        svm.kinds_of(np.array([1.0, *[5.0] * 50, 9.0]))


def test_too_few_of_a_kind_are_refused_with_the_number_that_is_needed() -> None:
    with pytest.raises(InputError, match=r"19 negative pictures can be used, and 20 of either kind"):
        svm.check_counts(np.array([1] * 40 + [-1] * 19))
    svm.check_counts(np.array([1] * 20 + [-1] * 20))


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    codes, values, _ = two_kinds(40)
    with pytest.raises(MissingExtra, match=r"vidinv\[report\]"):
        svm.boundary(codes, svm.kinds_of(values))


@pytest.mark.parametrize("component", [0, 2])
def test_a_component_is_that_of_numpys_singular_values(component: int) -> None:
    codes = np.random.default_rng(2).normal(size=(50, 12)) * np.linspace(3, 1, 12) + 4
    found, share = principal(codes, component)
    covariance = np.cov(codes.T)
    sizes, vectors = np.linalg.eigh(covariance)
    assert abs(cosine(found, vectors[:, -1 - component])) == pytest.approx(1)
    assert share == pytest.approx(sizes[-1 - component] / sizes.sum())
    assert found[np.abs(found).argmax()] > 0
    with pytest.raises(UsageError, match="0 to 48"):
        principal(codes, 49)


def test_one_step_is_one_standard_deviation_and_f_follows_the_labels() -> None:
    codes, values, direction = two_kinds(size=24)
    w = torch.from_numpy(codes).float().unflatten(1, (4, 6))
    pattern = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(0))
    feature = (5 + torch.from_numpy(values * 2 - 1).float().view(-1, 1, 1, 1) * pattern).half()
    held = svm.held_out(svm.kinds_of(values))
    found = by_boundary(w, feature, values, {}, held)
    step = found.displacement.w.flatten().double().numpy()
    train = codes[~held]
    assert np.linalg.norm(step) == pytest.approx((train @ step / np.linalg.norm(step)).std(), rel=1e-4)
    assert cosine(step, direction) > 0.9
    assert torch.allclose(found.displacement.feature, pattern, atol=0.01)
    assert found.made["accuracy"] == 1
    assert by_boundary(w, None, values, {}, held).displacement.feature is None


def test_what_it_is_held_against_stays_in_styles_and_in_f() -> None:
    """Somebody's glasses and age come together; F shows both."""
    random = np.random.default_rng(3)
    glasses = np.arange(120) % 2.0
    age = glasses + random.normal(size=120)
    a, b = np.linalg.qr(random.normal(size=(20, 2)))[0].T
    codes = np.outer(glasses, a) * 3 + np.outer(age, b) * 2 + random.normal(size=(120, 20)) * 0.3
    w = torch.from_numpy(codes).float().unflatten(1, (4, 5))
    one, two = torch.eye(2).view(2, 2, 1, 1)
    feature = torch.from_numpy(glasses * 2 - 1).view(-1, 1, 1, 1) * one + torch.from_numpy(age).view(-1, 1, 1, 1) * two
    held = svm.held_out(svm.kinds_of(glasses))
    other = other_by_normal(w, torch.from_numpy(b).view(4, 5))
    plain = by_boundary(w, feature, glasses, {}, held).displacement
    found = by_boundary(w, feature, glasses, {"age": Other(other.normal, age)}, held).displacement
    assert abs(float(found.w.flatten().double() @ torch.from_numpy(b))) < 1e-5
    assert abs(found.feature[1].item()) < 0.01 < 0.3 < abs(plain.feature[1].item())
    assert found.feature[0].item() == pytest.approx(1, abs=0.01)


def test_of_numbers_the_rank_correlation_is_told() -> None:
    codes, _, direction = two_kinds(size=24)
    values = codes @ direction
    w = torch.from_numpy(codes).float().unflatten(1, (4, 6))
    found = by_boundary(w, None, values, {}, svm.held_out(svm.kinds_of(values)))
    assert found.made["rank_correlation"] > 0.8
    assert found.made["between"] > 0


def test_a_component_of_some_styles_moves_these_alone() -> None:
    w = torch.randn(40, 5, 4, generator=torch.Generator().manual_seed(0))
    found = by_component(w, None, 0, range(1, 3))
    moved = found.displacement.w.abs().sum(1) > 0
    assert moved.tolist() == [False, True, True, False, False]
    projections = w.flatten(1) @ found.normal.flatten()
    assert found.displacement.w.norm().item() == pytest.approx(projections.std(correction=0).item(), rel=1e-4)
    with pytest.raises(InputError, match="20 are needed"):
        by_component(w[:19], None, 0, None)


def test_f_follows_one_score_with_the_others_held_fixed() -> None:
    random = np.random.default_rng(4)
    scores = random.normal(size=(70, 3))
    truth = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    feature = torch.tensordot(torch.from_numpy(scores).float(), truth, 1) + 3
    assert torch.allclose(following(feature, scores), truth[0], atol=1e-4)


def test_sefa_of_some_styles_looks_at_their_weights_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    state = {f"convs.{i}.conv.modulation.weight": torch.randn(6, 8, generator=generator) for i in range(4)}
    found = sefa(state, 2, 5, range(1, 3))["sefa-1"].displacement
    weights = torch.cat([state[f"convs.{i}.conv.modulation.weight"] for i in (1, 2)])
    _, _, vectors = torch.linalg.svd(weights)
    assert abs(float(found[1] @ vectors[1])) == pytest.approx(1, abs=1e-5)
    assert (found.abs().sum(1) > 0).tolist() == [False, True, True, False, False]
    with pytest.raises(UsageError, match="no convolution takes the styles 4-4"):
        sefa(state, 2, 5, range(4, 5))
