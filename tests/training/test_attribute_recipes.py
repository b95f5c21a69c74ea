"""From a pack whose attribute network reads age, smile and gender to one that reads what is worn, as programs."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.toy import write_toy_pack
from tests.training.codes_toy import write_labelled
from tests.training.shards_toy import run_recipe, write_labellers
from tests.training.test_edit_recipes import write_toy_card
from vidinv.edits.held import holdable
from vidinv.packs.load import load_pack
from vidinv.packs.spec import EditSpec
from vidinv.packs.write import write_pack, write_tensors
from vidinv.training import shards
from vidinv.training.card import STRENGTHS

pytestmark = pytest.mark.slow


def write_pack_with_glasses(folder: Path) -> Path:
    """The toy pack with a card and an edit "glasses" that was graded, beside 24 faces of whom half wear some."""
    labels = shards.read_labels(write_labelled(folder / "faces", 24))
    labels |= {"glasses": np.arange(24) % 2.0, "age": np.linspace(20, 70, 24)}
    shards.write_labels(folder / "faces", labels)
    pack = write_toy_pack(folder / "toy")
    plain = load_pack(pack)
    steps = {**plain.tensors("directions"), "glasses": plain.directions["age"].w}
    write_tensors(pack / "directions.safetensors", steps)
    glasses = EditSpec(unit="P(glasses)", step="", strengths=STRENGTHS, effects=STRENGTHS, scale=3.0, grade=4.0)
    write_pack(pack, replace(plain.spec, edits={**plain.spec.edits, "glasses": glasses}))
    card = json.loads((write_toy_card(pack) / "card.json").read_text())
    card["scales"]["gender"] = 1.0
    (pack / "card.json").write_text(json.dumps(card))
    return pack


def test_a_pack_reads_more_and_what_it_read_before_stays(tmp_path: Path) -> None:
    folder = write_pack_with_glasses(tmp_path)
    before = load_pack(Path(shutil.copytree(folder, tmp_path / "before")))
    said = run_recipe(
        "train_students", "--only", "attributes", "--extend", folder, "--data", tmp_path / "faces", "--out",
        tmp_path / "run", "--images", 96, "--threads", 1, device=("--device", "cpu"),
    )  # fmt: skip
    assert "glasses_correlation" in said
    run_recipe(
        "add_attributes", "--run", tmp_path / "run", "--data", tmp_path / "faces", "--labellers",
        write_labellers(tmp_path / "labellers"), "--pack", folder, "--faces", 12, device=(),
    )  # fmt: skip
    after = load_pack(folder)
    changed = {name for name, digest in after.spec.files.items() if digest != before.spec.files[name]}
    assert changed == {"attributes.safetensors"}
    assert after.codes_hash == before.codes_hash
    assert after.spec.edits == before.spec.edits
    assert (holdable(before), holdable(after)) == (["age", "smile"], ["age", "glasses", "smile"])
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    assert all(torch.equal(after.attributes.scores(x)[k], v) for k, v in before.attributes.scores(x).items())
    card = json.loads((folder / "card.json").read_text())
    told = card["figures"]["edits"]
    assert {name for name, effects in told.items() if effects} == {"glasses"}  # of the others nothing is new
    assert all(effect["student"] is not None for effect in told["glasses"].values())
    assert card["students"]["attributes"]["images_seen"] == 96


def test_a_pack_is_given_what_is_drawn_and_forgets_how_the_old_one_looked(tmp_path: Path) -> None:
    folder = write_pack_with_glasses(tmp_path)
    before = load_pack(folder).spec.edits
    card = json.loads((folder / "card.json").read_text())
    card["figures"]["look"]["glasses"] = {}
    (folder / "card.json").write_text(json.dumps(card))
    run_recipe(
        "add_drawn", "--data", tmp_path / "faces", "--labellers", write_labellers(tmp_path / "labellers"),
        "--pack", folder, "--faces", 12, device=(),
    )  # fmt: skip
    made = load_pack(folder).spec.edits
    assert (made["glasses"].drawn, made["glasses"].grade, made["glasses"].kind) == ("eyeglasses", 0.0, "linear")
    assert made["glasses"].effects != STRENGTHS
    assert {n: e for n, e in made.items() if n != "glasses"} == {n: e for n, e in before.items() if n != "glasses"}
    told = json.loads((folder / "card.json").read_text())["figures"]
    assert "glasses" not in told["look"]
    assert set(told["edits"]["glasses"]) == {str(s) for s in STRENGTHS}
    assert "upwards in the frame itself" in (folder / "card.md").read_text()
