"""Settings files of the recipes: TOML, whose tables are the frozen dataclasses that the networks and loops take."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


def read_settings(path: Path) -> dict[str, Any]:
    """A settings file. ``include = ["other.toml"]`` takes the tables, and the keys of its own tables, that it has not
    itself from other files, named by paths relative to it."""
    settings = tomllib.loads(path.read_text(encoding="utf-8"))
    for name in settings.pop("include", []):
        settings = _over(read_settings(path.parent / name), settings)
    return settings


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """``above``, and what it lacks from ``below``, key by key."""
    inner = {k: _over(below[k], v) for k, v in above.items() if isinstance(v, dict) and isinstance(below.get(k), dict)}
    return below | above | inner


def chosen(table: dict[str, Any], kind: type, *names: str) -> dict[str, Any]:
    """Some fields of a dataclass: what a table says of each, or else its default."""
    return {name: table.get(name, getattr(kind, name)) for name in names}


def build(kind: type[T], table: dict[str, Any]) -> T:
    """A dataclass from a table of TOML: lists become tuples, tables within it the dataclasses of those fields.

    :raises ValueError: a key that the dataclass does not know.
    """
    types = get_type_hints(kind)
    assert dataclasses.is_dataclass(kind)
    unknown = sorted(set(table) - {f.name for f in dataclasses.fields(kind)})
    if unknown:
        raise ValueError(f"settings: {kind.__name__} has no {', '.join(unknown)}")
    values = {
        k: build(types[k], v) if isinstance(v, dict) else tuple(v) if isinstance(v, list) else v
        for k, v in table.items()
    }
    return kind(**values)
