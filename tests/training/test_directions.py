"""Directions: what was put into the codes is found again in both parts, and steps get the length asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.toy import ENCODER, GENERATOR
from tests.training.teachers_toy import toy_teachers
from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.generator import Generator
from vidinv.training import card, directions, losses
from vidinv.training.labelling import Labelling, attribute_grids
from vidinv.training.scores import ATTRIBUTES, SCORES, SHAPES, scores, shapes
from vidinv.types import Displacement


def labels(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    expression = rng.dirichlet(np.ones(7), count)
    return {
        "age": rng.uniform(5, 80, count),
        "male": rng.uniform(0.05, 0.95, count),
        "expression": expression,
        "points68": rng.uniform(16, 48, (count, 68, 2)),
        "skin": rng.uniform(40, 220, count),
        "side": rng.uniform(90, 300, count),
        "set": np.array(["a", "b"])[rng.integers(0, 2, count)],
        "val": np.zeros(count, bool),
        "colour": rng.uniform(0, 255, (count, 12)),
    }


def test_fitting_finds_the_pattern_of_each_score_in_styles_and_features_and_keeps_them_apart() -> None:
    made = labels(3000)
    named = scores(made)
    rng = np.random.default_rng(1)

    def codes(shape: tuple[int, ...]) -> tuple[dict[str, np.ndarray], torch.Tensor]:
        patterns = {a: rng.normal(size=shape) for a in ATTRIBUTES}
        x = sum(np.multiply.outer((named[a] - named[a].mean()) / named[a].std(), p) for a, p in patterns.items())
        x = x + 2 * np.multiply.outer((made["skin"] - 130) / 50, rng.normal(size=shape))
        return patterns, torch.from_numpy(x + 0.1 * rng.normal(size=x.shape)).float()

    (in_w, w), (in_f, f) = codes((4, 6)), codes((3, 2, 2))
    found = directions.fit(lambda rows: (w[rows], f[rows]), made, np.full(3000, 1 / 3000), ATTRIBUTES)
    assert torch.allclose(found.mean_latent, w.mean(0), atol=1e-4)
    for name in ATTRIBUTES:
        assert np.abs(found.patterns[name].w.numpy() - in_w[name]).max() < 0.1
        assert np.abs(found.patterns[name].feature.numpy() - in_f[name]).max() < 0.1


def test_shapes_follow_the_landmarks_and_not_the_size_of_the_picture() -> None:
    points = np.zeros((1, 68, 2))
    for first, x in ((36, 20.0), (42, 60.0)):
        points[0, first : first + 6] = [[x, 30], [x + 4, 28], [x + 8, 28], [x + 12, 30], [x + 8, 32], [x + 4, 32]]
    points[0, 27], points[0, 30], points[0, 8] = [50, 30], [56, 50], [50, 80]
    for top, bottom in ((61, 67), (62, 66), (63, 65)):
        points[0, top], points[0, bottom] = (46, 70), (46, 80)
    expected = {"mouth": 10 / 40, "eyes": 8 / 24, "yaw": 10 / 40, "pitch": 20 / 50}
    for scale in (1.0, 3.7):
        assert {k: float(v[0]) for k, v in shapes(scale * points + 5).items()} == pytest.approx(expected)


def test_attribute_grids_look_where_the_labeller_looks() -> None:
    points = labels(1)["points68"]
    grid = attribute_grids(points, 64)
    low, high = points[0].min(0), points[0].max(0)
    side = 0.95 * max((high - low)[0] / 0.842, (high - low)[1] / 0.759)
    x = (grid[0, 0, 0].item() * 1 + grid[0, 0, 2].item() + 1) * 32 - 0.5  # the view's right edge in crop pixels
    assert abs(x - ((low + high)[0] / 2 - 0.493 * side + side - 0.5 * side / 112)) < 0.5


def test_untangled_patterns_leave_the_other_scores_where_they_are() -> None:
    """Scores that are linear in the displacement, and patterns that mix them."""
    rng = np.random.default_rng(2)
    names = (*ATTRIBUTES, "mouth")
    reads = dict(zip(SCORES, torch.from_numpy(rng.normal(size=(len(SCORES), 8, 5))).float(), strict=True))
    patterns = {n: Displacement(reads[n] + 0.4 * torch.randn(8, 5), torch.zeros(1)) for n in names}

    def responses(of: dict[str, Displacement]) -> dict[str, dict[str, float]]:
        return {n: {k: float((r * p.w).sum()) for k, r in reads.items()} for n, p in of.items()}

    for name, moved in responses(directions.untangled(patterns, responses(patterns))).items():
        assert moved[name] > 10
        assert all(abs(moved[a]) < 1e-3 for a in ATTRIBUTES if a != name)


def test_a_step_gets_the_length_that_reaches_its_target_and_none_beyond_the_longest() -> None:
    def linear(slope: float):
        return lambda lengths: [slope * s for s in lengths]

    assert directions.calibrate(linear(3), 6.0, 8.0) == pytest.approx(2)
    assert directions.calibrate(linear(3), 0.5, 8.0) == pytest.approx(1 / 6)
    assert directions.calibrate(linear(0.1), 6.0, 8.0) == 8.0
    assert directions.calibrate(lambda lengths: [np.tanh(s - 3) + 1 for s in lengths], 1.0, 8.0) == pytest.approx(3)


def test_an_edits_effect_is_measured_through_both_parts_of_its_displacement() -> None:
    torch.manual_seed(0)
    generator, encoder = (n.eval().requires_grad_(False) for n in (Generator(GENERATOR), FeatureStyleEncoder(ENCODER)))
    made, nets = labels(16), toy_teachers()
    labelling = Labelling(nets, dict.fromkeys(ATTRIBUTES + SHAPES, 1.0))
    x = torch.randn(16, 3, 64, 64).clamp(-1, 1)
    grids = losses.identity_grids(nets, made["points68"], 64), attribute_grids(made["points68"], 64)
    faces = card.encode_faces(encoder, x, made["points68"], *grids)
    step = Displacement(torch.randn(generator.config.layers, 16), torch.randn(generator.config.feature_shape))
    without = Displacement(torch.zeros_like(step.w), torch.zeros_like(step.feature))
    parts = [without, Displacement(step.w), Displacement(without.w, step.feature), step]
    changes = [
        card.effects("age", card.along(p), [1.0], generator, faces, labelling, None)[0].change["age"] for p in parts
    ]
    assert abs(changes[0]) < 1e-6
    assert len({round(c, 6) for c in changes}) == 4
