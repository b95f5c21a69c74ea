"""From a run of the difference encoder to the table, as programs at toy size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.driving.__main__ import main
from benchmarks.driving.report import TITLES, table
from pipelines import train_difference
from tests.training.codes_toy import write_all
from tests.training.shards_toy import run_recipe
from vidinv.training import driving_samples

pytestmark = pytest.mark.slow
SMALL = """
[training]
images = 8
batch = 4
[network]
widths = [4, 8]
hidden = 8
[critic]
widths = [8, 8, 8]
shapes = [4, 4, 4]
"""


def test_rows_are_trained_and_measured_and_missing_ones_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    material = write_all(tmp_path / "material", count=80)
    data, pack = material / "data", material / "pack"
    common = ["--labellers", material / "labellers", "--pack", pack]
    run_recipe("encode_faces", *common, "--data", data / "faces", "--out", tmp_path / "codes", device=())
    like = ["--like", tmp_path / "codes", "--probe", data / "faces"]
    run_recipe("encode_faces", *common, "--data", data / "pairs", *like, "--out", tmp_path / "pairs", device=())
    settings = tmp_path / "settings"
    settings.mkdir()
    for name in ("full", "keypoints"):
        (settings / f"{name}.toml").write_text(SMALL)
    codes = ["--codes", str(tmp_path / "codes"), "--pairs", str(tmp_path / "pairs"), "--pack", str(pack)]
    run = [*codes, "--settings", str(settings / "full.toml"), "--out", str(tmp_path / "runs" / "full")]
    monkeypatch.setattr(driving_samples, "LEAST", 0.0)  # toy faces differ by little
    monkeypatch.setattr("sys.argv", ["train_difference", *run, "--device", "cpu"])
    train_difference.main()
    assert len(list((tmp_path / "runs" / "full").glob("sheet-0000008.png"))) == 1
    out = tmp_path / "driving.json"
    options = ["--runs", str(tmp_path / "runs"), "--settings", str(settings), "--data", str(data / "faces")]
    labellers = ["--labellers", str(material / "labellers"), "--sheet", str(tmp_path / "s.png"), "--out", str(out)]
    main([*codes, *options, *labellers])
    result = json.loads(out.read_text())
    assert set(result["rows"]) == {"still", "moved", "full"}
    assert result["missing"] == ["keypoints"]
    assert result["budgets"] == {"full": {"images": 8, "batch": 4}}
    assert result["rows"]["still"]["recon"] == result["rows"]["still"]["manipulated"]
    lines = "\n".join(table(result))
    assert "8 faces in batches of 4" in lines
    assert f"Missing: {TITLES['keypoints']}" in lines
    assert "0.186" in lines
    assert (tmp_path / "s.png").is_file()
    assert "missing: keypoints has seen 0 of 8 faces" in capsys.readouterr().err
