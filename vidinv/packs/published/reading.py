"""A published file to tensors and plain containers, whatever it was saved with; nothing in it is ever executed."""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from vidinv.errors import UnsuitableCheckpoint
from vidinv.packs.digest import check_regular
from vidinv.packs.published.unpickle import plain_pickle
from vidinv.regular import check_header

_MOST_VALUES = 1 << 30  # of all tensors of a file; the largest published ones have half of that
_MOST_EXPANDED = 1 << 32  # bytes
# How files of torch.save before version 1.6 begin: a pickled magic number.
_OLD_TORCH = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")


def read_checkpoint(path: Path) -> Any:
    """Read .pt, .pth (torch.save, with weights_only), .pkl (NVIDIA's, see vidinv.packs.published.unpickle), .npy, .npz
    or .safetensors; the contents decide, not the name. Tensors lie on the CPU.

    :raises UnsuitableCheckpoint: no such file, none of these formats, or one that would have to run code.
    """
    try:
        check_regular(path)
        with path.open("rb") as file:
            head = file.read(16)
        # Training scripts put their options beside the weights; a Namespace holds attributes and does nothing.
        with torch.serialization.safe_globals([argparse.Namespace]):
            read = _read(path, head)
        _check_values(read)
        return read
    except UnsuitableCheckpoint:
        raise
    except OSError as error:
        raise UnsuitableCheckpoint(f"{path} cannot be read ({error.strerror}); check the name") from None
    except Exception as error:  # the libraries raise anything at all on a damaged or hostile file
        reason = " ".join(str(error).split())
        raise UnsuitableCheckpoint(
            f"{path} cannot be read without running what is in it, or is damaged: {reason[:300]}"
        ) from None


def _read(path: Path, head: bytes) -> Any:
    if head.startswith(b"\x93NUMPY"):
        return torch.from_numpy(np.load(path, allow_pickle=False))
    if head.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            _check_expanded(archive)
            arrays = all(name.endswith(".npy") for name in archive.namelist())
        if arrays:
            with np.load(path, allow_pickle=False) as arrays_:
                return {k: torch.from_numpy(arrays_[k]) for k in arrays_.files}
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    if head.startswith(_OLD_TORCH):
        return torch.load(path, map_location="cpu", weights_only=True)
    if head[:1] == b"\x80":
        return plain_pickle(path)
    if head[8:9] == b"{":
        check_header(path)
        return load_file(path)
    raise UnsuitableCheckpoint(f"{path} is no file of torch, numpy, safetensors or pickle; check the download")


def _check_expanded(archive: zipfile.ZipFile) -> None:
    """What an archive becomes is said in it before anything is expanded."""
    expanded = sum(part.file_size for part in archive.infolist() if part.compress_type != zipfile.ZIP_STORED)
    if expanded > _MOST_EXPANDED:
        raise ValueError(f"it would expand to {expanded} bytes, and {_MOST_EXPANDED} are the most that is read")


def _check_values(tree: Any) -> None:
    """A tensor can show one stored number as any count of them, and a list one tensor any number of times; written out
    as float32, all that is read must fit a bound."""
    left, waiting, seen = _MOST_VALUES, [tree], set[int]()
    while waiting:
        value = waiting.pop()
        if isinstance(value, Tensor):
            if value.layout is not torch.strided or value.is_meta:
                raise ValueError("it holds tensors that are not written out")
            if value.is_complex() or value.is_quantized:
                raise ValueError(f"it holds tensors of {str(value.dtype).removeprefix('torch.')}")
            left -= value.numel()
            if left < 0:
                raise ValueError(f"its tensors have more than {_MOST_VALUES} values, the most that is read")
        elif isinstance(value, dict | list | tuple) and id(value) not in seen:
            seen.add(id(value))
            waiting += value.values() if isinstance(value, dict) else value


def tensors_under(tree: dict[str, Any], prefix: str) -> dict[str, Tensor]:
    """The entries of a flat state whose keys begin with ``prefix``, without it."""
    return {k.removeprefix(prefix): v for k, v in tree.items() if k.startswith(prefix) and isinstance(v, Tensor)}


def state_of(tree: Any, path: Path) -> dict[str, Tensor]:
    """The flat state of a checkpoint that holds one network: bare, wrapped once, or saved from DataParallel.

    :raises UnsuitableCheckpoint: when there is none.
    """
    for key in ("state_dict", "model_state_dict", "model", "encoder"):
        if isinstance(tree, dict) and isinstance(tree.get(key), dict):
            tree = tree[key]
    if not isinstance(tree, dict) or not any(isinstance(v, Tensor) for v in tree.values()):
        raise UnsuitableCheckpoint(f"{path} holds no weights by name; give the file that its authors published")
    return {k.removeprefix("module."): v for k, v in tree.items() if isinstance(v, Tensor)}
