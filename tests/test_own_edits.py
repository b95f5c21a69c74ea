"""From pictures to an edit of one's own: fitted, measured, kept, and resolved like those of the pack."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import vidinv
from tests.directions_toy import write_kinds
from tests.toy import write_toy_pack
from vidinv.api import VideoEditor
from vidinv.directions import FitOptions, Fitted, fit_direction_of, read_labels
from vidinv.edits.library import resolve
from vidinv.edits.linear import along
from vidinv.edits.parse import parse_edits
from vidinv.errors import InputError, OutputExists, UnknownEdit, UsageError
from vidinv.packs.load import load_pack
from vidinv.packs.own import FORMAT, OwnEdit, own_path, read_own
from vidinv.packs.published.writing import check_name
from vidinv.packs.write import write_pack, write_tensors
from vidinv.still_files import keep_codes_of


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> VideoEditor:
    return VideoEditor(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"), precision="fp32")


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_kinds(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def light(toy: VideoEditor, kinds: Path) -> Fitted:
    given = {"positive": kinds / "light", "negative": kinds / "dark"}
    return fit_direction_of(toy, "light", **given, aligned=True, text="lighter", region="skin")


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where own edits are kept."""
    monkeypatch.setenv("VIDINV_PACKS", str(tmp_path / "packs"))
    return tmp_path / "packs"


def test_two_folders_make_an_edit_with_its_figures(toy: VideoEditor, light: Fitted) -> None:
    own, sizes = light.direction, toy.pack.generator.config
    assert own.displacement.w.shape == own.normal.shape == (sizes.layers, sizes.d_style)
    assert own.displacement.feature is not None
    assert own.displacement.feature.shape == sizes.feature_shape
    assert own.normal.norm().item() == pytest.approx(1, rel=1e-5)
    assert (own.made["positive"], own.made["negative"], own.made["held_out"]) == (24, 24, 12)
    assert own.made["accuracy"] > 0.8
    assert own.effects is not None
    assert (own.effects.faces, own.effects.held_out) == (12, True)
    assert set(own.effects.scores) == {"age", "smile", "gender"}
    assert own.spec.effects == own.effects.own
    assert own.spec.region == "skin"
    assert all(0.3 < v <= 1 for v in own.effects.identity)


def test_a_file_comes_back_as_it_was(light: Fitted, tmp_path: Path) -> None:
    path = light.save(tmp_path / "light.safetensors")
    again = read_own(path)
    for name in ("name", "pack", "pack_hash", "spec", "scale", "made", "effects"):
        assert getattr(again, name) == getattr(light.direction, name)
    assert torch.equal(again.displacement.w, light.displacement.w)
    assert torch.equal(again.displacement.feature, light.displacement.feature)
    assert torch.equal(again.normal, light.direction.normal)
    with pytest.raises(OutputExists):
        light.save(path)


def test_once_saved_it_edits_by_its_name(toy: VideoEditor, light: Fitted, kinds: Path) -> None:
    assert "light" not in toy.edits
    with pytest.raises(UnknownEdit, match="knows no edit 'light'"):
        resolve(parse_edits("light=1"), toy.pack)
    light.save()
    assert toy.edits["light"].text == "lighter"
    assert {"age", "smile"} <= set(toy.edits)
    [edit] = resolve(parse_edits("light=+2@1s-3s"), toy.pack)
    assert edit.parts[0].region == "skin"
    codes = vidinv.invert(kinds / "dark" / "dark-00.png", pack=toy.pack.folder, aligned=True, precision="fp32")
    plain, once, twice = (
        vidinv.draw(codes, e, pack=toy.pack.folder, precision="fp32") for e in ("light=0", "light=1", "light=1,age=1")
    )
    assert (plain != once).any()
    assert (once != twice).any()
    unsaved = vidinv.draw(codes, [along(light.displacement, 1.0)], pack=toy.pack.folder, precision="fp32")
    assert (unsaved == once).all()


def test_an_edit_of_a_changed_pack_is_refused_by_name(light: Fitted, toy: VideoEditor, tmp_path: Path) -> None:
    light.save()
    folder = shutil.copytree(toy.pack.folder, tmp_path / "toy")
    assert "light" in load_pack(folder).edits, "it goes by the pack's hash, not by its place"
    changed = load_pack(folder)
    write_tensors(folder / "identity.safetensors", {k: v + 1 for k, v in changed.identity.state_dict().items()})
    write_pack(folder, changed.spec)
    changed = load_pack(folder)
    assert "light" not in changed.edits
    with pytest.raises(UnknownEdit, match="light was fitted to another pack toy"):
        resolve(parse_edits("light=1"), changed)
    renamed = own_path("light", changed.name, changed.hash)
    renamed.parent.mkdir()
    shutil.copy(own_path("light", toy.pack.name, toy.pack.hash), renamed)
    with pytest.raises(UnknownEdit, match="fitted to pack toy"):
        resolve(parse_edits("light=1"), changed)


def test_names_of_the_pack_and_names_that_are_none_are_refused(toy: VideoEditor, kinds: Path) -> None:
    given = {"positive": kinds / "light", "negative": kinds / "dark", "aligned": True}
    with pytest.raises(UsageError, match="has an edit age of its own"):
        fit_direction_of(toy, "age", **given)
    with pytest.raises(UsageError, match="no name for an edit"):
        fit_direction_of(toy, "../light", **given)


def test_a_pack_that_got_an_edit_of_the_name_keeps_it(light: Fitted, toy: VideoEditor) -> None:
    replace(light.direction, name="age").save()
    assert toy.pack.edit("age") == toy.pack.spec.edits["age"]
    assert torch.equal(toy.pack.displacement("age").w, toy.pack.directions["age"].w)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "vidinv direction 9"}, "its format is"),
        ({"about": "{}"}, "other entries"),
        ({"about": "["}, "no direction"),
        ({"w": torch.zeros(3)}, "other shapes"),
        ({"w": torch.full((10, 16), float("nan"))}, "no numbers"),
        ({"scale": "much"}, "scale is 'much'"),
        ({"scale": float("nan")}, "scale is nan"),
        ({"scale": 0}, "scale is 0"),
        ({"scale": -1.0}, "scale is -1.0"),
        ({"scale": True}, "scale is True"),
        ({"spec": {"unit": "sd"}}, "step"),
        ({"effects": {"strengths": [1]}}, "no direction"),
        ({"made": {"method": "interfacegan", "positive": "many"}}, "made.positive is 'many'"),
        ({"made": []}, "no direction"),
    ],
)
def test_a_damaged_file_is_told_by_name_and_stops_nothing_else(
    light: Fitted, toy: VideoEditor, change: dict, said: str
) -> None:
    path = light.save()
    tensors = load_file(path)
    own = light.direction
    about = {"name": own.name, "pack": own.pack, "pack_hash": own.pack_hash, "scale": 1.0, "effects": None}
    about["made"] = {"method": "sefa", "component": 0}
    about |= {"spec": {"unit": "sd", "step": "one"}} | {k: v for k, v in change.items() if k in about or k == "spec"}
    told = {"format": FORMAT, "about": json.dumps(about)} | {
        k: v for k, v in change.items() if k in ("format", "about")
    }
    save_file(tensors | {k: v for k, v in change.items() if k == "w"}, path, told)
    with pytest.raises(InputError, match=said) as caught:
        resolve(parse_edits("light=1"), toy.pack)
    assert str(path) in str(caught.value)
    assert set(toy.edits) == {"age", "smile"}
    assert resolve(parse_edits("age=1"), toy.pack)


def test_labels_of_a_table_and_codes_of_a_folder_give_the_same_direction(
    toy: VideoEditor, light: Fitted, kinds: Path, tmp_path: Path
) -> None:
    both = [kinds / "light", kinds / "dark"]
    for lot in both:
        keep_codes_of(toy, lot, tmp_path / lot.name, aligned=True)
    kept = fit_direction_of(toy, "light", positive=tmp_path / "light", negative=tmp_path / "dark")
    assert torch.allclose(kept.displacement.w, light.displacement.w, atol=1e-4)
    lines = [f"{kind}-{i:02d}.png,{int(kind == 'light')}" for kind in ("light", "dark") for i in range(24)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,value", *lines[:-1]]))
    told = fit_direction_of(toy, "light", pictures=both, labels=tmp_path / "labels.csv", aligned=True)
    assert [Path(name).name for name in told.failures] == ["dark-23.png"]
    assert told.direction.made["negative"] == 23
    (tmp_path / "labels.csv").write_text("file,value\nnobody.png,1")
    with pytest.raises(InputError, match="no label is of any of the 48 pictures"):
        fit_direction_of(toy, "light", pictures=both, labels=tmp_path / "labels.csv", aligned=True)
    values = np.linspace(0, 10, 24)
    with pytest.raises(InputError, match="8 positive"):  # a third of them
        fit_direction_of(toy, "light", pictures=tmp_path / "light", labels=values)


def test_pictures_that_cannot_be_used_are_told_and_too_few_are_refused(
    toy: VideoEditor, kinds: Path, tmp_path: Path
) -> None:
    some = shutil.copytree(kinds / "dark", tmp_path / "some")
    (some / "broken.jpg").write_text("nothing")
    fitted = fit_direction_of(toy, "light", positive=kinds / "light", negative=some, aligned=True)
    assert [Path(name).name for name in fitted.failures] == ["broken.jpg"]
    for path in sorted(some.glob("dark-*"))[:5]:
        path.unlink()
    with pytest.raises(InputError, match=r"19 negative .* 20 of either kind are needed"):
        fit_direction_of(toy, "light", positive=kinds / "light", negative=some, aligned=True)


def test_held_against_another_own_edit_and_the_packs(toy: VideoEditor, light: Fitted, kinds: Path) -> None:
    light.save()
    given = {"positive": kinds / "light", "negative": kinds / "dark", "aligned": True}
    values = [float(i % 2) for i in range(48)]
    both = [kinds / "light", kinds / "dark"]
    how = FitOptions(against=("light", "age", "smile"))
    other = fit_direction_of(toy, "other", how, pictures=both, labels=values, aligned=True).direction
    assert abs(float((other.displacement.w * light.direction.normal).sum() / other.displacement.w.norm())) < 1e-4
    with pytest.raises(UnknownEdit, match="'nothing' to hold"):
        fit_direction_of(toy, "other", FitOptions(against=("nothing",)), **given)


def test_components_of_pictures_and_of_weights(toy: VideoEditor, kinds: Path) -> None:
    found = fit_direction_of(toy, "pc", FitOptions("ganspace", 1), pictures=kinds / "light", aligned=True).direction
    assert found.effects is not None
    assert not found.effects.held_out
    assert found.displacement.feature is not None
    bare = fit_direction_of(toy, "bare", FitOptions("sefa", 2)).direction
    assert bare.effects is None
    assert bare.spec.strengths == ()
    assert bare.displacement.w.norm(dim=1).tolist() == pytest.approx([1.0] * len(bare.displacement.w))
    coarse = fit_direction_of(toy, "coarse", FitOptions("sefa", layers="coarse"), pictures=kinds / "dark", aligned=True)
    assert (coarse.displacement.w.norm(dim=1) > 0).tolist() == [True] * 4 + [False] * (len(bare.normal) - 4)
    assert coarse.direction.effects is not None


@pytest.mark.parametrize(
    ("options", "given", "said"),
    [
        ({"method": "pca"}, {}, "no method 'pca'"),
        ({}, {}, "positive and negative"),
        ({}, {"positive": "light"}, "positive and negative"),
        ({"component": 1}, {"positive": "light", "negative": "dark"}, "are of ganspace and sefa"),
        ({"method": "ganspace"}, {}, "needs pictures"),
        ({"method": "sefa", "against": ("age",)}, {}, "against is of interfacegan"),
        ({"method": "ganspace"}, {"positive": "light", "negative": "dark"}, "knows no labels"),
        ({"method": "sefa", "layers": "upper"}, {}, "write coarse, middle, fine"),
        ({"method": "sefa", "layers": "3-99"}, {}, "write coarse, middle, fine"),
        ({"method": "sefa", "component": 99}, {}, "0 to 15"),
    ],
)
def test_requests_that_make_no_sense(toy: VideoEditor, kinds: Path, options: dict, given: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        fit_direction_of(toy, "own", FitOptions(**options), **{k: kinds / v for k, v in given.items()}, aligned=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,value\na,1\n", "file and value"),
        ("file,value\na.png,yes\n", "line 2: 'yes'"),
        ("file,value\na.png\n", "line 2"),
        ("file,value\na.png,1\na.png,0\n", "two labels"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_by_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        read_labels(tmp_path / "labels.csv")


def test_the_same_in_one_call(kinds: Path, toy: VideoEditor) -> None:
    fitted = vidinv.fit_direction("bare", method="sefa", component=1, pack=toy.pack.folder)
    assert isinstance(fitted.direction, OwnEdit)
    assert fitted.save() == own_path("bare", toy.pack.name, toy.pack.hash)


@pytest.mark.parametrize(
    "change", [{"w": torch.zeros(3, 5), "normal": torch.zeros(3, 5)}, {"feature": torch.ones(2, 3, 4)}]
)
def test_a_direction_of_other_sizes_is_refused_by_name(light: Fitted, toy: VideoEditor, change: dict) -> None:
    path = light.save()
    with safe_open(str(path), "pt") as file:
        told = file.metadata()
    save_file(load_file(path) | change, path, told)
    with pytest.raises(InputError, match=r"light\.safetensors moves codes of other sizes than pack toy has"):
        resolve(parse_edits("light=1"), toy.pack)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_what_is_no_file_is_told_as_that(toy: VideoEditor) -> None:
    path = own_path("light", toy.pack.name, toy.pack.hash)
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(InputError, match=r"light\.safetensors is no direction that can be read .*a device or a pipe"):
        resolve(parse_edits("light=1"), toy.pack)


def test_a_name_that_no_file_can_have_is_refused(toy: VideoEditor, kinds: Path) -> None:
    with pytest.raises(UsageError, match="a hundred at most"):
        fit_direction_of(toy, "x" * 300, positive=kinds / "with", negative=kinds / "without")
    with pytest.raises(UsageError, match="a hundred at most"):
        check_name("x" * 300, kinds)
