"""The recipes of adversarial training as programs, at toy size on the CPU: they write, resume and fit together."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.shards_toy import ROOT, run_recipe, write_faces, write_labellers

pytestmark = pytest.mark.slow

SETTINGS = """
[generator]
channels = [8, 8, 8, 8, 8]
d_style = 8
mapping_layers = 1
feature_layer = 5

[discriminator]
channels = [8, 8, 8, 8, 8]

[adversarial]
images = 8
batch = 4

[adversarial.critic]
r1_every = 2
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with faces, labellers, settings and a generator of two steps."""
    folder = tmp_path_factory.mktemp("recipes")
    write_faces(folder / "faces")
    write_labellers(folder / "labellers")
    (folder / "settings.toml").write_text(SETTINGS)
    run_recipe("train_generator", *paths(folder), "--labellers", folder / "labellers", "--figures", 12)
    return folder


def paths(folder: Path, out: str = "generator") -> list[str | Path]:
    return ["--settings", folder / "settings.toml", "--data", folder / "faces", "--out", folder / out]


def log_of(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_the_generator_recipe_writes_checkpoints_a_sheet_and_figures(trained: Path) -> None:
    run = trained / "generator"
    saved = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    assert saved["seen"] == 8
    assert all(v.dtype == torch.float16 for v in saved["generator"].values() if v.is_floating_point() and v.ndim)
    assert (run / "samples-00000008.png").stat().st_size > 1000
    assert (run / "state.json").exists()
    assert (run / "portable.json").exists()
    (line,) = log_of(run)
    assert line["seen"] == 8
    assert line["images_per_second"] > 0
    assert line["frechet_squeeze"] > 0
    assert 0 <= line["coverage"] <= 1


def test_the_generator_recipe_resumes_and_figures_without_a_network_are_null(trained: Path, tmp_path: Path) -> None:
    short = [*paths(trained)[:4], "--out", tmp_path / "run", "--part-mib", 1]
    run_recipe("train_generator", *short, "--images", 4)
    said = run_recipe("train_generator", *short, "--images", 8)
    assert "resumed at 4 images" in said
    first, second = log_of(tmp_path / "run")
    assert (first["seen"], second["seen"]) == (4, 8)
    assert second["frechet_squeeze"] is None
    whole, pieces = (
        torch.load(f / "checkpoint.pt", map_location="cpu", weights_only=True)["generator"]
        for f in (trained / "generator", tmp_path / "run")
    )
    assert all(torch.equal(whole[k], pieces[k]) for k in whole)


def test_training_needs_only_what_a_plain_gpu_machine_has() -> None:
    """No video, detection, pack or metric libraries: they may be absent where the GPU is."""
    absent = ("av", "facenet_pytorch", "lpips", "safetensors", "skimage", "typer", "rich")
    code = f"import sys; sys.modules.update(dict.fromkeys({absent}));" + "".join(
        f"import pipelines.{name};" for name in ("train_generator",)
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=100)
