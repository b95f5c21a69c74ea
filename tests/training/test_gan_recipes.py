"""The recipes of adversarial training as programs, at toy size on the CPU: they write, resume and fit together."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

from pipelines.train_autoencoder import read_networks
from tests.training.shards_toy import ROOT, run_recipe, write_faces, write_labellers
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.training.adversarial import GanOptions
from vidinv.training.discriminator import Discriminator, DiscriminatorConfig
from vidinv.training.inversion import InversionOptions, JointOptions, check_configs
from vidinv.training.settings import build, read_settings

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

[encoder]
resolution = 64
widths = [8, 8, 8, 8]
blocks = [1, 1, 1]
hidden = 16
layers = 10
d_style = 8
feature_channels = 8
feature_side = 16

[inversion]
images = 8
batch = 4

[joint]
images = 4
batch = 4
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
    assert (run / "state-portable.json").exists()
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
    whole, resumed = (
        torch.load(f / "checkpoint.pt", map_location="cpu", weights_only=True)["generator"]
        for f in (trained / "generator", tmp_path / "run")
    )
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)


def test_the_encoder_recipe_trains_alone_then_together_and_what_follows_can_read_it(trained: Path) -> None:
    how = [*paths(trained, "pack"), "--labellers", trained / "labellers", "--generator", trained / "generator"]
    run_recipe("train_encoder", *how, "--images", 4)
    assert "inversion: 4 of 8 images seen" in run_recipe("train_encoder", *how)
    settings, run = tomllib.loads(SETTINGS), trained / "pack"
    fixed, _ = read_networks(settings, run)
    run_recipe("train_encoder", *how, "--joint")
    assert "joint: 4 of 6 images seen" in run_recipe("train_encoder", *how, "--joint", "--images", 6)
    together, encoder = read_networks(settings, run)
    assert not torch.equal(fixed.convs[0].conv.weight, together.convs[0].conv.weight)
    w, feature = encoder(torch.zeros(1, 3, 64, 64))
    assert together(w, feature).shape == (1, 3, 64, 64)
    lines = log_of(trained / "pack")
    assert [(line["phase"], line["seen"]) for line in lines] == [
        ("inversion", 4),
        ("inversion", 8),
        ("joint", 4),
        ("joint", 8),
    ]
    assert all(line["psnr"] > 0 for line in lines)
    sheets = {p.name for p in (trained / "pack").glob("*.png")}
    assert {"encoder-00000008.png", "joint-00000008.png", "samples-00000008.png"} <= sheets


def test_a_checkpoint_is_made_again_from_what_was_carried_elsewhere(trained: Path, tmp_path: Path) -> None:
    for file in (trained / "generator").glob("state-portable*"):
        shutil.copy(file, tmp_path)
    run_recipe("train_generator", *paths(trained)[:4], "--out", tmp_path, "--minutes", 0)
    there, here = (
        torch.load(f / "checkpoint.pt", map_location="cpu", weights_only=True)
        for f in (trained / "generator", tmp_path)
    )
    assert here["seen"] == there["seen"] == 8
    assert all(torch.equal(there["generator"][k], here["generator"][k]) for k in there["generator"])


def test_joint_training_before_its_time_says_what_is_missing(trained: Path, tmp_path: Path) -> None:
    how = [*paths(trained)[:4], "--out", tmp_path / "pack", "--labellers", trained / "labellers"]
    said = run_recipe("train_encoder", *how, "--generator", trained / "generator", "--joint", status=1)
    assert f"{tmp_path / 'pack'} holds no state to go on from" in said


def test_training_needs_only_what_a_plain_gpu_machine_has() -> None:
    """No video, detection, pack or metric libraries: they may be absent where the GPU is."""
    absent = ("av", "facenet_pytorch", "lpips", "safetensors", "skimage", "typer", "rich")
    code = f"import sys; sys.modules.update(dict.fromkeys({absent}));" + "".join(
        f"import pipelines.{name};" for name in ("train_generator", "train_encoder")
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=100)


@pytest.mark.parametrize("name", ["face-128-gan", "face-256"])
def test_the_settings_fit_together_and_the_pack_stays_small(name: str) -> None:
    settings = read_settings(ROOT / "pipelines" / "settings" / f"{name}.toml")
    build(GanOptions, settings["adversarial"])
    build(InversionOptions, settings["inversion"])
    build(JointOptions, settings["joint"])
    with torch.device("meta"):
        generator = Generator(build(GeneratorConfig, settings["generator"]))
        encoder = FeatureStyleEncoder(build(EncoderConfig, settings["encoder"]))
        critic = Discriminator(build(DiscriminatorConfig, settings["discriminator"]))
    check_configs(generator, encoder.config)
    assert critic.config.resolution == generator.config.resolution
    sizes = [2 * sum(p.numel() for p in net.parameters()) for net in (generator, encoder, critic)]
    assert sizes[0] + sizes[1] < 35e6  # bytes as fp16, which leaves 5 MB for the students
    assert sum(sizes) < 48 * 2**20  # a portable checkpoint of all three is three parts of 16 MiB
    assert settings["edits"].keys() >= {"age", "smile", "gender"}
