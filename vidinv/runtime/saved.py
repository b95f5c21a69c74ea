"""The states of stages as a file: numbers, texts, containers, arrays and this package's own frozen dataclasses.

A file holds tensors (safetensors) and a tree that says what they are parts of. Reading it runs no code but the
constructors of dataclasses of this package; nothing is ever unpickled.
"""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vidinv.errors import InputError

FORMAT = "vidinv states 1"
# Whose records a state may hold: rooms whose files do nothing when they are imported.
_RECORD = re.compile(r"vidinv\.(types|(stages|runtime|report|faces|video|edits|inversion)\.\w+):\w+")
_NUMBERED = re.compile(r"\(os error (\d+)\)")
_UNREADABLE = (
    OSError, SafetensorError, LookupError, TypeError, ValueError, AttributeError, ImportError, RuntimeError,
    AssertionError, ZeroDivisionError,
)  # fmt: skip
_PLAIN = (bool, int, float, str, type(None))
_SEQUENCES: dict[str, type] = {"tuple": tuple, "list": list, "frozenset": frozenset}


def write_states(path: Path, states: Mapping[str, Any]) -> None:
    """:raises TypeError: something in them that no such file can hold. :raises OSError: the file cannot be written."""
    store = _Store()
    tree = json.dumps(store.put(dict(states)))
    try:
        save_file(store.tensors, str(path), {"format": FORMAT, "tree": tree})
    except SafetensorError as error:
        found = _NUMBERED.search(str(error))  # the only place where it says why
        if found is not None and os.name != "nt":
            raise OSError(int(found[1]), os.strerror(int(found[1])), str(path)) from None
        raise OSError(f"{path} cannot be written: {error}") from None


def read_states(path: Path, device: str = "cpu") -> dict[str, Any]:
    """What :func:`write_states` wrote, bit for bit, with arrays laid out in memory as they were.

    :param device: where the tensors go, whichever they were on.
    :raises InputError: the file is missing, damaged or of another kind.
    """
    try:
        with safe_open(str(path), "pt") as file:
            told = file.metadata() or {}
            if told.get("format") != FORMAT:
                raise InputError(f"{path} holds {told.get('format', 'no states')}, not {FORMAT}; begin anew without it")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no mapping
        return dict(_Shelf(tensors, device).get(json.loads(told["tree"])))
    except _UNREADABLE as error:
        raise InputError(f"{path} cannot be read as saved states ({error}); begin anew without it") from None


@dataclass
class _Store:
    """Objects to a tree of JSON. What is shared is written once."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    names: dict[int, Any] = field(default_factory=dict)  # by id
    alive: list[Any] = field(default_factory=list)  # an id means nothing once its object has gone

    def put(self, value: Any) -> Any:
        if type(value) in _PLAIN:
            return value
        if isinstance(value, np.generic):
            return {"array": self._tensor(np.asarray(value)), "scalar": True}
        if isinstance(value, np.ndarray):
            return {"array": self._tensor(value)}
        if isinstance(value, Tensor):
            return {"tensor": self._tensor(value)}
        if isinstance(value, Fraction):
            return {"fraction": [value.numerator, value.denominator]}
        if isinstance(value, Mapping):
            return {"dict": [[self.put(k), self.put(v)] for k, v in value.items()]}
        if type(value).__name__ in _SEQUENCES and isinstance(value, tuple | list | frozenset):
            return {type(value).__name__: [self.put(v) for v in value]}
        name = f"{type(value).__module__}:{type(value).__qualname__}"
        if is_dataclass(value) and _RECORD.fullmatch(name):
            return {"object": name, "fields": {f.name: self.put(getattr(value, f.name)) for f in fields(value)}}
        raise TypeError(f"a state cannot hold a {type(value).__name__}")

    def _tensor(self, value: np.ndarray | Tensor) -> list[Any]:
        """Name and order of axes: networks compute other last bits on the same numbers laid out otherwise."""
        if id(value) not in self.names:
            tensor = value if isinstance(value, Tensor) else torch.from_numpy(np.array(value, copy=True, order="K"))
            order = sorted(range(tensor.dim()), key=lambda axis: -tensor.stride()[axis])
            name = str(len(self.tensors))
            self.tensors[name] = tensor.detach().cpu().permute(order).clone(memory_format=torch.contiguous_format)
            self.names[id(value)] = [name, order]
            self.alive.append(value)
        return list(self.names[id(value)])


@dataclass
class _Shelf:
    """The tree back to objects."""

    tensors: Mapping[str, Tensor]
    device: str

    def get(self, node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        if "array" in node:
            array = self._tensor(*node["array"]).numpy()
            return array[()] if node.get("scalar") else array
        if "tensor" in node:
            return self._tensor(*node["tensor"]).to(self.device)
        if "fraction" in node:
            return Fraction(*node["fraction"])
        if "dict" in node:
            return {self.get(k): self.get(v) for k, v in node["dict"]}
        if "object" in node:
            return _own(node["object"])(**{k: self.get(v) for k, v in node["fields"].items()})
        for name, kind in _SEQUENCES.items():
            if name in node:
                return kind(self.get(v) for v in node[name])
        raise ValueError(f"{', '.join(node) or 'nothing'} is no part of a state")

    def _tensor(self, name: str, order: list[int]) -> Tensor:
        return self.tensors[name].permute([order.index(axis) for axis in range(len(order))])


def _own(name: str) -> type:
    """A dataclass of this package."""
    if not _RECORD.fullmatch(name):
        raise ValueError(f"{name} is no record of this program")
    module, _, qualified = name.partition(":")
    kind = getattr(importlib.import_module(module), qualified)
    if not (isinstance(kind, type) and is_dataclass(kind)):
        raise ValueError(f"{name} is no record of this program")
    return kind


def mapped(value: Any, kinds: tuple[type, ...], change: Callable[[Any], Any]) -> Any:
    """A state, with every record of some kinds in it replaced by what ``change`` makes of it."""
    if isinstance(value, kinds):
        return change(value)
    if isinstance(value, Mapping):
        return {key: mapped(item, kinds, change) for key, item in value.items()}
    if type(value).__name__ in _SEQUENCES and isinstance(value, tuple | list | frozenset):
        return type(value)(mapped(item, kinds, change) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: mapped(getattr(value, f.name), kinds, change) for f in fields(value)})
    return value
