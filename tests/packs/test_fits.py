"""A file whose hash is right and whose tensors are not is refused by file, tensor, what it is and what it should be."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tomli_w
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tests.toy import ENCODER, write_toy_pack
from vidinv.errors import DamagedPack
from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.identity import IdentityConfig, IdentityNet
from vidinv.models.iresnet_encoder import IResNetEncoder, IResNetEncoderConfig
from vidinv.packs.digest import sha256
from vidinv.packs.fits import misfit
from vidinv.packs.load import load_pack
from vidinv.packs.spec import NetworkSpec
from vidinv.packs.write import write_pack, write_tensors

REPOSITORY = Path(__file__).resolve().parents[2]
Tensors = dict[str, Tensor]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_toy_pack(tmp_path / "toy")


def changed(folder: Path, name: str, change: Callable[[Tensors], Tensors]) -> Path:
    """The pack with other tensors in a file, and the hash that vouches for them."""
    path = folder / f"{name}.safetensors"
    save_file({k: v.clone().contiguous() for k, v in change(load_file(path)).items()}, path)
    table = tomllib.loads((folder / "pack.toml").read_text())
    table["files"][path.name] = sha256(path)
    (folder / "pack.toml").write_text(tomli_w.dumps(table))
    return path


def with_one(name: str, change: Callable[[Tensor], Tensor]) -> Callable[[Tensors], Tensors]:
    return lambda tensors: tensors | {name: change(tensors[name])}


CHANGES: list[tuple[str, Callable[[Tensors], Tensors], str]] = [
    ("generator", with_one("constant", lambda t: t.flatten()), "constant is [256] and should be [1, 16, 4, 4]"),
    ("generator", with_one("constant", lambda t: t[:0]), "constant is [0, 16, 4, 4] and should be [1, 16, 4, 4]"),
    ("generator", with_one("constant", Tensor.int), "constant holds int32 and should hold float32"),
    ("generator", lambda t: {k: v.cfloat() for k, v in t.items()}, "constant holds complex64 and should hold float32"),
    ("generator", lambda t: {k: v for k, v in t.items() if k != "constant"}, "it lacks constant [1, 16, 4, 4]"),
    ("generator", lambda t: {}, "it lacks constant [1, 16, 4, 4] (and 76 more)"),
    ("encoder", with_one("mean_latent", lambda t: t.T), "mean_latent is [16, 10] and should be [10, 16]"),
    ("encoder", with_one("mean_latent", lambda t: t > 0), "mean_latent holds bool and should hold float32"),
    ("identity", lambda t: t | {"other": torch.zeros(3)}, "it has other [3], which the network has not"),
    ("landmarks", lambda t: t | {f"o{i}": torch.zeros(1) for i in range(3)}, "which the network has not (and 2 more)"),
    ("directions", with_one("age", lambda t: t[1:]), "age is [9, 16] and should be [10, 16], as the generator's codes"),
    ("directions", with_one("smile.feature", lambda t: t[0]), "smile.feature is [16, 16] and should be [16, 16, 16]"),
    ("directions", with_one("age", Tensor.cfloat), "age holds complex64 and should hold float32"),
]


@pytest.mark.parametrize(("name", "change", "said"), CHANGES)
def test_a_tensor_that_does_not_fit_is_named_with_what_it_should_be(
    folder: Path, name: str, change: Callable[[Tensors], Tensors], said: str
) -> None:
    path = changed(folder, name, change)
    with pytest.raises(DamagedPack) as refused:
        getattr(load_pack(folder), name)
    told = str(refused.value)
    assert told.startswith(f"pack toy: {path} does not fit pack.toml: ")
    assert said in told
    assert told.endswith("; reinstall the pack")
    assert refused.value.exit_code == 5


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_numbers_of_any_precision_are_read(folder: Path, kind: torch.dtype) -> None:
    right = load_pack(folder).encoder.state_dict()
    changed(folder, "encoder", lambda tensors: {k: v.to(kind) for k, v in tensors.items()})
    read = load_pack(folder).encoder.state_dict()
    assert read.keys() == right.keys()
    assert all(torch.allclose(read[k], right[k], rtol=0.02, atol=0.02) for k in right)


def test_the_counters_of_batch_norms_may_be_missing(folder: Path) -> None:
    lacking = lambda tensors: {k: v for k, v in tensors.items() if not k.endswith("num_batches_tracked")}  # noqa: E731
    changed(folder, "identity", lacking)
    assert load_pack(folder).identity(torch.zeros(1, 3, 64, 64)).shape == (1, 128)


def other(folder: Path, name: str, network: nn.Module, kind: str) -> Path:
    """The pack with another network, whole in itself."""
    write_tensors(folder / f"{name}.safetensors", network.state_dict())
    spec = load_pack(folder).spec
    write_pack(folder, replace(spec, networks={**spec.networks, name: NetworkSpec(kind, network.config)}))
    return folder


ELSEWHERE: list[tuple[FeatureStyleEncoder | IResNetEncoder, str, str]] = [
    *(
        (FeatureStyleEncoder(replace(ENCODER, **sizes)), "residual", wanted)
        for sizes, wanted in (
            ({"layers": 8}, "layers = 10"),
            ({"d_style": 8}, "d_style = 16"),
            ({"feature_channels": 8}, "feature_channels = 16"),
            ({"feature_side": 8}, "feature_side = 16"),
        )
    ),
    (IResNetEncoder(IResNetEncoderConfig(64, (4,) * 5, (1,) * 4, 2, 8, 4)), "iresnet",
     "layers = 10, d_style = 16, feature_channels = 16, side = 256"),
]  # fmt: skip


@pytest.mark.parametrize(("network", "kind", "wanted"), ELSEWHERE)
def test_an_encoder_for_another_generator_is_refused(
    folder: Path, network: FeatureStyleEncoder | IResNetEncoder, kind: str, wanted: str
) -> None:
    pack = load_pack(other(folder, "encoder", network, kind))
    with pytest.raises(DamagedPack, match=f"encoder is for another generator, this one needs {wanted}; reinstall"):
        _ = pack.encoder


def test_sizes_that_nothing_can_read_are_refused_by_key(folder: Path) -> None:
    with pytest.raises(DamagedPack, match=r"pack\.toml: identity\.embedding is 0 and should be 1 or more"):
        load_pack(other(folder, "identity", IdentityNet(IdentityConfig(embedding=0)), "student"))
    table = tomllib.loads((folder / "pack.toml").read_text())
    table["identity"]["embedding"] = 128
    table["landmarks"] = {"points": 5}
    (folder / "pack.toml").write_text(tomli_w.dumps(table))
    with pytest.raises(DamagedPack, match=r"landmarks\.points is 5 and should be the 68 of iBUG 300-W"):
        load_pack(folder)


def test_a_name_of_a_thousand_letters_is_cut() -> None:
    said = misfit({"x" * 1000: torch.zeros(1)}, {})
    assert said == f"it has {'x' * 80}... [1], which the network has not"


def test_a_run_ends_before_anything_is_written(folder: Path, tmp_path: Path) -> None:
    path = changed(folder, "generator", with_one("constant", Tensor.int))
    (tmp_path / "there").mkdir()
    source = REPOSITORY / "assets" / "sample.mp4"
    command = [sys.executable, "-m", "vidinv", "run", source, "-e", "age=1", "--pack", folder, "-o", "there/out.mp4"]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY)}
    )
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.splitlines() == [
        f"error: pack toy: {path} does not fit pack.toml: constant holds int32 and should hold float32; "
        "reinstall the pack"
    ]
    assert list((tmp_path / "there").iterdir()) == []
