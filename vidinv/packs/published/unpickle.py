"""NVIDIA's network pickles (StyleGAN2-ADA, StyleGAN3) to tensors and plain containers, without running their code.

Such a pickle carries each module's source text and state. The machine that reads it may here call nothing but the
builders of this file, which make tensors, arrays and containers; every other name it asks for ends the reading. The
source text is kept as the text that it is.
"""

from __future__ import annotations

import io
import math
import mmap
import pickle
import pickletools
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vidinv.errors import UnsuitableCheckpoint

_PERSISTENT = "torch_utils.persistence"
_KINDS = "biufc"  # of array elements: numbers only
_SPARE_SLOTS = 256  # that a program may leave out
_MOST_TENSORS = 10_000  # in one module; StyleGAN3 has some two hundred


class _Builder:
    """What a pickle gets in place of a function. It cannot be changed: setting state on it is refused."""

    __slots__ = ("_make",)
    _make: Callable[..., Any]

    def __init__(self, make: Callable[..., Any]) -> None:
        object.__setattr__(self, "_make", make)

    def __call__(self, *args: Any) -> Any:
        return self._make(*args)

    def __setattr__(self, name: str, value: Any) -> None:
        raise pickle.UnpicklingError(f"it tries to change {name} of a function")

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it tries to give a function a state")


class _Array:
    """An array while its state is still to come."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: np.ndarray | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "value" or not (value is None or isinstance(value, np.ndarray)):
            raise pickle.UnpicklingError(f"it tries to change {name} of an array")
        object.__setattr__(self, name, value)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, by_columns, data = state
        self.value = _from_bytes(data, dtype, shape, by_columns)


class _DataType:
    """The type of an array's elements; the byte order comes as its state."""

    __slots__ = ("spec",)
    spec: np.dtype

    def __init__(self, spec: str) -> None:
        self.__setstate__((3, "=", spec))

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "spec" or not isinstance(value, np.dtype):
            raise pickle.UnpicklingError(f"it tries to change {name} of a number type")
        object.__setattr__(self, name, value)

    def __setstate__(self, state: tuple) -> None:
        kind = state[2] if isinstance(state[2], str) else str(self.spec.str[1:])
        order = {"|": "=", "<": "<", ">": ">", "=": "="}[state[1]]
        dtype = np.dtype(order + kind) if len(kind) <= 3 and kind[:1] in _KINDS else None
        if dtype is None or dtype.kind not in _KINDS:
            raise pickle.UnpicklingError(f"an array holds {kind!r} in place of numbers")
        self.spec = dtype


def _from_bytes(data: Any, dtype: Any, shape: Any = (), by_columns: Any = False) -> np.ndarray:
    if isinstance(data, str):
        data = data.encode("latin1")
    if not isinstance(dtype, _DataType) or not isinstance(data, bytes):
        raise pickle.UnpicklingError("an array holds something else than numbers")
    shape = tuple(int(n) for n in shape)
    return np.frombuffer(data, dtype.spec).reshape(shape, order="F" if by_columns else "C").copy()


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    return _from_bytes(bytes(data) if isinstance(data, bytearray) else data, dtype, shape, order == "F")


def _scalar(dtype: Any, data: Any) -> int | float | bool | complex:
    return _from_bytes(data, dtype).item()


def _storage(data: Any) -> Tensor:
    if not isinstance(data, bytes) or data[:2] == b"PK":  # torch never puts its archives, which may expand, in here
        raise pickle.UnpicklingError("a storage holds something else than bytes")
    stored = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return torch.tensor([], dtype=stored.dtype).set_(stored)


def _tensor(storage: Any, offset: int, shape: Any, stride: Any, *_: Any) -> Tensor:
    shape, stride = tuple(map(int, shape)), tuple(map(int, stride))
    if not isinstance(storage, Tensor) or len(shape) != len(stride) or min((offset, *shape, *stride), default=0) < 0:
        raise pickle.UnpicklingError("a tensor without a storage of its own")
    last = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True))
    count = math.prod(shape)
    # Strides of zero would make a small file a tensor of any size.
    if count > storage.numel() or (count and last >= storage.numel()):
        raise pickle.UnpicklingError("a tensor larger than its storage")
    return storage.as_strided(shape, stride, offset).clone()


def _parameter(data: Any, *_: Any) -> Tensor:
    if not isinstance(data, Tensor):
        raise pickle.UnpicklingError("a parameter that is no tensor")
    return data


def _persistent(meta: Any) -> dict:
    if not isinstance(meta, dict):
        raise pickle.UnpicklingError("a persistent object without its description")
    return meta


def _encoded(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError("bytes in an encoding that arrays do not use")
    return text.encode("latin1")


_BUILDERS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): dict,
    ("dnnlib.util", "EasyDict"): dict,
    ("builtins", "set"): _Builder(set),
    ("_codecs", "encode"): _Builder(_encoded),
    ("torch._utils", "_rebuild_tensor_v2"): _Builder(_tensor),
    ("torch._utils", "_rebuild_parameter"): _Builder(_parameter),
    ("torch.storage", "_load_from_bytes"): _Builder(_storage),
    **{("torch", name): f"torch.{name}" for name in ("float16", "float32", "float64", "int64")},
    ("torch", "device"): _Builder(lambda *names: ":".join(map(str, names))),
    ("torch", "Size"): _Builder(lambda sizes=(): tuple(map(int, sizes))),
    ("numpy", "dtype"): _Builder(lambda spec, *_: _DataType(spec)),
    ("numpy", "ndarray"): "numpy.ndarray",  # asked for only as an argument of _reconstruct
    (_PERSISTENT, "_reconstruct_persistent_obj"): _Builder(_persistent),
    **{(f"numpy.{core}.numeric", "_frombuffer"): _Builder(_array) for core in ("core", "_core")},
    **{
        (f"numpy.{core}.multiarray", name): _Builder(make)
        for core in ("core", "_core")
        for name, make in (("_reconstruct", lambda *_: _Array()), ("scalar", _scalar))
    },
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        builder = _BUILDERS.get((module, name))
        if builder is not None:
            return builder
        if module.startswith("dnnlib.tflib"):
            raise pickle.UnpicklingError("it was written by TensorFlow; convert it with stylegan2-ada-pytorch first")
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not needed to hold weights")

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to something outside the file")


def _check_slots(data: Any) -> None:
    """Nine bytes can ask the machine for room for two thousand million things to remember."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > count + _SPARE_SLOTS:
            raise pickle.UnpicklingError(f"it remembers {count} things at most, and asks for room for {argument}")


def plain_pickle(path: Path) -> Any:
    """Read one of NVIDIA's pickles. Modules become flat states, {"mapping.fc0.weight": tensor, ...}, with the arguments
    that they were made with under "init_kwargs".

    :raises UnsuitableCheckpoint: the file asks for anything beyond numbers and containers, or is damaged.
    """
    try:
        # Mapped: a text that says it is longer than the file ends with the file, and takes no memory before.
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _check_slots(data)
            data.seek(0)
            return _plain(_Reader(data).load(), {})
    except OSError:
        raise
    except Exception as error:  # the machine stumbles over a hostile file in every way there is
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UnsuitableCheckpoint(f"{path} cannot be read as weights: {reason}") from None


def _plain(value: Any, done: dict[int, Any]) -> Any:
    """Modules to flat states, arrays to arrays; numbers, texts and tensors stay.

    :param done: what has been converted, by its id: a small file can name the same list a million times.
    """
    if id(value) not in done:
        done[id(value)] = _converted(value, done)
    return done[id(value)]


def _converted(value: Any, done: dict[int, Any]) -> Any:
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, dict):
        if {"class_name", "module_src", "state"} <= value.keys():
            return _module(value["state"], done)
        return {k: _plain(v, done) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(v, done) for v in value)
    return value


def _module(state: Any, done: dict[int, Any]) -> dict[str, Any]:
    if not isinstance(state, dict):
        raise pickle.UnpicklingError("a module without a state")
    tensors = dict(islice(_flat(state, ""), _MOST_TENSORS + 1))
    if len(tensors) > _MOST_TENSORS:
        raise pickle.UnpicklingError(f"a module of more than {_MOST_TENSORS} tensors")
    return {**tensors, "init_kwargs": _plain(state.get("_init_kwargs", {}), done)}


def _flat(state: dict, prefix: str) -> Iterator[tuple[str, Tensor]]:
    """Names and tensors of a module's parameters and buffers, as torch's state_dict names them."""
    for kind in ("_parameters", "_buffers"):
        for name, tensor in state.get(kind, {}).items():
            if isinstance(tensor, Tensor):
                yield f"{prefix}{name}", tensor
    for name, child in state.get("_modules", {}).items():
        if isinstance(child, dict) and isinstance(child.get("state"), dict):
            yield from _flat(child["state"], f"{prefix}{name}.")
