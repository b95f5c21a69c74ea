"""A pack loads what its hashes vouch for, and says by name what is wrong."""

from __future__ import annotations

import resource
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.toy import write_toy_pack
from vidinv.edits.library import resolve
from vidinv.edits.parse import parse_edit
from vidinv.errors import DamagedPack, MalformedEdit, UnknownEdit
from vidinv.faces.quads import FACE
from vidinv.models.attributes import AttributeConfig, AttributeNet
from vidinv.models.visibility import VisibilityConfig, VisibilityNet
from vidinv.packs.digest import sha256
from vidinv.packs.load import Pack, load_pack
from vidinv.packs.locate import list_packs
from vidinv.packs.spec import NetworkSpec, PackSpec
from vidinv.packs.write import write_pack, write_tensors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_toy_pack(tmp_path / "toy")


def test_networks_come_ready_for_use(folder: Path) -> None:
    pack = load_pack(folder)
    for network in (pack.generator, pack.encoder, pack.identity, pack.attributes, pack.landmarks):
        assert not network.training
        assert not any(p.requires_grad for p in network.parameters())
    w, feature = pack.encoder(torch.zeros(1, 3, 64, 64))
    assert pack.generator(w, feature).shape == (1, 3, 64, 64)


def test_a_pack_may_tell_what_lies_over_a_face_and_need_not(folder: Path) -> None:
    assert not load_pack(folder).has("visibility")
    with pytest.raises(DamagedPack, match="has no visibility network"):
        _ = load_pack(folder).visibility
    shape = VisibilityConfig(side=32, widths=(8, 12), blocks=(1,))
    write_tensors(folder / "visibility.safetensors", VisibilityNet(shape).state_dict())
    spec = load_pack(folder).spec
    write_pack(folder, replace(spec, networks={**spec.networks, "visibility": NetworkSpec("student", shape)}))
    maps = load_pack(folder).visibility(torch.zeros(2, 3, 64, 64))
    assert maps.face.shape == maps.occluder.shape == (2, 16, 16)


def test_a_network_that_is_not_there_is_none(folder: Path) -> None:
    pack = load_pack(folder)
    assert pack.optional("visibility") is None
    assert pack.optional("identity") is pack.identity
    with pytest.raises(ValueError, match="no network 'directions'; there are generator"):
        pack.optional("directions")
    (folder / "landmarks.safetensors").unlink()
    with pytest.raises(DamagedPack, match=r"landmarks\.safetensors"):
        pack.optional("landmarks")


@pytest.mark.parametrize("sizes", [{"blocks": ()}, {"widths": ()}, {"blocks": (3, 3, 3, 3, 3)}])
def test_sizes_of_no_network_are_damage(folder: Path, sizes: dict) -> None:
    spec = load_pack(folder).spec
    identity = NetworkSpec("student", replace(spec.networks["identity"].config, **sizes))
    write_pack(folder, replace(spec, networks={**spec.networks, "identity": identity}))
    with pytest.raises(DamagedPack, match=r"identity\.safetensors does not fit pack\.toml"):
        _ = load_pack(folder).identity


def test_an_edit_without_its_displacement_is_damage(folder: Path) -> None:
    spec = load_pack(folder).spec
    write_pack(folder, replace(spec, edits={**spec.edits, "hat": spec.edits["age"]}))
    with pytest.raises(DamagedPack, match=r"directions\.safetensors lacks the edit hat"):
        _ = load_pack(folder).directions


def test_only_the_files_that_are_asked_for_are_read(folder: Path) -> None:
    for name in ("encoder", "identity", "attributes", "landmarks", "directions"):
        (folder / f"{name}.safetensors").unlink()
    assert load_pack(folder).generator(torch.zeros(1, 10, 16)).shape == (1, 3, 64, 64)


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_file_is_named(folder: Path, damage: bytes | None) -> None:
    path = folder / "encoder.safetensors"
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage or path.read_bytes()[:-1])
    with pytest.raises(DamagedPack, match=r"encoder\.safetensors"):
        _ = load_pack(folder).encoder


def test_a_single_flipped_bit_is_noticed(folder: Path) -> None:
    path = folder / "generator.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedPack, match="sha256"):
        _ = load_pack(folder).generator


@pytest.mark.parametrize("text", ["", "name = 3 = 4", "name = 'x'"])
def test_a_broken_toml_is_a_damaged_pack(folder: Path, text: str) -> None:
    (folder / "pack.toml").write_text(text)
    with pytest.raises(DamagedPack, match=r"pack\.toml"):
        load_pack(folder)


def test_the_same_weights_have_the_same_hash(tmp_path: Path) -> None:
    hashes = [load_pack(write_toy_pack(tmp_path / str(i), seed)).hash for i, seed in enumerate((0, 0, 1))]
    assert hashes[0] == hashes[1] != hashes[2]


def test_packs_that_differ_in_what_they_read_in_faces_share_their_codes(folder: Path) -> None:
    before = load_pack(folder)
    assert before.scores == ("age", "smile", "gender")
    config = AttributeConfig(worn=("glasses",))
    write_tensors(folder / "attributes.safetensors", AttributeNet(config).state_dict())
    networks = {**before.spec.networks, "attributes": NetworkSpec("student", config)}
    write_pack(folder, replace(before.spec, networks=networks))
    after = load_pack(folder)
    assert after.hash != before.hash
    assert after.codes_hash == before.codes_hash
    assert all(before.made(one) for one in (before.codes_hash, before.hash))
    assert not after.made(before.hash)
    assert after.scores == tuple(after.attributes.scores(torch.zeros(1, 3, 64, 64)))
    assert after.scores[-1] == "glasses"
    write_tensors(folder / "encoder.safetensors", {k: v + 1 for k, v in after.tensors("encoder").items()})
    write_pack(folder, after.spec)
    assert load_pack(folder).codes_hash != before.codes_hash


def test_years_become_steps_along_the_measured_curve(folder: Path) -> None:
    pack = load_pack(folder)
    (edit,) = resolve((parse_edit("age=+5y"),), pack)
    (step,) = edit.parts
    assert step.strength.at(0) == pytest.approx(1.0)
    assert torch.allclose(step.what.w, pack.directions["age"].w)
    (edit,) = resolve((parse_edit("age=-10y@0s..+5y@2s"),), pack)
    assert [edit.parts[0].strength.at(time) for time in (0, 9)] == pytest.approx([-2.0, 1.0])


def test_what_a_pack_cannot_do_is_refused(folder: Path) -> None:
    pack = load_pack(folder)
    with pytest.raises(MalformedEdit, match="out of reach"):
        resolve((parse_edit("age=+90y"),), pack)
    with pytest.raises(MalformedEdit, match=r"\+90 years is out of reach"):
        resolve((parse_edit("age=0@0s..+90y@1s..+5y@2s"),), pack)
    with pytest.raises(MalformedEdit, match="years"):
        resolve((parse_edit("smile=+5y"),), pack)
    with pytest.raises(UnknownEdit, match="age, smile"):
        resolve((parse_edit("hat=1"),), pack)


def test_writing_into_weights_that_are_mapped_does_not_reach_the_file(tmp_path: Path) -> None:
    write_tensors(tmp_path / "encoder.safetensors", {"w": torch.ones(4096)}, torch.float32)
    before = (tmp_path / "encoder.safetensors").read_bytes()
    files = {"encoder.safetensors": sha256(tmp_path / "encoder.safetensors")}
    pack = Pack(tmp_path, PackSpec("x", 64, FACE, {}, files=files))
    pack.tensors("encoder")["w"].add_(1)
    assert (tmp_path / "encoder.safetensors").read_bytes() == before
    assert torch.equal(pack.tensors("encoder")["w"], torch.ones(4096))


@pytest.mark.parametrize("path", list_packs(), ids=lambda p: p.name)
def test_a_shipped_pack_is_whole_and_small(path: Path) -> None:
    pack = load_pack(path)
    for name in pack.spec.files:
        pack.tensors(name.removesuffix(".safetensors"))
    sizes = {p.stem: p.stat().st_size for p in path.glob("*.safetensors")}
    assert sum(sizes.values()) - sizes.get("domain_encoder", 0) <= 40e6  # what `vidinv run` needs
    assert sum(sizes.values()) <= 80e6
    assert {"age", "smile", "gender"} <= set(pack.spec.edits)
    assert (path / "card.md").read_text().startswith(f"# {pack.name}")


@pytest.mark.parametrize(
    ("network", "sizes"),
    [
        ("generator", {"mapping_layers": 60_000}),
        ("identity", {"widths": (65_536,) * 4}),
        ("encoder", {"d_style": 65_536}),
    ],
)
def test_sizes_of_which_there_are_no_weights_take_neither_time_nor_memory(
    folder: Path, network: str, sizes: dict
) -> None:
    spec = load_pack(folder).spec
    huge = replace(spec.networks[network], config=replace(spec.networks[network].config, **sizes))
    write_pack(folder, replace(spec, networks={**spec.networks, network: huge}))
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DamagedPack, match="more weights than the file"):
        getattr(load_pack(folder), network)
    assert time.monotonic() - begun < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # KiB


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no devices here")
def test_a_file_of_a_pack_is_no_device(folder: Path) -> None:
    (folder / "generator.safetensors").unlink()
    (folder / "generator.safetensors").symlink_to("/dev/zero")
    with pytest.raises(DamagedPack, match="a device or a pipe and no file"):
        _ = load_pack(folder).generator


def test_a_huge_pack_toml_is_not_read(folder: Path) -> None:
    with (folder / "pack.toml").open("ab") as file:
        file.truncate(2 << 30)
    with pytest.raises(DamagedPack, match="are the most that is read"):
        load_pack(folder)
