"""Published weights under this package's names, checked against the network they are for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from torch import Tensor, nn

from vidinv.errors import UnsuitableCheckpoint
from vidinv.models.uninitialised import Uninitialised


def renamer(*rules: tuple[str, str]) -> Callable[[str], str]:
    """One of our keys to the published one: the first rule whose pattern matches the whole key; else the same name."""
    compiled = [(re.compile(pattern), new) for pattern, new in rules]

    def rename(key: str) -> str:
        return next((match.expand(new) for pattern, new in compiled if (match := pattern.fullmatch(key))), key)

    return rename


def fitted(
    make: Callable[[], nn.Module],
    published: dict[str, Tensor],
    rename: Callable[[str], str],
    path: Path,
    *,
    ignored: str = "",
    own: tuple[str, ...] = (),
) -> dict[str, Tensor]:
    """``published`` under our names if it is exactly what the network needs, axes of length one aside.

    :param make: builds the network.
    :param rename: one of our keys to the published one.
    :param ignored: pattern of published keys that are rightly left out; counters of batch norms always are.
    :param own: keys of ours that are not published.
    :raises UnsuitableCheckpoint: a missing, an unknown or an unfitting key, by its published name.
    """
    with Uninitialised():
        needed = {k: v.shape for k, v in make().state_dict().items() if not k.endswith("num_batches_tracked")}
    names = {k: rename(k) for k in needed if k not in own}
    missing = [name for name in names.values() if name not in published]
    if missing:
        raise UnsuitableCheckpoint(f"{path}: without {_some(missing)}; this is another network, or part of one")
    left_out = re.compile(rf".*num_batches_tracked|{ignored}")
    unknown = [k for k in published.keys() - set(names.values()) if not left_out.fullmatch(k)]
    if unknown:
        raise UnsuitableCheckpoint(f"{path}: {_some(sorted(unknown))} unknown; this variant cannot be used")
    for key, name in names.items():
        is_, should = list(published[name].shape), list(needed[key])
        if [n for n in is_ if n != 1] != [n for n in should if n != 1]:
            raise UnsuitableCheckpoint(f"{path}: {name} is {is_} and should be {should}; this variant cannot be used")
    return {key: published[name].reshape(needed[key]) for key, name in names.items()}


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
