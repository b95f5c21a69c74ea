"""What tells one set of options from another: a digest of plain values, arrays, networks and this package's records."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_PLAIN = (bool, int, float, str, bytes, type(None), Fraction, Path)


def fingerprint(value: Any) -> str:
    """Hex digest that is the same for equal values, in every process.

    :raises TypeError: something in it, as an object of a class that is not ours, whose meaning cannot be read off it.
    """
    digest = hashlib.sha256()
    for piece in _pieces(value):
        digest.update(len(piece).to_bytes(8, "little") + piece)
    return digest.hexdigest()


def _pieces(value: Any) -> Iterator[bytes]:
    """The value as bytes, each behind what it is."""
    kind = type(value)
    yield f"{kind.__module__}:{kind.__qualname__}".encode()
    if isinstance(value, _PLAIN):
        yield value if isinstance(value, bytes) else repr(value).encode()
    elif isinstance(value, Tensor):
        yield f"{value.dtype} {tuple(value.shape)}".encode()
        yield value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
    elif isinstance(value, np.ndarray | np.generic):
        yield f"{value.dtype} {value.shape}".encode()
        yield value.tobytes()
    elif isinstance(value, nn.Module):
        yield from _pieces(dict(value.state_dict()))
    elif isinstance(value, Mapping):
        yield from _each(sorted(b"".join(_pieces(key)) + b"".join(_pieces(item)) for key, item in value.items()))
    elif isinstance(value, frozenset | set):
        yield from _each(sorted(b"".join(_pieces(item)) for item in value))
    elif isinstance(value, tuple | list):
        yield from _each([b"".join(_pieces(item)) for item in value])
    elif is_dataclass(value) and kind.__module__.partition(".")[0] == "vidinv":
        yield from _each([b"".join(_pieces(getattr(value, field.name))) for field in fields(value)])
    else:
        raise TypeError(f"a {kind.__qualname__} cannot be told from another one")


def _each(pieces: list[bytes]) -> Iterator[bytes]:
    yield str(len(pieces)).encode()
    yield from pieces
