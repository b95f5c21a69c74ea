"""What is written is what is read; what a type cannot hold is not written."""

from __future__ import annotations

import os
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.toy import write_toy_pack
from vidinv.faces.boxes import CropRule
from vidinv.packs.digest import sha256
from vidinv.packs.load import load_pack
from vidinv.packs.spec import PackSpec, spec_of, template_of
from vidinv.packs.write import write_pack, write_tensors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_toy_pack(tmp_path / "toy")


def read(folder: Path) -> PackSpec:
    return spec_of(tomllib.loads((folder / "pack.toml").read_text(encoding="utf-8")), folder / "pack.toml")


def test_a_pack_lists_its_files_as_they_are_now(folder: Path) -> None:
    spec = load_pack(folder).spec
    assert spec.files == {p.name: sha256(p) for p in folder.glob("*.safetensors")}
    write_tensors(folder / "directions.safetensors", {"w": torch.ones(1)})
    written = write_pack(folder, spec)
    assert {k for k in spec.files if spec.files[k] != written.files[k]} == {"directions.safetensors"}
    assert read(folder) == written


@pytest.mark.parametrize("alias_free", [False, True])
def test_what_is_written_is_read_as_it_was(tmp_path: Path, alias_free: bool) -> None:
    folder = write_toy_pack(tmp_path / "toy", alias_free=alias_free)
    spec = replace(load_pack(folder).spec, name='Köln, "ä\\b"', sources={"näh #1.pt": "0f"})
    assert write_pack(folder, spec) == spec == read(folder)


@pytest.mark.parametrize("rule", [CropRule("boxes", (1.0, 0.75), 0.1), CropRule("frame", part=(0.5, 0.0, 1.0, 1.0))])
def test_a_rule_for_crops_is_read_as_it_was(folder: Path, rule: CropRule) -> None:
    spec = replace(load_pack(folder).spec, crops=rule, template=template_of(rule))
    assert write_pack(folder, spec) == spec == read(folder)


def test_numbers_that_a_type_cannot_hold_are_refused(tmp_path: Path) -> None:
    for number in (1e6, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"x\.safetensors: not representable in float16: w"):
            write_tensors(tmp_path / "x.safetensors", {"w": torch.tensor([number])})
    assert not (tmp_path / "x.safetensors").exists()
    write_tensors(tmp_path / "x.safetensors", {"w": torch.tensor([1e6]), "count": torch.tensor(10**9)}, torch.float32)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_packs_files_can_be_read_by_whom_the_umask_allows(folder: Path) -> None:
    mask = os.umask(0o022)
    try:
        write_tensors(folder / "directions.safetensors", {"w": torch.ones(1)})
    finally:
        os.umask(mask)
    assert (folder / "directions.safetensors").stat().st_mode & 0o777 == 0o644
