"""fit_directions as a program: all edits of the settings, or some of them beside what is there."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pipelines import fit_directions
from tests.toy import ENCODER, GENERATOR
from tests.training.shards_toy import write_faces
from tests.training.teachers_toy import toy_teachers
from vidinv.errors import InputError
from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.generator import Generator
from vidinv.training import shards, teachers

EDITS = ("age", "mouth", "pitch", "beard")


def table(name: str, values: dict) -> str:
    lines = [f"{k} = {list(v) if isinstance(v, tuple) else v}" for k, v in values.items()]
    return "\n".join([f"[{name}]", *lines, ""])


@pytest.fixture
def fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None):
    """The recipe over toy networks and drawn faces, which have no labels of accessories."""
    torch.manual_seed(0)
    settings = table("generator", asdict(GENERATOR)) + table("encoder", asdict(ENCODER))
    settings += "".join(table(f"edits.{name}", {"two_steps": 1.0, "longest": 3.0}) for name in EDITS)
    (tmp_path / "settings.toml").write_text(settings)
    networks = {"generator": Generator(GENERATOR), "encoder": FeatureStyleEncoder(ENCODER)}
    torch.save({k: n.state_dict() for k, n in networks.items()}, tmp_path / "checkpoint.pt")
    labels, rng = shards.read_labels(write_faces(tmp_path, 80)), np.random.default_rng(0)
    labels |= {"expression": np.eye(7)[rng.integers(0, 2, 80)] * 0.9 + 0.01, "side": rng.uniform(90, 300, 80)}
    shards.write_labels(tmp_path, labels | {"set": np.full(80, "drawn")})
    nets = toy_teachers()
    monkeypatch.setattr(teachers, "load_teachers", lambda _: nets)

    def run(*arguments: str) -> dict[str, torch.Tensor]:
        where = ["--data", tmp_path, "--labellers", "-", "--run", tmp_path, "--settings", tmp_path / "settings.toml"]
        monkeypatch.setattr(sys, "argv", ["-", *map(str, where), "--measured", "4", *arguments])
        fit_directions.main()
        return load_file(tmp_path / "directions.safetensors")

    return run


def test_one_edit_is_fitted_anew_and_the_others_are_kept_as_they_are(fit) -> None:
    first = fit("--only", "age,pitch")
    assert set(first) == {"age", "age.feature", "pitch", "pitch.feature"}
    assert first["pitch"].shape == (GENERATOR.layers, GENERATOR.d_style)
    assert first["pitch.feature"].shape == GENERATOR.feature_shape
    second = fit("--only", "mouth,pitch", "--faces", "40")
    assert set(second) == {*first, "mouth", "mouth.feature"}
    assert torch.equal(second["age"], first["age"])
    assert torch.equal(second["age.feature"], first["age.feature"])
    assert not torch.equal(second["pitch"], first["pitch"])


def test_an_edit_that_cannot_be_fitted_is_refused_before_anything_is_computed(fit) -> None:
    with pytest.raises(InputError, match=r"beard.*label_accessories"):
        fit()
    with pytest.raises(InputError, match="no edit hat; there are age, mouth"):
        fit("--only", "age,hat")
