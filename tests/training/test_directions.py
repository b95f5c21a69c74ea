"""Directions: what was put into the codes is found again, and refining reaches its target."""

from __future__ import annotations

import numpy as np
import torch

from tests.toy import ENCODER, GENERATOR
from tests.training.teachers_toy import toy_teachers
from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.generator import Generator
from vidinv.training import card, directions, losses


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
    }


def test_fitting_finds_the_pattern_of_each_attribute_and_keeps_them_apart() -> None:
    made = labels(3000)
    named = directions.scores(made)
    rng = np.random.default_rng(1)
    patterns = {a: rng.normal(size=(4, 6)) for a in directions.ATTRIBUTES}
    codes = sum(((named[a] - named[a].mean()) / named[a].std())[:, None, None] * p for a, p in patterns.items())
    codes = codes + 2 * ((made["skin"] - 130) / 50)[:, None, None] * rng.normal(size=(4, 6))
    codes = torch.from_numpy(codes + 0.1 * rng.normal(size=codes.shape)).float()
    found = directions.fit(codes, made, np.full(3000, 1 / 3000))
    for name, pattern in patterns.items():
        assert np.abs(found[name].numpy() - pattern).max() < 0.1


def test_attribute_grids_look_where_the_labeller_looks() -> None:
    points = labels(1)["points68"]
    grid = directions.attribute_grids(points, 64)
    low, high = points[0].min(0), points[0].max(0)
    side = 0.95 * max((high - low)[0] / 0.842, (high - low)[1] / 0.759)
    x = (grid[0, 0, 0].item() * 1 + grid[0, 0, 2].item() + 1) * 32 - 0.5  # the view's right edge in crop pixels
    assert abs(x - ((low + high)[0] / 2 - 0.493 * side + side - 0.5 * side / 112)) < 0.5


def test_refining_moves_the_attribute_the_way_it_was_asked_to() -> None:
    torch.manual_seed(0)
    generator, encoder = (n.eval().requires_grad_(False) for n in (Generator(GENERATOR), FeatureStyleEncoder(ENCODER)))
    made, nets = labels(16), toy_teachers()
    judge = directions.Judge(nets, dict.fromkeys(directions.ATTRIBUTES, 1.0))
    x = torch.randn(16, 3, 64, 64).clamp(-1, 1)
    faces = card.encode_faces(
        encoder,
        x,
        made["points68"],
        losses.identity_grids(nets, made["points68"], 64),
        directions.attribute_grids(made["points68"], 64),
    )
    codes = torch.randn(200, *faces.w.shape[1:])
    options = directions.RefineOptions(steps=30, batch=8, rate=0.1, components=16, leak=0.1, identity=0.0)
    step = directions.refine(
        "age",
        0.01 * codes[0],
        codes,
        lambda n: card.subset(faces, np.arange(n)),
        generator,
        judge,
        0.5,
        options,
        lambda i, figures: None,
    )
    got = card.effect("age", step, 1.0, generator, faces, judge, None)
    assert got.change["age"] > 0.1
