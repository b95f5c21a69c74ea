"""NVIDIA's pickles give their numbers, and nothing in any pickle is ever executed."""

from __future__ import annotations

import builtins
import collections
import os
import pickle
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.packs.published.nvidia_pickles import EasyDict, Persistent, their_modules
from vidinv.errors import UnsuitableCheckpoint
from vidinv.packs.published import reading
from vidinv.packs.published.reading import read_checkpoint
from vidinv.packs.published.unpickle import plain_pickle


@pytest.fixture
def nvidia_modules() -> Iterator[None]:
    with their_modules():
        yield


def layer(name: int) -> Persistent:
    made = Persistent(in_features=3, size=np.array([4, 4]), gain=np.float32(0.5), kernel=torch.Size([3, 3]))
    made.weight = nn.Parameter(torch.full((2, 3), float(name)))
    made.register_buffer("noise_const", torch.arange(6.0).view(2, 3).t())
    return made


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_network_becomes_its_state(tmp_path: Path, nvidia_modules: None, protocol: int) -> None:
    network = Persistent(z_dim=8, synthesis_kwargs=EasyDict(conv_clamp=256))
    network.mapping = Persistent()
    network.mapping.fc0, network.mapping.fc1 = layer(0), layer(1)
    network.mapping.register_buffer("w_avg", torch.linspace(0, 1, 8, dtype=torch.float16))
    path = tmp_path / "network.pkl"
    path.write_bytes(pickle.dumps({"G_ema": network, "training_set_kwargs": EasyDict(path="x"), "D": None}, protocol))
    read = read_checkpoint(path)
    state = read["G_ema"]
    assert list(read) == ["G_ema", "training_set_kwargs", "D"]
    assert {k: v.shape for k, v in state.items() if k != "init_kwargs"} == {
        k: v.shape for k, v in network.state_dict().items()
    }
    assert all(torch.equal(state[k], v) for k, v in network.state_dict().items())
    assert state["init_kwargs"] == {"z_dim": 8, "synthesis_kwargs": {"conv_clamp": 256}}


def test_arrays_and_numbers_are_read(tmp_path: Path) -> None:
    arrays = [np.arange(6).reshape(2, 3), np.asfortranarray(np.eye(3, 2, dtype=">f4")), np.array([True, False])]
    path = tmp_path / "numbers.pkl"
    path.write_bytes(pickle.dumps({"arrays": arrays, "scalar": np.float64(0.25), "device": torch.device("cpu")}))
    read = plain_pickle(path)
    assert all(np.array_equal(a, b) for a, b in zip(read["arrays"], arrays, strict=True))
    assert (read["scalar"], read["device"]) == (0.25, "cpu")


# ---- hostile files: each would create the file "executed" beside itself, were it believed


class Reduce:
    def __init__(self, *reduced: object) -> None:
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


def opcodes(text: str) -> bytes:
    """A program for the pickle machine, in its oldest, readable form."""
    return b"\x80\x02" + text.encode() + b"."


def hostile(mark: Path) -> dict[str, bytes]:
    touch, command = f"open({str(mark)!r}, 'w').close()", f"touch {mark}"
    evil, call = Reduce(os.system, (command,)), f"cos\nsystem\n(V{command}\ntR"
    dotted = "torch", "storage.os.system"
    return {
        "os.system": pickle.dumps(evil),
        "subprocess": pickle.dumps(Reduce(subprocess.call, (["touch", str(mark)],))),
        "eval": pickle.dumps(Reduce(builtins.eval, (touch,))),
        "exec deep inside": pickle.dumps({"G_ema": {"w": [torch.zeros(2), Reduce(builtins.exec, (touch,))]}}),
        "getattr": pickle.dumps(Reduce(getattr, (touch, "upper"))),
        "torch.load": pickle.dumps(Reduce(torch.load, (str(mark),))),
        "a pickle as a storage": pickle.dumps(Reduce(torch.storage._load_from_bytes, (pickle.dumps(evil),))),
        "GLOBAL": opcodes(call),
        "INST": opcodes(f"(V{command}\nios\nsystem\n"),
        "OBJ": opcodes(f"(cos\nsystem\nV{command}\no"),
        "a dotted name": b"\x80\x04" + b"".join(b"\x8c" + bytes([len(n)]) + n.encode() for n in dotted) + b"\x93.",
        "the state of a module": opcodes(
            f"ctorch_utils.persistence\n_reconstruct_persistent_obj\n((dVstate\n{call}stR"
        ),
        "a helper of torch": opcodes("ctorch._utils\n_import_dotted_name\n(Vos.system\ntR"),
        "a runner of numpy": opcodes(f"cnumpy.testing._private.utils\nrunstring\n(V{touch}\n(dtR"),
        "state for a function": opcodes("ctorch._utils\n_rebuild_tensor_v2\n(N(dV__code__\nVx\nstb"),
        "state for a type": opcodes("ccollections\nOrderedDict\n(N(dVget\nVx\nstb"),
        "an array of objects": opcodes(
            "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR"
            f"(I1\n(I1\ntcnumpy\ndtype\n(VO8\ntRI00\n(l{call}atb"
        ),
        "a type by its constructor": opcodes("ccopyreg\n_reconstructor\n(cos\nsystem\ncbuiltins\nobject\nNtR"),
        "something outside the file": opcodes(f"P{command}\n"),
    }


@pytest.mark.parametrize("name", hostile(Path("x")))
def test_nothing_is_executed(tmp_path: Path, name: str) -> None:
    mark, path = tmp_path / "executed", tmp_path / "network.pkl"
    path.write_bytes(hostile(mark)[name])
    methods = dict(collections.OrderedDict.__dict__)
    with pytest.raises(UnsuitableCheckpoint, match=r"network\.pkl"):
        read_checkpoint(path)
    assert not mark.exists()
    assert dict(collections.OrderedDict.__dict__) == methods


def test_the_hostile_files_are_hostile(tmp_path: Path) -> None:
    """Guards the guard: an ordinary reader does execute them."""
    mark = tmp_path / "executed"
    pickle.loads(hostile(mark)["GLOBAL"])
    assert mark.exists()


@pytest.mark.parametrize("suffix", [".pt", ".pth"])
def test_a_hostile_torch_file_is_refused(tmp_path: Path, suffix: str) -> None:
    mark, path = tmp_path / "executed", tmp_path / f"weights{suffix}"
    torch.save({"g_ema": Reduce(os.system, (f"touch {mark}",))}, path, _use_new_zipfile_serialization=suffix == ".pt")
    with pytest.raises(UnsuitableCheckpoint, match="cannot be read without running"):
        read_checkpoint(path)
    assert not mark.exists()


def test_a_hostile_array_file_is_refused(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    np.save(tmp_path / "age.npy", np.array([Reduce(os.system, (f"touch {mark}",))]), allow_pickle=True)
    with pytest.raises(UnsuitableCheckpoint, match=r"age\.npy"):
        read_checkpoint(tmp_path / "age.npy")
    assert not mark.exists()


def test_a_small_file_cannot_ask_for_a_huge_tensor(tmp_path: Path) -> None:
    tensor = torch.zeros(1).expand(10**9)
    path = tmp_path / "bomb.pkl"
    path.write_bytes(pickle.dumps({"w": Reduce(*tensor.__reduce_ex__(2)[:2])}))
    with pytest.raises(UnsuitableCheckpoint, match="larger than its storage"):
        read_checkpoint(path)


def test_a_small_file_cannot_ask_for_room_to_remember(tmp_path: Path) -> None:
    path = tmp_path / "memo.pkl"
    path.write_bytes(b"\x80\x02Nr\xff\xff\xff\x7f.")
    with pytest.raises(UnsuitableCheckpoint, match="asks for room for 2147483647"):
        read_checkpoint(path)


@pytest.mark.parametrize("archive", [True, False])
@pytest.mark.parametrize("times", [1, 3])
def test_a_stored_number_is_no_huge_tensor(tmp_path: Path, archive: bool, times: int) -> None:
    path, tensor = tmp_path / "bomb.pt", torch.zeros(1, dtype=torch.float16).expand(4 * 10**8)
    tree = {"g_ema": {str(i): tensor for i in range(times)}}
    torch.save(tree, path, _use_new_zipfile_serialization=archive)
    if times == 1:
        assert read_checkpoint(path)["g_ema"]["0"].shape == tensor.shape
        return
    with pytest.raises(UnsuitableCheckpoint, match="more than 1073741824 values"):
        read_checkpoint(path)


@pytest.mark.parametrize("name", ["directions.npz", "weights.pt"])
def test_an_archive_says_what_it_expands_to(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MOST_EXPANDED", 100_000)
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("comp.npy" if name.endswith("npz") else "archive/data.pkl", bytes(200_000))
    with pytest.raises(UnsuitableCheckpoint, match="expand to 200000 bytes, and 100000 are the most"):
        read_checkpoint(tmp_path / name)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no devices here")
def test_what_has_no_end_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "weights.pt").symlink_to("/dev/zero")
    with pytest.raises(UnsuitableCheckpoint, match="a device or a pipe and no file"):
        read_checkpoint(tmp_path / "weights.pt")


@pytest.mark.parametrize("shared", ["lists", "modules"])
def test_a_small_file_cannot_name_the_same_thing_a_million_times(
    tmp_path: Path, nvidia_modules: None, shared: str
) -> None:
    inner: object = layer(0) if shared == "modules" else [1]
    for _ in range(60):
        outer = Persistent() if shared == "modules" else [inner, inner]
        if shared == "modules":
            outer.a = outer.b = inner
        inner = outer
    path = tmp_path / "bomb.pkl"
    path.write_bytes(pickle.dumps({"G_ema": inner}))
    if shared == "modules":
        with pytest.raises(UnsuitableCheckpoint, match="more than 10000 tensors"):
            read_checkpoint(path)
    else:
        assert len(read_checkpoint(path)["G_ema"]) == 2


def test_tensorflows_pickles_are_named(tmp_path: Path) -> None:
    path = tmp_path / "stylegan2.pkl"
    path.write_bytes(opcodes("cdnnlib.tflib.network\nNetwork\n(tR"))
    with pytest.raises(UnsuitableCheckpoint, match="TensorFlow; convert it"):
        read_checkpoint(path)


@pytest.mark.parametrize("size", [1, 20, 200, 500])
def test_a_cut_file_is_refused(tmp_path: Path, nvidia_modules: None, size: int) -> None:
    path = tmp_path / "cut.pkl"
    path.write_bytes(pickle.dumps({"G_ema": layer(1)})[:size])
    with pytest.raises(UnsuitableCheckpoint, match=r"cut\.pkl"):
        read_checkpoint(path)
