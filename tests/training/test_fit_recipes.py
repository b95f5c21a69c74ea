"""fit_directions and make_pack as programs: all edits of the settings, or some of them beside what is there."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pipelines import fit_directions, make_pack
from tests.toy import ATTRIBUTES, ENCODER, GENERATOR, IDENTITY, LANDMARKS
from tests.training.shards_toy import write_faces
from tests.training.teachers_toy import toy_teachers
from vidinv.errors import InputError
from vidinv.models.attributes import AttributeNet
from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.generator import Generator
from vidinv.models.identity import IdentityNet
from vidinv.models.landmarks import LandmarkNet
from vidinv.packs.load import load_pack
from vidinv.packs.write import write_tensors
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
    settings += "".join(
        table(f"edits.{name}", {"two_steps": 1.0, "longest": 3.0, "unit": '"sd"', "text": '"more"'}) for name in EDITS
    )
    (tmp_path / "settings.toml").write_text(settings)
    networks = {"generator": Generator(GENERATOR), "encoder": FeatureStyleEncoder(ENCODER)}
    saved = {k: n.state_dict() for k, n in networks.items()} | {"recipe": "Made up", "before": 0, "seen": 7}
    torch.save(saved, tmp_path / "checkpoint.pt")
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


def write_students(folder: Path) -> None:
    networks = {
        "identity": (IDENTITY, IdentityNet(IDENTITY)),
        "attributes": (ATTRIBUTES, AttributeNet(ATTRIBUTES)),
        "landmarks": (LANDMARKS, LandmarkNet(LANDMARKS)),
    }
    for name, (_, network) in networks.items():
        write_tensors(folder / f"{name}.safetensors", network.state_dict())
    described = {name: {"config": asdict(config), "agreement": {}} for name, (config, _) in networks.items()}
    (folder / "students.json").write_text(json.dumps(described))


def test_a_pack_holds_the_edits_that_were_fitted_and_can_have_one_measured_anew(
    fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    students, out = tmp_path / "students", tmp_path / "packs" / "made"
    students.mkdir()
    write_students(students)
    manifest = {"per_set": {"drawn": 80}, "kept": 80, "pictures": 80, "validation": 20}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    def make(*arguments: str) -> dict:
        where = ["--data", tmp_path, "--labellers", "-", "--run", tmp_path, "--settings", tmp_path / "settings.toml"]
        where += ["--students", students, "--out", out]
        monkeypatch.setattr(sys, "argv", ["-", *map(str, where), *arguments])
        make_pack.main()
        return json.loads((out / "card.json").read_text())["figures"]["edits"]

    fit("--only", "age,pitch")
    first, before = make(), load_pack(out).directions
    assert set(first) == set(before) == {"age", "pitch"}
    fit("--only", "mouth,pitch", "--faces", "40")
    second = make("--only", "mouth")
    assert set(second) == set(load_pack(out).spec.edits) == {"age", "pitch", "mouth"}
    assert second["age"] == first["age"]
    # Fitted anew, but not asked for: step and figures stay together.
    assert second["pitch"] == first["pitch"]
    assert torch.equal(load_pack(out).directions["pitch"].w, before["pitch"].w)
    assert all(f"## Edit: {name}" in (out / "card.md").read_text() for name in second)
