"""Where packs are: by name in a few folders, or by the path of their own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from vidinv.errors import UnknownPack
from vidinv.regular import resolved

DEFAULT_PACK = "face-128-detail"


def user_packs() -> Path:
    """The user's own packs: $VIDINV_PACKS, else vidinv/packs where the system keeps a user's data."""
    if os.environ.get("VIDINV_PACKS"):
        return Path(os.environ["VIDINV_PACKS"])
    try:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    except RuntimeError:  # somebody without a home, as in a container: there is nothing, and nothing can be written
        data = Path(os.devnull)
    return data / "vidinv" / "packs"


def downloads() -> Path:
    """Where published files are kept that packs are made of."""
    return user_packs() / "downloads"


def is_there(look: Callable[[], bool]) -> bool:
    """A look at the disk; a home that may not be looked into holds nothing, and is no reason to stop."""
    try:
        return look()
    except OSError:
        return False


def inside(folder: Path, pattern: str) -> list[Path]:
    """What is in a folder, as far as one may look into it."""
    try:
        return list(folder.glob(pattern))
    except OSError:
        return []


def pack_folders() -> list[Path]:
    """Where packs are looked for by name: inside the wheel, or assets/models of a checkout; then the user's own."""
    here = resolved(Path(__file__)).parent
    return [p for p in (here / "shipped", here.parents[1] / "assets" / "models", user_packs()) if is_there(p.is_dir)]


def list_packs() -> list[Path]:
    """Folders of all packs that can be named."""
    return sorted(p.parent for folder in pack_folders() for p in inside(folder, "[!.]*/pack.toml"))


def find_pack(name: str | Path | None) -> Path:
    """Folder of a pack; None is the default pack.

    :param name: a text without a separator is a name, looked up in :func:`pack_folders` alone: a folder face-128 where
        somebody happens to work must not take the default pack's place. A text with one, "." and ".." are a path, and
        so is a :class:`Path`.
    :raises UnknownPack: when there is no such pack.
    """
    name = name or DEFAULT_PACK
    folders = [Path(name)] if is_path(name) else [p / name for p in pack_folders()]
    for folder in folders:
        if is_there((folder / "pack.toml").is_file):
            return folder
    known = ", ".join(p.name for p in list_packs()) or "none"
    raise UnknownPack(
        f"no model pack {str(name)!r}: installed packs are {known}; or pass the path of a pack's folder, "
        "which holds a separator: ./NAME"
    )


def is_path(name: str | Path) -> bool:
    """Is it where a pack is, rather than what it is called?"""
    separators = [s for s in (os.sep, os.altsep) if s]
    return isinstance(name, Path) or name in (os.curdir, os.pardir) or any(s in name for s in separators)
