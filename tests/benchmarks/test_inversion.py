"""The benchmark of inversion methods, on a toy pack: every row has its figures, and figures mean what they say."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.inversion import clips, experiments
from benchmarks.inversion.__main__ import main, merged
from benchmarks.inversion.claims import claims
from benchmarks.inversion.editing import LOSS, STRENGTHS, at_equal_loss
from benchmarks.inversion.pictures import covered, moved, no_faces
from benchmarks.inversion.report import TABLES
from benchmarks.inversion.rows import ROWS, chosen, lacking
from benchmarks.inversion.semantics import precision
from tests.toy import add_toy_domain_encoder, write_toy_pack
from tests.training.shards_toy import write_faces, write_labellers
from vidinv.errors import UsageError
from vidinv.packs.load import load_pack
from vidinv.training.shards import read_labels, write_labels

pytest.importorskip("torchmetrics")
pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = "rows,time,clips,editing,meaning,experiments"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack with both encoders, six faces to validate with, pairs, labellers, and a clip."""
    folder = tmp_path_factory.mktemp("inversion")
    add_toy_domain_encoder(write_toy_pack(folder / "toy"))
    write_faces(folder / "faces")
    write_faces(folder / "pairs")
    labels = read_labels(folder / "pairs")
    count = len(labels["val"])
    expression = np.full((count, 7), 0.01)
    expression[:, 1] = np.where(np.arange(count) % 8 == 3, 0.0, 1.0)  # of each two that are kept, one is neutral
    names = np.array([f"set/person{i // 8}/{i}.jpg" for i in range(count)])
    write_labels(folder / "pairs", labels | {"expression": expression, "file": names})
    write_labellers(folder / "labellers")
    (folder / "clips").mkdir()
    shutil.copy(ROOT / "assets" / "sample.mp4", folder / "clips")
    return folder


def run(folder: Path, *words: str, out: str = "out") -> dict[str, Any]:
    given = {"data": "faces", "pack": "toy", "labellers": "labellers", "clips": "clips", "pairs": "pairs"}
    named = [word for k, v in given.items() for word in (f"--{k}", str(folder / v))]
    sizes = ["--count", "4", "--encoded", "6", "--steps", "2", "--precision", "fp32"]
    main([*named, *sizes, "--work", str(folder / "work"), "--out", str(folder / out), *words])
    return json.loads((folder / out / "results.json").read_text())


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clips, "CLIPS", ("sample.mp4",))
        patch.setattr(clips, "FRAMES", 3)
        patch.setattr(experiments, "PEOPLE", 2)
        return run(folder, "--parts", EVERYTHING)


def numbers(tree: Any) -> Iterator[float]:
    if isinstance(tree, dict):
        for value in tree.values():
            yield from numbers(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from numbers(value)
    elif isinstance(tree, int | float):
        yield tree


def test_every_row_has_all_figures_and_says_what_they_are_of(told: dict[str, Any]) -> None:
    assert list(told["rows"]) == list(ROWS)
    assert "gives noise no weight" in told["rows"]["image2stylegan-noise"]["left_out"]
    wanted = {"ssim", "psnr", "mse", "lpips", "identity", "identity_pack", "frechet", "swd", "domain"}
    for name, row in told["rows"].items():
        if "left_out" not in row:
            assert set(row["figures"]) == wanted, name
            assert set(row["seconds"]) == {"cpu", "wall", "batch"}, name
            assert ("more" in row) == (not ROWS[name].searches), name
            assert row["search"].get("steps", 2) == 2, name
    assert set(told["setup"]["networks"]) == {"lpips", "identity", "identity_pack", "sets"}
    assert (told["setup"]["faces"], told["setup"]["encoded"]) == (4, 6)


def test_figures_are_finite_in_all_parts(told: dict[str, Any]) -> None:
    for part in EVERYTHING.split(","):
        found = list(numbers(told[part]))
        assert len(found) > 10, part
        assert all(math.isfinite(v) for v in found), part


def test_styles_alone_are_further_away_only_by_f(told: dict[str, Any]) -> None:
    whole, alone = (told["rows"][n]["figures"] for n in ("feature-style", "feature-style-w"))
    assert whole["psnr"] != alone["psnr"]
    assert whole["domain"] == alone["domain"], "both are of the styles"


def test_plots_lie_beside_the_figures_and_sheets_elsewhere(told: dict[str, Any], folder: Path) -> None:
    assert {p.name for p in (folder / "out").iterdir()} == {"results.json", "time.png", "editing.png"}
    assert {"embedding-things.png", "morphing-image2stylegan.png"} <= {p.name for p in (folder / "work").iterdir()}


def test_rows_one_at_a_time_come_to_the_same_table(told: dict[str, Any], folder: Path) -> None:
    codes = {p: p.stat().st_mtime_ns for p in (folder / "work" / "codes").glob("image2stylegan-z*")}
    run(folder, "--parts", "rows", "--rows", "image2stylegan-z", out="single")
    again = run(folder, "--parts", "rows,editing", "--rows", "feature-style", out="single")
    assert list(again["rows"]) == ["feature-style", "image2stylegan-z"]
    assert list(again["editing"]["rows"]) == ["feature-style"]
    for name, row in again["rows"].items():
        assert row["figures"] == pytest.approx(told["rows"][name]["figures"])
    assert codes.keys() == {p for p in codes if p.exists()}
    assert again["rows"]["image2stylegan-z"]["seconds"] == told["rows"]["image2stylegan-z"]["seconds"], "kept"


def test_figures_of_other_faces_are_not_mixed_in(told: dict[str, Any], folder: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        run(folder, "--parts", "rows", "--rows", "feature-style", "--count", "5")
    assert ended.value.code == UsageError.exit_code
    assert "holds figures with faces 4, not 5" in capsys.readouterr().err


def test_without_labelling_networks_there_are_rows_but_no_editing(folder: Path, capsys: Any) -> None:
    words = ["--data", str(folder / "faces"), "--pack", str(folder / "toy"), "--count", "4", "--encoded", "4"]
    words += ["--work", str(folder / "bare"), "--out", str(folder / "bare"), "--rows", "feature-style"]
    main([*words, "--parts", "rows"])
    told = json.loads((folder / "bare" / "results.json").read_text())
    row = told["rows"]["feature-style"]["figures"]
    assert (row["lpips"], row["identity"]) == (None, None)
    assert told["setup"]["networks"]["sets"] == "identity of toy"
    with pytest.raises(SystemExit):
        main([*words, "--parts", "editing"])
    assert "--parts editing needs --labellers" in capsys.readouterr().err


def test_unknown_rows_and_parts_are_named(folder: Path, capsys: Any) -> None:
    with pytest.raises(UsageError, match="no row 'magic'; there are feature-style"):
        chosen("magic")
    with pytest.raises(SystemExit):
        run(folder, "--parts", "magic")
    assert "no part 'magic'" in capsys.readouterr().err


def test_every_table_can_be_written(told: dict[str, Any]) -> None:
    for name, make in TABLES.items():
        lines = make(told)
        rows = [line for line in lines if line.startswith("|")]
        assert len(rows) > 2, name
        assert all(line.count("|") > 2 for line in rows), name
    assert len(claims(told)) >= 9


def curve(change: float, loss: float) -> list[dict[str, float]]:
    """Of an edit that changes and costs so much a step."""
    return [{"steps": s, "change": change * s, "identity_inversion": 1 - loss * abs(s)} for s in STRENGTHS]


def test_the_summary_prefers_codes_that_change_more_for_the_same_loss() -> None:
    assert at_equal_loss(curve(1.0, 0.1)) == pytest.approx(LOSS / 0.1)
    assert at_equal_loss(curve(1.0, 0.2)) == pytest.approx(LOSS / 0.2)
    assert at_equal_loss(curve(2.0, 0.2)) == pytest.approx(2 * LOSS / 0.2)
    assert at_equal_loss(curve(1.0, 0.01)) == pytest.approx(3.0), "the strongest edit, where it costs less"
    assert at_equal_loss(curve(-1.0, 0.1)) < 0, "codes that go the wrong way"


def test_claims_hold_where_the_figures_say_so() -> None:
    def row(psnr: float, lpips: float, cpu: float, domain: float) -> dict[str, Any]:
        figures = {"psnr": psnr, "lpips": lpips, "mse": 10 ** (-psnr / 10), "frechet": lpips, "domain": domain}
        return {"figures": figures, "seconds": {"cpu": cpu}}

    rows = {
        "feature-style": row(30, 0.05, 0.01, 0.5),
        "feature-style-w": row(19, 0.15, 0.01, 0.5),
        "in-domain-encoder": row(20, 0.14, 0.01, 0.1),
        "in-domain": row(21, 0.09, 5, 0.1),
        "image2stylegan": row(25, 0.1, 9, 2.0),
    }
    assert all(claim.holds for claim in claims({"rows": rows}))
    rows["image2stylegan"] = row(18, 0.2, 9, 2.0)
    assert [c.holds for c in claims({"rows": rows})[:2]] == [False, False]


def test_new_figures_replace_old_ones_and_leave_the_others() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 4}}) == {"a": {"b": 4, "c": 2}, "d": 3}
    assert merged(None, {"a": 1}) == {"a": 1}


def test_average_precision_is_one_where_the_order_is_right_and_missing_where_all_are_alike() -> None:
    scores = np.array([0.1, 0.2, 0.8, 0.9])
    assert precision(scores > 0.5, scores) == {"with": 2, "average_precision": 1.0}
    assert precision(scores > 0.5, -scores)["average_precision"] < 0.6
    assert precision(scores > 5, scores) == {"with": 0, "average_precision": None}


def test_pictures_move_as_they_are_told() -> None:
    picture = torch.full((1, 3, 64, 64), -1.0)
    picture[..., 24:32, 40:48] = 1.0

    def middle(x: torch.Tensor) -> list[float]:
        y, x_ = torch.nonzero(x[0, 0] > 0).double().mean(0).tolist()
        return [x_, y]

    assert middle(moved(picture, right=0.25)) == pytest.approx([59.5, 27.5])
    assert middle(moved(picture, down=0.25)) == pytest.approx([43.5, 43.5])
    assert middle(moved(picture, degrees=180)) == pytest.approx([19.5, 35.5])
    assert middle(moved(picture, degrees=90)) == pytest.approx([27.5, 19.5]), "anticlockwise, as seen"
    assert float(covered(picture, "left")[..., :32].abs().max()) == 0


def test_things_that_are_no_faces_differ_and_come_in_every_size() -> None:
    names, things = no_faces(64)
    assert things.shape == (len(names), 3, 64, 64)
    assert len({t.numpy().tobytes() for t in things}) == len(names)


def test_noise_maps_have_a_row_where_the_generator_gives_them_weight(folder: Path) -> None:
    pack = load_pack(folder / "toy")
    assert lacking(pack, ROWS["image2stylegan-noise"]) is not None
    for conv in pack.generator.convs:
        conv.noise_strength.fill_(0.3)
    assert lacking(pack, ROWS["image2stylegan-noise"]) is None
