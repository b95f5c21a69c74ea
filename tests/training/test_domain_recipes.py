"""From a pack to one with a domain-guided encoder, as programs at toy size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.toy import write_toy_pack
from tests.training.shards_toy import run_recipe, write_faces, write_labellers
from tests.training.test_edit_recipes import write_toy_card
from vidinv.packs.load import load_pack

pytestmark = pytest.mark.slow

SETTINGS = """
[start]
feature_style = true

[discriminator]
channels = [8, 8, 8, 8, 8]

[domain]
images = 8
batch = 4
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pack that has a card, faces, labellers and a run of the encoder that was stopped and went on."""
    folder = tmp_path_factory.mktemp("domain")
    write_toy_card(write_toy_pack(folder / "toy"))
    write_faces(folder / "faces")
    write_labellers(folder / "labellers")
    (folder / "settings.toml").write_text(SETTINGS)
    for images in (4, 8):
        run_recipe(
            "train_domain_encoder", "--settings", folder / "settings.toml", "--data", folder / "faces",
            "--labellers", folder / "labellers", "--pack", folder / "toy", "--out", folder / "run", "--images", images,
        )  # fmt: skip
    return folder


def add(place: Path, pack: Path, status: int = 0) -> str:
    return run_recipe(
        "add_domain_encoder", "--run", place / "run", "--data", place / "faces", "--labellers", place / "labellers",
        "--pack", pack, "--faces", 8, device=(), status=status,
    )  # fmt: skip


def test_a_run_leaves_figures_of_both_encoders_and_a_sheet(place: Path) -> None:
    lines = [json.loads(line) for line in (place / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["seen"] for line in lines] == [4, 8]
    measures = ("psnr", "lpips", "identity", "domain")
    assert {f"{who}_{what}" for who in ("val", "own") for what in measures} <= set(lines[1])
    assert (place / "run" / "sheet-0000008.png").is_file()


def test_a_run_for_another_generator_is_refused_and_nothing_is_written(place: Path) -> None:
    other = write_toy_card(write_toy_pack(place / "other", alias_free=True))
    before = {p.name: p.read_bytes() for p in other.iterdir()}
    assert "is for another generator; toy needs layers = " in add(place, other, status=1)
    assert {p.name: p.read_bytes() for p in other.iterdir()} == before


def test_a_pack_is_given_the_encoder_of_a_run_and_its_card_says_so(place: Path) -> None:
    before = load_pack(place / "toy")
    add(place, place / "toy")
    pack = load_pack(place / "toy")
    assert pack.spec.files.items() > before.spec.files.items()
    saved = torch.load(place / "run" / "checkpoint.pt", weights_only=True)["domain_encoder"]
    assert all(torch.equal(v, saved[k].to(v.dtype)) for k, v in pack.tensors("domain_encoder").items())
    card = json.loads((place / "toy" / "card.json").read_text())
    assert set(card["figures"]["domain"]["feature_style"]) == {"psnr", "ssim", "lpips", "identity", "domain"}
    told = (place / "toy" / "card.md").read_text()
    assert "which began with the styles' half of the Feature-Style encoder, 8 real faces" in told
    assert "| out of the domain |" in told
    assert "Measured on 6 validation faces of a folder with 18 faces to train on." in told
