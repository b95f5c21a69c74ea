"""A pack.toml is read whole, or refused by file and key."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from vidinv.errors import DamagedPack
from vidinv.faces.boxes import CropRule
from vidinv.faces.quads import BoxTemplate, Template
from vidinv.models.feature_style_encoder import EncoderConfig
from vidinv.models.generator import GeneratorConfig
from vidinv.models.iresnet_identity import IResNetIdentityConfig
from vidinv.packs.locate import list_packs
from vidinv.packs.spec import EDIT_KINDS, EditSpec, NetworkSpec, PackSpec, spec_of, table_of

DIGEST = "0" * 64
TABLE = tomllib.loads(f"""
name = "toy"
[template]
centre = 0.35
by_eyes = 1
[generator]
channels = [16, 16, 16, 8]
[encoder]
resolution = 32
layers = 8
[identity]
kind = "iresnet"
box = [0.0, 0.1, 1.0, 1]
[edits.age]
unit = "years"
step = "5 years"
text = "older"
strengths = [-1.0, 0.0, 1]
effects = [-5.0, -0.0, 5.0]
[edits.sefa-0]
kind = "linear"
unit = "as published"
step = "an eigenvector"
[sources]
"a file.pt" = "{DIGEST}"
[files]
"generator.safetensors" = "{DIGEST}"
"landmarks.safetensors" = "{DIGEST}"
""")
MISSING = object()
SETTINGS = Path(__file__).resolve().parents[2] / "pipelines" / "settings"


def changed(path: str, value: Any) -> dict[str, Any]:
    """TABLE with another value at ``path``, or without it."""
    table = deepcopy(TABLE)
    *outer, last = path.split("/")
    inner = table
    for key in outer:
        inner = inner.setdefault(key, {})
    if value is MISSING:
        del inner[last]
    else:
        inner[last] = value
    return table


def test_tables_become_types() -> None:
    spec = spec_of(TABLE, "pack.toml")
    assert (spec.name, spec.resolution) == ("toy", 32)
    assert spec.template == Template(0.35, 1.0, 1.15)
    assert spec.crops == CropRule()
    assert spec.networks["generator"] == NetworkSpec("stylegan2", GeneratorConfig((16, 16, 16, 8)))
    assert spec.networks["encoder"].config == EncoderConfig(resolution=32, layers=8)
    assert spec.networks["identity"].config == IResNetIdentityConfig(box=(0.0, 0.1, 1.0, 1.0))
    assert spec.networks["landmarks"].kind == "student"  # it has a file, and needs no table
    assert spec.networks.keys() == {"generator", "encoder", "identity", "landmarks"}
    assert spec.edits["age"] == EditSpec(
        unit="years", step="5 years", text="older", strengths=(-1.0, 0.0, 1.0), effects=(-5.0, -0.0, 5.0)
    )
    assert spec.edits["sefa-0"].region == "face"  # packs that were written before there were regions
    assert spec.edits["sefa-0"].strengths == spec.edits["sefa-0"].effects == ()
    assert spec.files == TABLE["files"]
    assert spec.sources == TABLE["sources"]


def test_crops_of_other_things_than_faces_carry_their_template() -> None:
    table = changed("template", MISSING) | {"crops": {"kind": "boxes", "content": [1, 0.75]}}
    assert spec_of(table, "pack.toml").template == BoxTemplate((1.0, 0.75), 0.0)


def test_a_table_is_written_as_it_is_read() -> None:
    spec = spec_of(TABLE, "pack.toml")
    written = table_of(spec)
    assert list(written)[:2] == ["name", "resolution"]
    assert list(written)[-1] == "files"
    assert all(edit["kind"] in EDIT_KINDS for edit in written["edits"].values())
    assert written["template"]["by_mouth"] == 1.15
    assert "crops" not in written
    assert spec_of(table_of_lists(spec), "pack.toml") == spec


@pytest.mark.parametrize(
    ("path", "value", "key", "cause"),
    [
        ("name", MISSING, "name", "is missing"),
        ("name", 3, "name", "is 3 and should be a text"),
        ("files", MISSING, "files", "is missing"),
        ("files", ["x"], "files", "should be a table"),
        ("template", MISSING, "template", "is missing"),
        ("template/by_eyes", "wide", "template.by_eyes", "should be a finite number"),
        ("template/by_eyes", float("nan"), "template.by_eyes", "is nan and should be a finite number"),
        ("template/by_eyes", 10**400, "template.by_eyes", "should be a finite number"),
        ("template/by_ears", 1.0, "template.by_ears", "is unknown; there are centre, by_eyes, by_mouth"),
        ("resolution", 0, "resolution", "is 0 and should be 1 or more"),
        ("resolution", True, "resolution", "should be a whole number"),
        ("resolution", 64.0, "resolution", "is 64.0 and should be a whole number"),
        ("encoder/resolution", -4, "resolution", "is -4"),
        ("encoder", MISSING, "resolution", "is missing"),
        ("encoder", "residual", "encoder", "should be a table"),
        ("generator/kind", "stylegan1", "generator.kind", "is 'stylegan1'; there are stylegan2, stylegan3"),
        ("generator/kind", ["stylegan2"], "generator.kind", "should be a text"),
        ("generator/layers", 8, "generator.layers", "is unknown; there are channels"),
        ("generator/channels", 16, "generator.channels", "is 16 and should be a list"),
        ("generator/channels", [16, 8.5], "generator.channels[1]", "should be a whole number"),
        ("identity/box", [0.0, 0.0, 1.0], "identity.box", "holds 3 values and should hold 4"),
        ("identity/box", [0.0, 0.0, 1.0, float("inf")], "identity.box[3]", "is inf"),
        ("crops/kind", "cat", "crops", "crops of kind 'cat'; there are face, boxes, frame"),
        ("crops/kind", "boxes", "template", "is of faces"),
        ("crops/contents", [1.0, 1.0], "crops.contents", "is unknown"),
        ("crops/content", [float("nan"), 1.0], "crops.content[0]", "is nan"),
        ("edits", [], "edits", "should be a table"),
        ("edits/age", "older", "edits.age", "should be a table"),
        ("edits/age/kind", "cubic", "edits.age.kind", "is 'cubic'; there are linear"),
        ("edits/age/unit", MISSING, "edits.age.unit", "is missing"),
        ("edits/age/step", MISSING, "edits.age.step", "is missing"),
        ("edits/age/step", 5, "edits.age.step", "is 5 and should be a text"),
        ("edits/age/strength", [1.0], "edits.age.strength", "is unknown"),
        ("edits/age/effects", [1.0, float("nan"), 2.0], "edits.age.effects[1]", "is nan"),
        ("edits/age/effects", [1.0], "edits.age", "1 effects of 3 strengths"),
        ("edits/age/region", "nose", "edits.age", "region 'nose'; there are face, crop, lower, eyes, eyewear, skin"),
        ("edits/age/region", 5, "edits.age.region", "is 5 and should be a text"),
        ("sources/a file.pt", 7, "sources.a file.pt", "is 7 and should be a text"),
        ("edit", {}, "edit", "is unknown"),
        ("files/encoder.safetensors", "abc", "files.encoder.safetensors", "is no sha256"),
        ("files/encoder.safetensors", 7, "files.encoder.safetensors", "is 7 and should be a text"),
    ],
)
def test_what_is_wrong_is_told_by_file_and_key(path: str, value: Any, key: str, cause: str) -> None:
    table = changed(path, value)
    with pytest.raises(DamagedPack) as raised:
        spec_of(table, Path("packs/toy/pack.toml"))
    message = str(raised.value)
    assert message.startswith(f"{Path('packs/toy/pack.toml')}: {key} ")
    assert cause in message
    assert message.endswith("reinstall the pack")


@pytest.mark.parametrize(
    "name",
    ["../x.safetensors", "/x.safetensors", "a/x.safetensors", "a\\x.safetensors", "C:x.safetensors", "..safetensors",
     ".safetensors", "a..safetensors", "x.safetensors/", "x.pt", "x", "", "x.safetensors\n"],
)  # fmt: skip
def test_a_files_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(DamagedPack) as raised:
        spec_of(TABLE | {"files": {name: DIGEST}}, "pack.toml")
    assert f"files.{name!r} is no bare name of a file that ends in .safetensors; reinstall" in str(raised.value)


@pytest.mark.parametrize("path", list_packs(), ids=lambda p: p.name)
def test_shipped_packs_say_all_that_is_asked(path: Path) -> None:
    table = tomllib.loads((path / "pack.toml").read_text(encoding="utf-8"))
    spec = spec_of(table, path)
    settings = tomllib.loads((SETTINGS / "edits.toml").read_text(encoding="utf-8"))["edits"]
    assert (spec.name, spec.resolution) == (path.name, 128)
    for name, edit in table["edits"].items():
        assert edit["kind"] in EDIT_KINDS
        assert edit["region"] == settings[name]["region"]
        assert edit["moves"] == settings[name].get("moves", True)
        assert edit["edges"] == settings[name].get("edges", 0.0)
        assert edit["drawn"] == settings[name].get("drawn", "")
        assert edit == {k: list(v) if isinstance(v, tuple) else v for k, v in vars(spec.edits[name]).items()}
    assert spec_of(table_of_lists(spec), path) == spec


def table_of_lists(spec: PackSpec) -> dict[str, Any]:
    """As TOML gives it back."""
    return tomllib.loads(tomli_w.dumps(table_of(spec)))


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("generator/mapping_layers", 100_000_000, r"generator\.mapping_layers is 1e\+08; 65536 is the most"),
        ("generator/channels", [16, 100_000_000], r"generator\.channels is 1e\+08"),
        ("generator/channels", [1] * 12, r"generator\.resolution is 8192; 4096 is the most"),
        ("encoder/resolution", 100_000, r"encoder\.resolution is 100000"),
        ("template/by_eyes", 0.0, r"template\.by_eyes should be above 0"),
        ("template/by_eyes", 1e300, r"template\.by_eyes should be above 0, and no more than 100"),
        ("template/centre", 1e300, r"template\.centre should be from -100 to 100"),
        ("identity/side", 0, r"identity\.side is 0 and should be 1 to 512"),
        ("identity/side", 4096, r"identity\.side is 4096 and should be 1 to 512"),
        ("edits/age/text", "\x1b[2Jolder", r"edits\.age\.text is .* with characters that a terminal would obey"),
        ("edits/a\u202eb", {"unit": "u", "step": "s"}, "with characters that a terminal would obey"),
    ],
)  # fmt: skip
def test_what_no_pack_says_is_refused_by_key(path: str, value: Any, told: str) -> None:
    with pytest.raises(DamagedPack, match=told):
        spec_of(changed(path, value), "pack.toml")
