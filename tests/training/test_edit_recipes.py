"""From a trained edit network to a pack that says how its edits look, as programs at toy size."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines.draw_pairs import begun
from tests.toy import write_toy_pack
from tests.training.codes_toy import write_all
from tests.training.shards_toy import run_recipe
from vidinv.edits.library import resolve
from vidinv.edits.network import NetworkEdit
from vidinv.edits.parse import parse_edits
from vidinv.packs.load import load_pack
from vidinv.training.card import STRENGTHS
from vidinv.training.checkpoints import read_weights
from vidinv.training.shards import read_crops, read_labels, write_labels

pytestmark = pytest.mark.slow


def write_toy_card(pack: Path) -> Path:
    """What recipes read of a card, made up; returns the pack's folder."""
    faces = {"pictures": 9, "kept": 8, "per_set": {"a": 8}, "validation": 2}
    figures = {
        "edits": {name: {} for name in load_pack(pack).spec.edits},
        "look": {"smile": {"+2": {"effect": 1.0, "grade": 4.0, "least_grade": 4}}},
        "reconstruction": dict.fromkeys(("psnr", "ssim", "lpips", "identity", "lpips_w", "identity_w"), 1.0),
        "frechet": {"inversions": 1.0, "samples": 2.0},
    }
    scales = dict.fromkeys(load_pack(pack).spec.edits, 1.0)
    card = {"images_seen": 1, "recipe": "x", "faces": faces, "scales": scales, "figures": figures, "students": {}}
    (pack / "card.json").write_text(json.dumps(card))
    return pack


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pack that has a card, codes of toy faces, and a run of its edit network."""
    folder = tmp_path_factory.mktemp("edits")
    material = write_all(folder / "material")
    pack = write_toy_card(write_toy_pack(folder / "toy"))
    common = ["--labellers", material / "labellers", "--pack", pack]
    data, pairs = material / "data" / "faces", material / "data" / "pairs"
    run_recipe("encode_faces", *common, "--data", data, "--out", folder / "codes", device=())
    drawn = ["--draw", "glasses,beard,mouth,smile,yaw,pitch,skin"]
    run_recipe("draw_pairs", "--data", data, "--pairs", pairs, "--out", folder / "pairs", *drawn, device=())
    like = ["--like", folder / "codes", "--probe", data]
    run_recipe("encode_faces", *common, "--data", folder / "pairs", *like, "--out", folder / "mates", device=())
    codes = ["--codes", folder / "codes", "--probe", data]
    run = ["--out", folder / "run", "--images", 16]
    run_recipe("train_edits", *common, *codes, "--pairs", folder / "mates", *run, device=())
    run_recipe("calibrate_edits", *common, *codes, "--run", folder / "run", "--measured", 6, device=())
    return folder


def add(place: Path, edits: str, status: int = 0) -> str:
    material = place / "material"
    return run_recipe(
        "add_edits", "--run", place / "run", "--edits", edits, "--codes", place / "codes",
        "--data", material / "data" / "faces", "--labellers", material / "labellers", "--pack", place / "toy",
        "--faces", 8, device=(), status=status,
    )  # fmt: skip


def test_an_edit_that_the_network_was_not_trained_for_is_refused(place: Path) -> None:
    before = {p.name: p.read_bytes() for p in (place / "toy").iterdir()}
    assert "was not trained for hair" in add(place, "hair", status=1)
    assert "knows no hat" in add(place, "hat", status=1)
    assert {p.name: p.read_bytes() for p in (place / "toy").iterdir()} == before


def test_a_pack_is_given_a_networks_edit_and_forgets_how_the_old_one_looked(place: Path) -> None:
    add(place, "smile")
    pack = load_pack(place / "toy")
    assert {n: e.kind for n, e in pack.spec.edits.items()} == {"age": "linear", "smile": "network"}
    assert pack.spec.edits["smile"].strengths == STRENGTHS
    assert pack.spec.edits["smile"].grade == 0
    (edit,) = resolve(parse_edits("smile=+1"), pack)
    assert isinstance(edit, NetworkEdit)
    assert torch.count_nonzero(pack.edit_network.steps) == 10
    card = json.loads((place / "toy" / "card.json").read_text())
    assert card["figures"]["look"] == {}
    assert set(card["figures"]["edits"]["smile"]) == {str(s) for s in STRENGTHS}
    told = (place / "toy" / "card.md").read_text()
    assert "showed the edit network 16 faces" in told
    assert "Labeled Faces in the Wild" in told


def test_a_table_of_drawn_pairs_says_what_was_drawn_before_it() -> None:
    faces = {"points68": np.zeros((2, 68, 2)), "file": np.array(["a", "b"])}
    columns, first = begun(faces | {"of": np.zeros(2)}, faces)
    assert columns == ["points68", "file"]
    assert first["drawn"].tolist() == [0, 0]
    columns, first = begun(faces | {"drawn": np.array([0.0, 2.5])}, faces)
    assert columns == ["points68", "file"]
    assert first["drawn"].tolist() == [0, 2.5]


def test_pairs_of_faces_and_the_same_in_glasses_are_drawn(place: Path) -> None:
    before, after = (read_labels(f) for f in (place / "material" / "data" / "pairs", place / "pairs"))
    drawn = [file.split("/")[0] for file in after["file"][len(before["file"]) :]]
    assert set(drawn) == {"glasses", "beard", "yaw", "pitch", "skin"}  # nobody's mouth is closed here
    second = np.array([file.endswith("/1") for file in after["file"]]) & (
        np.arange(len(after["file"])) >= len(before["file"])
    )
    assert (after["drawn"] != 0).tolist() == second.tolist()
    assert (place / "pairs" / "sheet.png").is_file()
    faces = read_labels(place / "material" / "data" / "faces")
    rows = np.array([int(file.split("/")[1]) for file in after["file"][len(before["file"]) :]])
    assert not faces["val"][rows].any()
    bare = faces["glasses"][rows[[kind == "glasses" for kind in drawn]]]
    assert (bare < 0.15).all()


def test_a_run_begins_with_the_network_of_a_pack(place: Path) -> None:
    add(place, "smile")
    material, mates = place / "material", place / "mates"
    told = run_recipe(
        "train_edits", "--labellers", material / "labellers", "--pack", place / "toy", "--codes", place / "codes",
        "--probe", material / "data" / "faces", "--pairs", mates, "--begin", place / "toy", "--images", 8,
        "--out", place / "again", device=(),
    )  # fmt: skip
    learned, begun = load_pack(place / "toy").edit_network, read_weights(place / "again")["edits"]
    assert "resumed" not in told
    assert torch.equal(begun["draw"].float(), learned.draw.half().float())  # its critic learns first


def test_what_a_network_takes_away_makes_pairs_that_end_in_a_photograph(place: Path) -> None:
    add(place, "smile,mouth")
    material, codes = place / "material", place / "smiling"
    data = material / "data" / "faces"
    shutil.copytree(place / "codes", codes)
    labels = read_labels(codes)
    labels["expression"][:, 1], labels["read"][:] = 0.95, 9.0
    write_labels(codes, labels)

    def undo(status: int = 0) -> str:
        return run_recipe(
            "undo_edits", "--codes", codes, "--data", data, "--pairs", place / "pairs", "--undo", "smile",
            "--labellers", material / "labellers", "--pack", place / "toy", "--out", place / "undone",
            device=(), status=status,
        )  # fmt: skip

    assert "0 of " in (told := undo(status=1))
    assert "no training face shows smile" in told
    scales = json.loads((codes / "scales.json").read_text())
    (codes / "scales.json").write_text(json.dumps(scales | {"smile": 1e-9}))  # the toy network changes next to nothing
    undo()
    before, after = read_labels(place / "pairs"), read_labels(place / "undone")
    new = len(before["file"])
    assert after["file"][:new].tolist() == before["file"].tolist()
    assert len(after["file"]) > new
    made, second = (np.array([file.endswith(end) for file in after["file"][new:]]) for end in ("/0", "/2"))
    assert (after["drawn"][new:] > 0).tolist() == (~made).tolist()
    rows = np.array([int(file.split("/")[1].removeprefix("away-")) for file in after["file"][new:]])
    assert not labels["val"][rows].any()
    whole, kept = read_crops(data), read_crops(place / "undone", new + np.flatnonzero(second))
    assert np.abs(whole[rows[second]].astype(int) - kept).mean() < 4  # but for a JPEG's loss
    assert (place / "undone" / "sheet.png").is_file()


def test_a_graded_pack_says_so_and_figures_of_another_pack_are_refused(place: Path) -> None:
    row = {"effect": 1.0, "sameness": None}
    look = {"pack": {"name": "toy"}, "edits": {"smile": {"-2": {"mean": row}, "+2": {"mean": row}}}}
    grades = {"packs": {"toy": {"edits": {"smile=+2": {"mean": 3.0, "least": 2, "grades": 8}}}}}
    (place / "look.json").write_text(json.dumps(look))
    (place / "grades.json").write_text(json.dumps(grades))
    (place / "other.json").write_text(json.dumps(look | {"pack": {"name": "another"}}))
    files = ["--pack", place / "toy", "--grades", place / "grades.json"]
    assert "is of another, not of toy" in run_recipe(
        "grade_pack", *files, "--look", place / "other.json", device=(), status=1
    )
    run_recipe("grade_pack", *files, "--look", place / "look.json", device=())
    spec = load_pack(place / "toy").spec
    assert spec.edits["smile"].experimental
    assert not spec.edits["age"].experimental
    assert "| smile=+2 |" in (place / "toy" / "card.md").read_text()
