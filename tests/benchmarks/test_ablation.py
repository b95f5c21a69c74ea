"""The benchmark of the encoder's ablations, on toy runs: same faces, figures of what each run's inversion is."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from benchmarks.ablation.__main__ import SETTINGS, main
from benchmarks.ablation.report import TITLES, table
from tests.toy import ENCODER, GENERATOR
from tests.training.shards_toy import write_faces, write_labellers
from vidinv.errors import InputError
from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.generator import Generator
from vidinv.training import checkpoints

pytest.importorskip("torchmetrics")


def tables(feature_branch: bool) -> str:
    lines = []
    for name, config in (("generator", GENERATOR), ("encoder", ENCODER)):
        lines += [f"[{name}]", *(f"{k} = {list(v) if isinstance(v, tuple) else v}" for k, v in asdict(config).items())]
    return "\n".join(
        [*lines, "[inversion]", "batch = 4", "images = 8", f"feature_branch = {str(feature_branch).lower()}"]
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 faces, of which 20 are kept for validation, and two runs of the same random networks."""
    folder = tmp_path_factory.mktemp("ablation")
    write_faces(folder / "faces", count=80)
    write_labellers(folder / "labellers")
    torch.manual_seed(0)
    networks = {"generator": Generator(GENERATOR), "encoder": FeatureStyleEncoder(ENCODER)}
    (folder / "settings").mkdir()
    for name, branch in (("b-no-feature", False), ("full", True)):
        (folder / "settings" / f"{name}.toml").write_text(tables(branch))
        (folder / "runs" / name).mkdir(parents=True)
        weights = {k: v.state_dict() for k, v in networks.items()}
        checkpoints.keep(folder / "runs" / name, {"seen": 8}, weights | {"seen": 8})
    return folder


def arguments(folder: Path) -> list[str]:
    named = {"runs": "runs", "data": "faces", "labellers": "labellers", "settings": "settings", "sheet": "sheet.png"}
    return [word for k, v in named.items() for word in (f"--{k}", str(folder / v))]


def test_all_figures_of_all_runs_are_told_and_without_the_branch_they_are_those_of_g_of_w(trained: Path) -> None:
    main([*arguments(trained), "--out", str(trained / "a.json")])
    told = json.loads((trained / "a.json").read_text())
    assert (told["faces"], told["resolution"]) == (20, 64)
    assert set(told["networks"]) == {"lpips", "identity", "frechet"}
    full, without = told["variants"]["full"], told["variants"]["b-no-feature"]
    assert {"ssim", "psnr", "mse", "lpips", "identity", "frechet", "lpips_w", "identity_w", "images"} <= set(full)
    assert full["images"] == 8
    assert (without["lpips"], without["identity"]) == (without["lpips_w"], without["identity_w"])
    assert full["lpips_w"] == pytest.approx(without["lpips_w"])
    assert full["lpips"] != full["lpips_w"]
    assert (trained / "sheet.png").stat().st_size > 1000


def test_a_run_that_is_not_there_is_told_as_missing(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    given = arguments(trained)
    given[given.index("--runs") + 1] = str(tmp_path)
    shutil.copytree(trained / "runs" / "full", tmp_path / "full")
    main([*given, "--out", str(tmp_path / "a.json")])
    told = json.loads((tmp_path / "a.json").read_text())
    assert (list(told["variants"]), told["missing"]) == (["full"], ["b-no-feature"])
    assert "b-no-feature has seen 0 of 8 pictures; train it by" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "full")
    with pytest.raises(SystemExit) as ended:
        main(given)
    assert ended.value.code == InputError.exit_code
    assert "holds no finished run" in capsys.readouterr().err


def test_every_ablation_has_a_row() -> None:
    assert set(TITLES) == {p.stem for p in SETTINGS.glob("*.toml")}
    figures = dict.fromkeys(("ssim", "psnr", "lpips", "identity", "frechet", "lpips_w", "identity_w"), 0.5)
    row = figures | {"mse": 0.01, "images": 8}
    result = {"faces": 20, "resolution": 64, "networks": dict.fromkeys(("lpips", "identity", "frechet"), "toy")}
    lines = table(result | {"variants": dict.fromkeys(TITLES, row), "missing": []})
    assert sum("| 0.040 |" in line for line in lines) == len(TITLES), "MSE is told on -1..1"
    assert any(line.startswith("8 pictures each; 20 faces") for line in lines)
    partial = table(result | {"variants": {"full": row}, "missing": ["k3"]})
    assert partial[-1] == "Missing: K = 3, F at 8 px, whose training has not ended."
