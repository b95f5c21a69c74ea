"""Training of the latent flow at toy size: what each loss asks for, what stays, exact resumption."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.test_inversion import same
from vidinv.models.latent_flow import LatentFlowConfig
from vidinv.training import checkpoints, unfolding
from vidinv.training.attribute_codes import AttributeCodes, read_attribute_codes, truth_of
from vidinv.training.unfolding import UnfoldingOptions, UnfoldingState

pytestmark = pytest.mark.usefixtures("one_thread")
pytest.importorskip("sklearn")

CONFIG = LatentFlowConfig(("age", "smile", "gender"), layers=2, d_style=6, couplings=2, hidden=8)
OPTIONS = UnfoldingOptions(images=4000, batch=32, rate=1e-2, edited=16, c=0.1)


def faces(count: int = 400, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes, and attributes of which the first has a bent border."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(count, 2, 6))
    a, b, c = (w.reshape(count, -1)[:, i] for i in range(3))
    truth = np.where(np.stack([a + 1.5 * b**2 - 1, b + 0.6 * a, c + 0.6 * b], 1) > 0, 1, -1)
    truth[::9, 2] = 0
    return torch.from_numpy(w).float(), torch.from_numpy(truth).float()


def begin(options: UnfoldingOptions = OPTIONS) -> UnfoldingState:
    w, truth = faces()
    return unfolding.start(w, truth.numpy(), CONFIG, options)


def run(state: UnfoldingState, steps: int, options: UnfoldingOptions = OPTIONS) -> list[dict[str, float]]:
    w, truth = faces()
    return [{k: float(v) for k, v in unfolding.step(state, w, truth, options).items()} for _ in range(steps)]


def only(name: str) -> UnfoldingOptions:
    weights = dict.fromkeys(("classification", "large_margin", "preservation"), 0.0) | {name: 1.0}
    return dataclasses.replace(OPTIONS, **weights)


@pytest.mark.parametrize("name", ["classification", "large_margin", "preservation"])
def test_each_loss_falls_where_it_alone_is_asked_for(name: str) -> None:
    history = run(begin(only(name)), 60, only(name))
    first, last = (np.mean([h[name] for h in part]) for part in (history[:10], history[-10:]))
    assert last < 0.85 * first


def test_the_separation_losses_are_their_formulas() -> None:
    outputs, y = torch.tensor([[0.5, -3.0], [1.5, 9.0]]), torch.tensor([[1.0, -1.0], [-1.0, 0.0]])
    found = unfolding.separation(outputs, y, 2.0)
    right = np.array([0.5, 3.0, -1.5])  # the fourth is not known
    assert float(found["classification"]) == pytest.approx(np.log1p(np.exp(-right)).mean(), rel=1e-5)
    assert float(found["large_margin"]) == pytest.approx(np.maximum(2 - right, 0).mean(), rel=1e-5)


def test_preservation_is_what_the_others_move_by() -> None:
    """Before training W* is W+, where it is known in closed form; and its gradient is that of finite differences."""
    state, (w, _) = begin(), faces(4)
    attribute, amount = torch.tensor([0, 1, 2, 0]), torch.tensor([1.0, -2.0, 0.5, 3.0])
    found = unfolding.preservation(state, w, state.flow(w), attribute, amount)
    unit = torch.nn.functional.normalize(state.classifiers.weights, dim=1)
    shares = state.classifiers.weights @ (unit / state.classifiers.weights.norm(dim=1, keepdim=True)).T
    moved = torch.stack([shares[:, k] * a for k, a in zip(attribute, amount, strict=True)])
    expected = sum(float(moved[i, j] ** 2) for i in range(4) for j in range(3) if j != attribute[i]) / 8
    assert float(found.detach()) == pytest.approx(expected, rel=1e-3)

    run(state, 5)
    flow = state.flow.double()
    state.classifiers = unfolding.Classifiers(
        *(x.double() for x in (state.classifiers.weights, state.classifiers.biases))
    )
    bias = flow.couplings[0].translate[-1].bias

    def loss() -> torch.Tensor:
        return unfolding.preservation(state, w, flow(w).double(), attribute, amount)

    flow.zero_grad()
    loss().backward()
    slope, small = float(bias.grad[0]), 1e-2
    with torch.no_grad():
        ends = []
        for sign in (1, -1):
            bias[0] += sign * small
            ends.append(float(loss()))
            bias[0] -= sign * small
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * small), rel=0.05, abs=1e-5)


def test_the_classifiers_and_their_normals_stay() -> None:
    state = begin()
    before = [x.clone() for x in (state.classifiers.weights, state.classifiers.biases, state.flow.normals)]
    run(state, 10)
    after = (state.classifiers.weights, state.classifiers.biases, state.flow.normals)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert state.flow.normals.norm(dim=1).tolist() == pytest.approx([1, 1, 1], abs=1e-5)


def test_a_bent_border_is_unfolded_and_the_way_back_stays_exact() -> None:
    options = dataclasses.replace(only("classification"), decay=0.0, images=10**6)
    state, (w, truth) = begin(options), faces(seed=5)
    plus, star = unfolding.accuracies(state, w, truth.numpy())
    assert star.tolist() == pytest.approx(plus.tolist())
    run(state, 150, options)
    plus, star = unfolding.accuracies(state, w, truth.numpy())
    assert star[0] > plus[0] + 0.05
    assert (state.flow.inverse(state.flow(w)) - w).abs().max() < 1e-4


def test_edits_in_w_star_learn_to_leave_the_others() -> None:
    state, (w, _) = begin(only("preservation")), faces(40, seed=5)
    assert unfolding.leak(state, w)[0] == pytest.approx(unfolding.leak(state, w)[1], rel=1e-3)
    run(state, 100, only("preservation"))
    plus, star = unfolding.leak(state, w)
    assert star < 0.8 * plus


def test_four_steps_are_two_steps_a_checkpoint_and_two_more(tmp_path: Path) -> None:
    whole, first = begin(), begin()
    run(whole, 4)
    run(first, 2)
    checkpoints.write(tmp_path, "state", first.to_dict(), 1)
    second = begin(dataclasses.replace(OPTIONS, seed=9))
    second.from_dict(checkpoints.read(tmp_path, "state"))
    run(second, 2)
    assert same(whole.to_dict(), second.to_dict())


def test_attributes_are_cut_at_even_odds_or_at_the_median_of_the_training_faces() -> None:
    labels = {
        "age": np.array([10.0, 20, 30, 90, 99]),
        "expression": np.eye(7)[[0, 1, 1, 0, 0]],
        "male": np.array([0.1, 0.6, 0.9, 0.4, 0.5]),
        "points68": np.random.default_rng(0).uniform(10, 50, (5, 68, 2)),
        "hair": np.array([20.0, np.nan, 40, 60, 10]),
    }
    train = np.array([True, True, True, False, False])
    truth, cuts = truth_of(labels, ("age", "smile", "gender", "hair"), train)
    assert cuts.tolist() == [20, 0, 0, 30]
    assert truth.T.tolist() == [[-1, -1, 1, 1, 1], [-1, 1, 1, -1, -1], [-1, 1, 1, -1, -1], [-1, 0, 1, 1, -1]]


def test_codes_are_kept_whole_and_parts_do_not_overlap(tmp_path: Path) -> None:
    assert read_attribute_codes(tmp_path) is None
    val = np.arange(50) % 5 == 0
    codes = AttributeCodes(("age",), np.ones((50, 2, 6), np.float16), np.ones((50, 1), np.int8), np.zeros(1), val)
    codes.save(tmp_path)
    again = read_attribute_codes(tmp_path)
    assert again.names == codes.names
    assert np.array_equal(again.w, codes.w)
    rows, tuned, kept = unfolding.parts(again, 0.25)
    assert sorted([*rows, *tuned, *kept]) == list(range(50))
    assert len(tuned) == 10
    assert np.array_equal(kept, np.flatnonzero(val))
