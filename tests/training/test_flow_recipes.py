"""From faces to a pack with proxy edits, and to the table of both spaces, as programs at toy size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks.disentanglement import __main__ as disentanglement
from benchmarks.disentanglement.report import edits_table, spaces_table
from tests.toy import write_toy_pack
from tests.training.codes_toy import write_all
from tests.training.shards_toy import run_recipe
from tests.training.test_edit_recipes import write_toy_card
from vidinv.edits.library import resolve
from vidinv.edits.parse import parse_edits
from vidinv.edits.proxy import ProxyEdit
from vidinv.packs.load import load_pack
from vidinv.training.card import STRENGTHS

pytestmark = pytest.mark.slow

SETTINGS = """
[flow]
couplings = 2
hidden = 4

[unfolding]
batch = 8
c = 0.1
tuned = 0.2
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pack that has a card, faces, labellers and a run of the flow that was stopped and went on."""
    folder = tmp_path_factory.mktemp("flow")
    write_all(folder / "material")
    write_toy_card(write_toy_pack(folder / "toy"))
    (folder / "settings.toml").write_text(SETTINGS)
    for images in (8, 24):
        run_recipe(
            "train_flow", "--settings", folder / "settings.toml", "--data", folder / "material" / "data" / "faces",
            "--pack", folder / "toy", "--out", folder / "run", "--images", images, device=(),
        )  # fmt: skip
    return folder


def add(place: Path, edits: str, status: int = 0) -> str:
    material = place / "material"
    return run_recipe(
        "add_proxy", "--run", place / "run", "--edits", edits, "--data", material / "data" / "faces",
        "--labellers", material / "labellers", "--pack", place / "toy", "--faces", 8, "--measured", 4,
        device=(), status=status,
    )  # fmt: skip


def test_a_run_goes_on_and_tells_of_both_spaces(place: Path) -> None:
    lines = [json.loads(line) for line in (place / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["seen"] for line in lines] == [8, 24]
    assert {f"{where}_{what}" for where in ("plus", "star") for what in ("accuracy", "leak")} <= set(lines[1])
    assert {"classification", "large_margin", "preservation"} <= set(lines[1])


def test_the_table_says_what_was_measured_and_with_how_much(place: Path) -> None:
    material = place / "material"
    options = disentanglement.arguments(
        ["--run", str(place / "run"), "--data", str(material / "data" / "faces"), "--pack", str(place / "toy"),
         "--labellers", str(material / "labellers"), "--tried", "4", "--faces", "3", "--sheet", str(place / "s.png")]
    )  # fmt: skip
    result = disentanglement.measure(options)
    assert set(result["spaces"]) == {"W+", "W*"}
    assert result["budget"]["codes"] == 24
    assert (place / "s.png").is_file()
    rows = "\n".join(spaces_table(json.loads(json.dumps(result))) + edits_table(result))
    assert "| W*, the paper | 0.796 | 0.991 | 0.916 |" in rows
    assert "24 codes shown" in rows
    assert "| age" in rows


def test_an_attribute_that_the_flow_has_not_is_refused_and_nothing_is_written(place: Path) -> None:
    before = {p.name: p.read_bytes() for p in (place / "toy").iterdir()}
    assert "the flow knows no hat; it knows age" in add(place, "hat", status=1)
    assert {p.name: p.read_bytes() for p in (place / "toy").iterdir()} == before


def test_a_pack_is_given_a_proxy_edit_and_its_card_says_so(place: Path) -> None:
    add(place, "age")
    pack = load_pack(place / "toy")
    assert {n: e.kind for n, e in pack.spec.edits.items()} == {"age": "proxy", "smile": "linear"}
    assert pack.spec.edits["age"].strengths == STRENGTHS
    (edit,) = resolve(parse_edits("age=+1"), pack)
    assert isinstance(edit, ProxyEdit)
    w = torch.randn(2, *pack.latent_flow.mean.shape)
    assert (pack.latent_flow.inverse(pack.latent_flow(w)) - w).abs().max() < 1e-4
    told = (place / "toy" / "card.md").read_text()
    assert "showed the latent flow 24 styles of faces" in told
    assert "## Edit: age, in W*" in told
