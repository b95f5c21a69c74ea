"""vidinv packs import, and everything that works with what it made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.formula import face_network_weights, generator_weights, tensor
from tests.packs.published import layouts
from vidinv import errors
from vidinv.api import VideoEditor
from vidinv.packs.load import load_pack
from vidinv.report.quality import QualityOptions


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A folder of checkpoints in the layouts of their authors, at toy size."""
    folder = tmp_path_factory.mktemp("published")
    weights = generator_weights(layouts.rosinality((16, 16, 16, 8, 8), 16, 2))
    torch.save({"g_ema": weights, "latent_avg": tensor("mean", (16,), 0.1)}, folder / "g.pt")
    encoder = layouts.feature_style_encoder((4, 4, 8, 8, 8), (1, 1, 1, 1), 10, 16, 16)
    torch.save(face_network_weights(encoder), folder / "e.pth")
    torch.save(face_network_weights(layouts.arcface((4, 4, 8, 8, 8), (1, 1, 1, 1), 16)), folder / "arcface.pth")
    torch.save(tensor("age", (1, 16), 0.2), folder / "age.pt")
    np.save(folder / "smile.npy", tensor("smile", (1, 10, 16), 0.2).numpy())
    return folder


def imported(invoke, published: Path, out: Path, *more: object) -> Path:
    result = invoke(
        "packs", "import", "--generator", published / "g.pt", "--encoder", published / "e.pth", "--out", out,
        "--name", "toy", *more, "--directions", published / "age.pt", published / "smile.npy",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return out / "toy"


def test_a_glob_of_directions_names_the_edits(invoke, published, tmp_path):
    pack = imported(invoke, published, tmp_path, "--sefa", "2")
    result = invoke("packs", pack)
    assert result.exit_code == 0
    for name in ("age", "smile", "sefa-0", "sefa-1", "published)"):
        assert name in result.stdout


def test_names_can_be_given(invoke, published, tmp_path):
    result = invoke(
        "packs", "import", "--generator", published / "g.pt", "--name", "x", "--out", tmp_path,
        "--directions", f"older={published / 'age.pt'}",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert list(load_pack(tmp_path / "x").spec.edits) == ["older"]
    assert "without encoder: run and preview cannot invert faces" in result.stdout


@pytest.mark.parametrize("identity", [True, False])
def test_a_video_is_edited_with_it(invoke, published, face_clip, tmp_path, identity):
    pack = imported(invoke, published, tmp_path, *(["--identity", published / "arcface.pth"] if identity else []))
    result = invoke(
        "run", face_clip, "-o", tmp_path / "out.mp4", "-e", "age=+2", "--pack", pack, "--precision", "fp32",
        "--report", tmp_path / "report.json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["frames"] == 50
    assert report["pack"]["name"] == "toy"
    assert report["unmeasured"]["attributes"] == "pack toy has no attributes network"
    assert report["attributes"] == {}
    if identity:
        assert -1 <= report["identity_similarity"]["edited"] <= 1
    else:
        assert report["identity_similarity"] == {"inversion": None, "edited": None}
        assert "no identity network" in report["unmeasured"]["identity"]
        assert "pack toy has no identity network, so there are no identity figures" in result.stdout


@pytest.mark.slow
def test_a_full_report_says_what_could_not_be_measured(invoke, published, face_clip, tmp_path):
    editor = VideoEditor(imported(invoke, published, tmp_path), precision="fp32")
    report = editor.edit_video(face_clip, tmp_path / "out.mp4", "age=1", quality=QualityOptions())
    for name in ("landmark_jitter", "motion_kept", "hausdorff"):
        assert report.quality[name].value is None
        assert "no landmark network" in report.quality[name].reason
    for name in ("csim", "tl_id", "identity_consistency"):
        assert "no identity network" in report.quality[name].reason
    assert report.quality["psnr"].value > 0
    assert set(report.unmeasured) == {"identity", "attributes", "landmarks"}


def test_years_cannot_be_asked_for(invoke, published, face_clip, tmp_path):
    pack = imported(invoke, published, tmp_path)
    result = invoke("run", face_clip, "-o", tmp_path / "out.mp4", "-e", "age=+20y", "--pack", pack)
    assert result.exit_code == errors.MalformedEdit.exit_code
    assert "not measured in years" in result.stderr


def test_doctor_looks_through_it(invoke, published, tmp_path):
    pack = imported(invoke, published, tmp_path)
    result = invoke("doctor", "--pack", pack, "--device", "cpu", "--precision", "fp32")
    assert result.exit_code == 0, result.output


def test_doctor_says_what_a_pack_without_encoder_cannot_do(invoke, published, tmp_path):
    assert invoke("packs", "import", "--generator", published / "g.pt", "--name", "g", "--out", tmp_path).exit_code == 0
    result = invoke("doctor", "--pack", tmp_path / "g")
    assert result.exit_code == 1
    assert "it has no encoder and no edits" in result.stdout


def test_the_wrong_file_is_named(invoke, published, tmp_path):
    result = invoke("packs", "import", "--generator", published / "e.pth", "--name", "x", "--out", tmp_path)
    assert result.exit_code == errors.UnsuitableCheckpoint.exit_code
    assert "e.pth holds no StyleGAN2 or 3 generator" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_pack_is_copied_with_another_identity_network(invoke, published, tmp_path):
    base, command = imported(invoke, published, tmp_path), ["packs", "import", "--name", "other", "--out", tmp_path]
    result = invoke(*command, "--base", base, "--identity", published / "arcface.pth")
    assert result.exit_code == 0, result.output
    assert "everything else: pack toy" in result.stdout
    assert not load_pack(base).has("identity")
    assert load_pack(tmp_path / "other").label("identity") == "identity (iresnet) of other"
    for wrong in (
        [],
        ["--base", base],
        ["--base", base, "--generator", published / "g.pt"],
        ["--base", base, "--identity", published / "arcface.pth", "--sefa", "2"],
    ):
        result = invoke(*command, *wrong)
        assert result.exit_code == errors.UsageError.exit_code
        assert "--base PACK" in result.stderr


def test_a_file_without_option_is_refused(invoke, published, tmp_path):
    result = invoke("packs", "import", "--generator", published / "g.pt", "--name", "x", published / "age.pt")
    assert result.exit_code == errors.UsageError.exit_code
    assert "write --directions" in result.stderr


def test_cars_are_imported_with_their_content(invoke, published, tmp_path):
    command = ["packs", "import", "--generator", published / "g.pt", "--name", "cars", "--out", tmp_path, "--sefa", "2"]
    result = invoke(*command, "--crops", "boxes", "--content", "512x384")
    assert result.exit_code == 0, result.output
    pack = load_pack(tmp_path / "cars")
    assert (pack.crops.kind, pack.crops.content) == ("boxes", (1.0, 0.75))
    for wrong in (["--content", "512x384"], ["--crops", "frame", "--content", "4:3"]):
        assert invoke(*command[:4], "--name", "x", "--out", tmp_path, *wrong).exit_code == errors.UsageError.exit_code
    command = [*command[:4], "--name", "x", "--out", tmp_path, "--crops", "frame"]
    faces = invoke(*command, "--identity", published / "arcface.pth")
    assert faces.exit_code == errors.UsageError.exit_code
    assert "networks of faces" in faces.stderr
    assert not (tmp_path / "x").exists()
