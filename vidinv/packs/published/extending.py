"""A copy of a pack with another identity network."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import torch

from vidinv.errors import UsageError
from vidinv.packs.digest import sha256
from vidinv.packs.load import load_pack
from vidinv.packs.published.identities import read_any_identity
from vidinv.packs.published.importing import Imported
from vidinv.packs.published.writing import check_name, new_folder
from vidinv.packs.write import write_pack_toml, write_tensors

_FILE = "identity.safetensors"


def with_identity(base: str | Path, identity: Path, name: str, out: Path) -> Imported:
    """Write the pack ``base`` (name or folder) to ``out`` / ``name``, with the identity network of a published file.

    :raises UnsuitableCheckpoint: a file that holds no identity network, by key name.
    :raises PackError: there is no such pack, or it is damaged.
    :raises UsageError: a name that is none, or a pack that is not of faces.
    :raises OutputError: the folder exists, or cannot be written.
    """
    folder, pack = check_name(name, out), load_pack(base)
    if pack.crops.kind != "face":
        raise UsageError(f"pack {pack.name} is not of faces; an identity network sees faces only")
    read = read_any_identity(identity, asdict(pack.template))
    kept = [file for file in pack.settings["files"] if file != _FILE]
    for file in kept:
        pack.tensors(file.removesuffix(".safetensors"))  # a damaged file must not get a hash that vouches for it
    settings = {k: v for k, v in pack.settings.items() if k != "files"}
    settings |= {"name": name, "identity": read.settings}
    settings["sources"] = {**settings.get("sources", {}), identity.name: sha256(identity)}
    with new_folder(folder) as part:
        for file in kept:
            shutil.copyfile(pack.folder / file, part / file)
        write_tensors(part / _FILE, read.tensors, torch.float32)
        write_pack_toml(part, settings)
        (part / "card.md").write_text(_card(name, pack.folder / "card.md", identity, read.found), encoding="utf-8")
    return Imported(folder, (f"everything else: pack {pack.name}", read.found), ())


def _card(name: str, base: Path, identity: Path, found: str) -> str:
    card = base.read_text(encoding="utf-8") if base.exists() else f"# {name}\n"
    return (
        f"{card.rstrip()}\n\n## {name}: another identity network\n\n- {found}\n- `{identity.name}` sha256 "
        f"`{sha256(identity)}`\n\nIts licence and terms are its authors'. What stands above about identity was not "
        "measured by it.\n"
    )
