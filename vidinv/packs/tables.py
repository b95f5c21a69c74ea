"""Tables of a pack.toml to frozen dataclasses; whatever is wrong is told by file and key."""

from __future__ import annotations

import inspect
import reprlib
import sys
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from vidinv.errors import DamagedPack

T = TypeVar("T")
Where = str | Path  # of the pack.toml, for messages
UPDATE = "update vidinv, or reinstall the pack"  # advice where a newer version may have written what is not known here
_NAMES = {int: "a whole number", float: "a finite number", bool: "true or false", str: "a text", dict: "a table"}


def damaged(where: Where, key: str, cause: str, advice: str = "reinstall the pack") -> DamagedPack:
    """The error for one key, such as ``edits.age.step``."""
    return DamagedPack(f"{where}: {key} {cause}; {advice}")


def typed(value: Any, kind: Any, where: Where, key: str) -> Any:
    """A value of TOML as ``kind``: int, float (finite; whole numbers are taken), bool, str, dict, or a tuple of these,
    which TOML writes as a list.

    :raises DamagedPack: another type, another length, infinity or no number.
    """
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        if not isinstance(value, list):
            raise damaged(where, key, f"is {reprlib.repr(value)} and should be a list")
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(value)
        if len(kinds) != len(value):
            raise damaged(where, key, f"holds {len(value)} values and should hold {len(kinds)}")
        return tuple(typed(v, k, where, f"{key}[{i}]") for i, (v, k) in enumerate(zip(value, kinds, strict=True)))
    if kind is float and type(value) in (int, float) and abs(value) <= sys.float_info.max:
        return float(value)
    if kind is str and type(value) is str and not "".join(value.split()).isprintable():
        raise damaged(where, key, f"is {reprlib.repr(value)}, with characters that a terminal would obey")
    # Of exactly this type: true and false would pass as whole numbers.
    if kind is not float and type(value) is kind:
        return value
    raise damaged(where, key, f"is {reprlib.repr(value)} and should be {_NAMES[kind]}")


def entry(table: dict[str, Any], name: str, kind: Any, where: Where) -> Any:
    """An entry of the file itself that must be there, as ``kind``. :raises DamagedPack: it is missing, or no such."""
    if name not in table:
        raise damaged(where, name, "is missing")
    return typed(table[name], kind, where, name)


def record(kind: type[T], table: Any, where: Where, key: str) -> T:
    """The table ``key`` as a frozen dataclass, whose own checks may raise ValueError.

    :raises DamagedPack: an unknown or a missing key, a wrong type, or what the dataclass refuses.
    """
    values = typed(table, dict, where, key)
    parameters, types = inspect.signature(kind).parameters, get_type_hints(kind)
    if unknown := sorted(values.keys() - parameters.keys()):
        raise damaged(where, f"{key}.{unknown[0]}", f"is unknown; there are {', '.join(parameters)}", UPDATE)
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in values:
            raise damaged(where, f"{key}.{name}", "is missing")
    read = {k: typed(v, types[k], where, f"{key}.{k}") for k, v in values.items()}
    try:
        return kind(**read)
    except ValueError as error:
        raise damaged(where, key, f"cannot be used ({error})") from None
