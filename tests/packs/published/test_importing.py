"""Published files become a pack that loads; what does not fit is refused by key name, and nothing is left behind."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.formula import face_network_weights, generator_weights, tensor
from tests.packs.published import layouts
from vidinv.edits.library import resolve
from vidinv.edits.parse import parse_edit
from vidinv.errors import DiskFull, OutputExists, UnsuitableCheckpoint, UsageError
from vidinv.models.generator import Generator, render_pair
from vidinv.packs.load import load_pack
from vidinv.packs.locate import list_packs
from vidinv.packs.published import writing
from vidinv.packs.published.directions import DirectionFile
from vidinv.packs.published.generator_state import mean_latent
from vidinv.packs.published.generators import read_generator
from vidinv.packs.published.importing import Sources, import_pack
from vidinv.packs.published.reading import read_checkpoint
from vidinv.packs.spec import PackSpec

LAYERS, D = 10, 16
GENERATOR = generator_weights(layouts.rosinality((16, 16, 16, 8, 8), D, 2))
ENCODER = face_network_weights(layouts.feature_style_encoder((4, 4, 8, 8, 8), (1, 1, 2, 1), LAYERS, D, 16))
PARSING = face_network_weights(layouts.face_parsing((4, 8, 12, 16)))
ARCFACE = face_network_weights(layouts.arcface((4, 4, 8, 8, 8), (1, 1, 2, 1), 16))


@pytest.fixture
def files(tmp_path: Path) -> Sources:
    """One of everything, as it is published."""
    mean = tensor("mean", (D,), 0.1)
    torch.save({"g_ema": GENERATOR, "latent_avg": mean, "d": {"x": torch.zeros(2)}}, tmp_path / "g.pt")
    torch.save({f"module.{k}": v for k, v in ENCODER.items()}, tmp_path / "e.pth")
    torch.save(ARCFACE, tmp_path / "arcface.pth")
    torch.save(PARSING, tmp_path / "parsing.pth")
    torch.save(tensor("age", (1, D)), tmp_path / "age.pt")
    np.save(tmp_path / "smile.npy", tensor("smile", (1, LAYERS, D)).numpy())
    directions = tuple(DirectionFile(p.stem, p) for p in (tmp_path / "age.pt", tmp_path / "smile.npy"))
    networks = (tmp_path / name for name in ("g.pt", "e.pth", "arcface.pth", "parsing.pth"))
    return Sources(*networks, directions)


def test_the_pack_inverts_edits_and_recognises(files: Sources, tmp_path: Path) -> None:
    done = import_pack(replace(files, sefa=3), "toy", tmp_path / "packs")
    pack = load_pack(done.folder)
    assert (pack.name, pack.resolution) == ("toy", 64)
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    w, feature = pack.encoder(x)
    assert torch.allclose(pack.encoder.mean_latent, tensor("mean", (D,), 0.1).expand(LAYERS, D))
    assert set(pack.spec.edits) == {"age", "smile", "sefa-0", "sefa-1", "sefa-2"}
    (edit,) = resolve((parse_edit("age=+2"),), pack)
    (timed,) = edit.parts
    before, after = render_pair(pack.generator, w, w + timed.what.w, feature)
    assert before.shape == after.shape == (2, 3, 64, 64)
    assert torch.isfinite(after).all()
    assert not torch.equal(before, after)
    assert torch.allclose(pack.identity(x).norm(dim=1), torch.ones(2))
    assert pack.parsing(x).shape == (2, 64, 64)


def test_weights_keep_their_numbers(files: Sources, tmp_path: Path) -> None:
    folder = import_pack(files, "toy", tmp_path).folder
    read = read_generator({"g_ema": GENERATOR}, Path("g.pt"))
    for key, value in load_pack(folder).tensors("generator").items():
        assert torch.equal(value, read.state[key]), key


def test_it_says_what_is_there_and_what_does_not_work_without_the_rest(files: Sources, tmp_path: Path) -> None:
    done = import_pack(files, "all", tmp_path)
    found, missing = "\n".join(done.found), "\n".join(done.missing)
    for text in (
        "rosinality, 64 px",
        "mean latent: stated",
        "Feature-Style",
        "ArcFace",
        "BiSeNet, 19 parts",
        "as published: age, smile",
    ):
        assert text in found
    assert "attributes" in missing
    assert "encoder" not in missing
    alone = import_pack(Sources(files.generator), "alone", tmp_path)
    assert [m.partition(":")[0] for m in alone.missing] == ["encoder", "identity", "directions", "attributes"]
    pack = load_pack(alone.folder)
    assert pack.directions == {}
    assert not pack.has("encoder")
    assert pack.generator(torch.zeros(1, LAYERS, D)).shape == (1, 3, 64, 64)


def test_a_training_scripts_options_beside_the_weights_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "g.pt"
    torch.save({"g_ema": GENERATOR, "args": argparse.Namespace(size=64, path="data")}, path)
    assert read_generator(read_checkpoint(path), path).config.resolution == 64


@pytest.mark.parametrize("prefix", ["g_ema", "state_dict", "bare"])
def test_every_wrapping_gives_the_same_generator(prefix: str, tmp_path: Path) -> None:
    psp = {f"decoder.{k}": v for k, v in GENERATOR.items()} | {"encoder.body.0.weight": torch.zeros(1)}
    tree = {"g_ema": {"g_ema": GENERATOR}, "state_dict": {"state_dict": psp}, "bare": GENERATOR}[prefix]
    torch.save(tree, tmp_path / "g.pt")
    read = read_generator(read_checkpoint(tmp_path / "g.pt"), tmp_path / "g.pt")
    assert torch.equal(read.state["convs.3.conv.weight"], GENERATOR["convs.2.conv.weight"][0])
    assert not read.mean_is_stated
    assert torch.allclose(read.mean_latent[0], mean_latent(read.config, read.state))


def test_nvidias_layout_is_the_same_network() -> None:
    """The same numbers under both layouts give the same pictures: demodulation divides the fan-in out."""
    ours = read_generator({"g_ema": GENERATOR}, Path("g.pt"))
    state = {"mapping.w_avg": torch.zeros(D), "synthesis.b4.const": GENERATOR["input.input"][0]}
    for i in range(2):
        state |= {f"mapping.fc{i}.{k}": GENERATOR[f"style.{i + 1}.{k}"] for k in ("weight", "bias")}
    for i in range(2 * 5 - 1):
        theirs, side = ("conv1" if i == 0 else f"convs.{i - 1}"), 4 * 2 ** ((i + 1) // 2)
        name = f"synthesis.b{side}.conv{(i + 1) % 2}"
        state |= _layer(name, theirs, GENERATOR[f"{theirs}.activate.bias"])
        state[f"{name}.noise_const"] = GENERATOR[f"noises.noise_{i}"][0, 0]
        state[f"{name}.noise_strength"] = GENERATOR[f"{theirs}.noise.weight"][0]
        state[f"{name}.resample_filter"] = GENERATOR["to_rgbs.0.upsample.kernel"] / 4
    for i in range(5):
        theirs = "to_rgb1" if i == 0 else f"to_rgbs.{i - 1}"
        state |= _layer(f"synthesis.b{4 * 2**i}.torgb", theirs, GENERATOR[f"{theirs}.bias"].flatten())
    read = read_generator({"G_ema": state, "D": None}, Path("g.pkl"))
    assert (read.layout, read.config, read.mean_is_stated) == ("StyleGAN2-ADA", ours.config, True)
    assert read.state.keys() == ours.state.keys()
    assert all(torch.equal(read.state[k], ours.state[k]) for k in ours.state)


def _layer(name: str, theirs: str, bias: torch.Tensor) -> dict[str, torch.Tensor]:
    return {
        f"{name}.weight": GENERATOR[f"{theirs}.conv.weight"][0],
        f"{name}.bias": bias,
        **{f"{name}.affine.{k}": GENERATOR[f"{theirs}.conv.modulation.{k}"] for k in ("weight", "bias")},
    }


def changed(weights: dict, key: str, value: torch.Tensor | None) -> dict:
    rest = {k: v for k, v in weights.items() if k != key}
    return rest if value is None else {**rest, key: value}


@pytest.mark.parametrize(
    ("file", "weights", "key", "value"),
    [
        ("generator", GENERATOR, "convs.3.conv.weight", torch.zeros(1, 16, 16, 5, 5)),
        ("generator", GENERATOR, "noises.noise_2", None),
        ("generator", GENERATOR, "convs.0.extra.weight", torch.zeros(3)),
        ("generator", GENERATOR, "to_rgbs.1.upsample.kernel", torch.ones(4, 4) / 4),
        ("encoder", ENCODER, "block_3.1.conv2.weight", None),
        ("encoder", ENCODER, "styles.4.weight", torch.zeros(D, 7)),
        ("encoder", ENCODER, "styles.9.bias", None),
        ("identity", ARCFACE, "fc.weight", torch.zeros(16, 25)),
        ("identity", ARCFACE, "layer2.0.downsample.1.running_var", None),
    ],
)
def test_what_does_not_fit_is_refused_by_its_key(
    files: Sources, tmp_path: Path, file: str, weights: dict, key: str, value: torch.Tensor | None
) -> None:
    path = tmp_path / "other.pt"
    torch.save(changed(weights, key, value), path)
    with pytest.raises(UnsuitableCheckpoint, match=f"other.pt: .*{key.rpartition('.')[0]}"):
        import_pack(replace(files, **{file: path}), "toy", tmp_path / "packs")
    assert not (tmp_path / "packs").exists()


def test_an_encoder_of_another_generator_is_refused(files: Sources, tmp_path: Path) -> None:
    torch.save({"g_ema": generator_weights(layouts.rosinality((16,) * 4, D, 2))}, tmp_path / "small.pt")
    with pytest.raises(UnsuitableCheckpoint, match=r"e\.pth: styles are 10; this generator takes 8"):
        import_pack(replace(files, generator=tmp_path / "small.pt"), "toy", tmp_path)


def test_files_that_are_something_else_are_refused(files: Sources, tmp_path: Path) -> None:
    for path in (files.encoder, files.directions[0].path, files.directions[1].path, tmp_path / "nothing.pt"):
        with pytest.raises(UnsuitableCheckpoint, match=path.name):
            import_pack(Sources(path), "toy", tmp_path)
    (tmp_path / "page.pt").write_text("<!DOCTYPE html><title>Sign in</title>")
    with pytest.raises(UnsuitableCheckpoint, match="check the download"):
        import_pack(Sources(tmp_path / "page.pt"), "toy", tmp_path)
    (tmp_path / "half.pt").write_bytes(files.generator.read_bytes()[:3000])
    with pytest.raises(UnsuitableCheckpoint, match=r"half\.pt"):
        import_pack(Sources(tmp_path / "half.pt"), "toy", tmp_path)


def test_safetensors_are_read_too(tmp_path: Path) -> None:
    save_file({k: v.contiguous() for k, v in GENERATOR.items()}, tmp_path / "g.safetensors")
    assert read_generator(read_checkpoint(tmp_path / "g.safetensors"), tmp_path).config.resolution == 64


def test_an_existing_pack_is_not_touched(files: Sources, tmp_path: Path) -> None:
    folder = import_pack(files, "toy", tmp_path / "packs").folder
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    with pytest.raises(OutputExists, match="toy"):
        import_pack(files, "toy", tmp_path / "packs")
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before


def test_a_full_disk_leaves_nothing(files: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, spec: PackSpec) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "write_pack", full)
    with pytest.raises(DiskFull, match="free some space"):
        import_pack(files, "toy", tmp_path / "packs")
    assert list((tmp_path / "packs").iterdir()) == []


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b"])
def test_a_name_is_no_path(files: Sources, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        import_pack(files, name, tmp_path)


def test_the_users_own_packs_can_be_named(files: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDINV_PACKS", str(tmp_path / "mine"))
    import_pack(files, "toy", tmp_path / "mine")
    (tmp_path / "mine" / ".other.part").mkdir()
    (tmp_path / "mine" / ".other.part" / "pack.toml").touch()
    assert [p.name for p in list_packs() if p.parent == tmp_path / "mine"] == ["toy"]
    assert load_pack("toy").name == "toy"


def test_the_generator_is_made_of_the_checkpoints_shapes() -> None:
    shape = read_generator({"g_ema": GENERATOR}, Path("g.pt")).config
    assert (shape.channels, shape.d_style, shape.mapping_layers) == ((16, 16, 16, 8, 8), D, 2)
    assert sum(p.numel() for p in Generator(shape).parameters()) > 0
