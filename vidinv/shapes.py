"""How records of arrays tell of themselves: by shapes and types, since nobody reads a million numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

MANY = 4  # parts of a tuple or a mapping that are listed


def told(self: Any) -> str:
    """``Frame(image=uint8[720, 1280, 3], index=3)``; for ``__repr__ = told`` in a dataclass. None is left out."""
    parts = ((f.name, getattr(self, f.name)) for f in fields(self) if f.repr)
    return f"{type(self).__name__}({', '.join(f'{name}={shape(v)}' for name, v in parts if v is not None)})"


def shape(value: Any) -> str:
    """An array or a tensor as its type and shape, anything else as it is."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and len(value.shape):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, Mapping):
        listed = [f"{key!r}: {shape(one)}" for key, one in list(value.items())[:MANY]]
        return f"{{{', '.join(listed)}{_rest(len(value))}}}"
    if isinstance(value, tuple | list):
        if value and all(is_dataclass(one) for one in value) and len({type(one) for one in value}) == 1:
            return f"<{len(value)} {type(value[0]).__name__}>"
        return f"({', '.join(map(shape, value[:MANY]))}{_rest(len(value))})"
    return repr(value)


def _rest(count: int) -> str:
    return f", and {count - MANY} more" if count > MANY else ""
