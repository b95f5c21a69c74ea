"""A copy of a pack with another identity network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vidinv.errors import UsageError
from vidinv.faces.quads import Template
from vidinv.packs.digest import check_regular, sha256
from vidinv.packs.load import load_pack
from vidinv.packs.published.identities import read_any_identity
from vidinv.packs.published.writing import Imported, check_name, write_new_pack
from vidinv.packs.spec import FILE_ENDING

_LARGEST_CARD = 1 << 20  # bytes


def with_identity(base: str | Path, identity: Path, name: str, out: Path) -> Imported:
    """Write the pack ``base`` (name or folder) to ``out`` / ``name``, with the identity network of a published file.

    :raises UnsuitableCheckpoint: a file that holds no identity network, by key name.
    :raises PackError: there is no such pack, or it is damaged.
    :raises UsageError: a name that is none, or a pack that is not of faces.
    :raises OutputError: the folder exists, or cannot be written.
    """
    folder, pack = check_name(name, out), load_pack(base)
    if not isinstance(pack.template, Template):
        raise UsageError(f"pack {pack.name} is not of faces; an identity network sees faces only")
    read = read_any_identity(identity, pack.template)
    kept = [file for file in pack.spec.files if file != f"identity{FILE_ENDING}"]
    for file in kept:
        pack.tensors(file.removesuffix(FILE_ENDING))  # a damaged file must not get a hash that vouches for it
    networks = {**pack.spec.networks, "identity": read.network}
    sources = {**pack.spec.sources, identity.name: sha256(identity)}
    spec = replace(pack.spec, name=name, networks=networks, sources=sources)
    card = _card(name, pack.folder / "card.md", identity, read.found)
    write_new_pack(folder, spec, {"identity": read.tensors}, card, [pack.folder / file for file in kept])
    return Imported(folder, (f"everything else: pack {pack.name}", read.found), ())


def _card(name: str, base: Path, identity: Path, found: str) -> str:
    try:
        check_regular(base, _LARGEST_CARD)
        card = base.read_text(encoding="utf-8", errors="replace")
    except OSError:  # missing, or none that anybody would read
        card = f"# {name}\n"
    return (
        f"{card.rstrip()}\n\n## {name}: another identity network\n\n- {found}\n- `{identity.name}` sha256 "
        f"`{sha256(identity)}`\n\nIts licence and terms are its authors'. What stands above about identity was not "
        "measured by it.\n"
    )
