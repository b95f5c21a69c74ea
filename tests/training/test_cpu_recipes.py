"""The recipes of a pack that a CPU can train, as programs at toy size: they write, resume, follow each other."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pipelines.train_autoencoder import read_networks
from pipelines.train_students import RECIPES
from tests.toy import ENCODER, GENERATOR
from tests.training.shards_toy import run_recipe, write_faces, write_labellers
from tests.training.test_fit_recipes import table
from vidinv.training import autoencoder, checkpoints, shards
from vidinv.training.autoencoder import AutoencoderOptions
from vidinv.training.distil import NETS
from vidinv.training.scores import ACCESSORIES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with faces and all their labels, labellers and settings."""
    folder = tmp_path_factory.mktemp("recipes")
    labels, rng = shards.read_labels(write_faces(folder / "faces", 32)), np.random.default_rng(0)
    identity = rng.normal(size=(32, 128))
    labels |= {
        "expression": np.eye(7)[rng.integers(0, 2, 32)],
        "identity": identity / np.linalg.norm(identity, axis=1, keepdims=True),
        "age": np.linspace(10, 70, 32),
        **{name: np.linspace(0, 1, 32) for name in ACCESSORIES},
    }
    labels["expression"][3::8] = np.eye(7)[1]  # both kinds among those that are validated with
    shards.write_labels(folder / "faces", labels)
    write_labellers(folder / "labellers")
    loop = dataclasses.asdict(AutoencoderOptions(images=16, batch=4))
    tables = {"generator": dataclasses.asdict(GENERATOR), "encoder": dataclasses.asdict(ENCODER), "autoencoder": loop}
    (folder / "settings.toml").write_text("".join(table(k, v) for k, v in tables.items()))
    return folder


def train(data: Path, out: Path, *more: str | Path) -> str:
    where = ["--data", data / "faces", "--labellers", data / "labellers", "--settings", data / "settings.toml"]
    return run_recipe("train_autoencoder", *where, "--out", out, *more, device=())


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_the_autoencoder_writes_what_others_read_and_a_run_without_time_goes_on_later(
    data: Path, tmp_path: Path
) -> None:
    train(data, tmp_path / "run")
    train(data, tmp_path / "cut", "--minutes", "0.0001")  # no time for a step
    assert not (tmp_path / "cut" / "checkpoint.pt").exists()
    train(data, tmp_path / "cut", "--checkpoint", "0")
    saved, other = (checkpoints.read_weights(tmp_path / name) for name in ("run", "cut"))
    assert saved.keys() == {"generator", "encoder", "seen", "before", "recipe"}
    assert (saved["seen"], saved["before"]) == (16, 0)
    assert same(saved["generator"], other["generator"])  # checkpoints change nothing
    assert [p.name for p in sorted((tmp_path / "run").glob("sheet-*.png"))] == ["sheet-0000016.png"]
    (line,) = (json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines())
    assert line["seen"] == 16
    assert {"l1", "lpips", "pull", "identity", "psnr", "val_lpips_w", "images_per_second"} <= line.keys()
    settings = {"generator": dataclasses.asdict(GENERATOR), "encoder": dataclasses.asdict(ENCODER)}
    generator, encoder = read_networks(settings, tmp_path / "run")
    assert generator(*encoder(torch.zeros(1, 3, 64, 64))).shape == (1, 3, 64, 64)
    assert "resumed at 16 images" in train(data, tmp_path / "run", "--images", 20)
    assert checkpoints.read(tmp_path / "run", "state")["seen"] == 20


def test_the_autoencoder_begins_with_or_goes_on_from_a_checkpoint_of_before(data: Path, tmp_path: Path) -> None:
    """One file once held the whole state of a run, in float32."""
    state = autoencoder.start(GENERATOR, ENCODER, AutoencoderOptions(seed=3))
    state.seen, state.before = 8, 100
    old = {k: getattr(state, k).state_dict() for k in ("generator", "encoder", "optimiser")}
    (tmp_path / "old").mkdir()
    torch.save(old | {"seen": 8, "before": 100, "recipe": state.recipe}, tmp_path / "old" / "checkpoint.pt")
    train(data, tmp_path / "new", "--start", tmp_path / "old", "--images", 4)
    saved = checkpoints.read_weights(tmp_path / "new")
    assert (saved["seen"], saved["before"]) == (4, 108)
    assert "resumed at 8 images" in train(data, tmp_path / "old", "--images", 12)
    saved = checkpoints.read_weights(tmp_path / "old")
    assert (saved["seen"], saved["before"]) == (12, 100)


def test_students_leave_their_weights_and_figures_and_resume(data: Path, tmp_path: Path) -> None:
    how = ["--data", data / "faces", "--out", tmp_path, "--threads", 1]
    cpu = ("--device", "cpu")
    assert "identity: 0 of 96" in run_recipe("train_students", *how, "--images", 96, device=cpu)
    said = run_recipe("train_students", *how, "--images", 192, "--only", "identity,visibility", device=cpu)
    assert "identity: 96 of 192" in said
    assert "visibility: 96 of 192" in said
    told = json.loads((tmp_path / "students.json").read_text())
    assert {name: student["images_seen"] for name, student in told.items()} == {
        "identity": 192,
        "attributes": 96,
        "landmarks": 96,
        "visibility": 192,
    }
    for name, (config, _) in RECIPES.items():
        assert told[name]["agreement"]
        assert (
            type(config)(**{k: tuple(v) if isinstance(v, list) else v for k, v in told[name]["config"].items()})
            == config
        )
        NETS[type(config)](config).load_state_dict(load_file(tmp_path / f"{name}.safetensors"))
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["student"], line["seen"]) for line in lines][-2:] == [("identity", 192), ("visibility", 192)]
    assert {p.name for p in tmp_path.glob("*.png")} == {"landmarks.png", "visibility.png"}
