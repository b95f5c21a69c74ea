"""A new pack's folder: there whole, or not at all."""

from __future__ import annotations

import errno
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from vidinv.errors import DiskFull, OutputExists, OutputUnwritable, UnsuitableCheckpoint, UsageError
from vidinv.packs.spec import FILE_ENDING, PackSpec
from vidinv.packs.write import write_pack, write_tensors


@dataclass(frozen=True)
class Imported:
    """A pack that was written."""

    folder: Path
    found: tuple[str, ...]  # a line for each part
    missing: tuple[str, ...]  # a line for each part that is not there, with what does not work without it


def check_name(name: str, out: Path) -> Path:
    """The folder that a pack of this name gets.

    :raises UsageError: it is no name. :raises OutputExists: it is taken.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,99}", name):
        raise UsageError(f"{name!r:.120} cannot name a pack; use letters, digits, - and _, a hundred at most")
    folder = out / name
    if folder.exists():
        raise OutputExists(f"{folder} exists; choose another name, or remove it")
    return folder


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder to write into, which becomes ``folder`` at the end, and goes if anything is raised.

    :raises OutputError: it cannot be written.
    """
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir(parents=True)
        yield part
        part.rename(folder)
    except (OSError, SafetensorError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
        kind, advice = (DiskFull, "free some space") if full else (OutputUnwritable, "choose another folder (--out)")
        raise kind(f"{folder} cannot be written ({error}); {advice}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_new_pack(
    folder: Path, spec: PackSpec, tensors: dict[str, dict[str, Tensor]], card: str, copied: Iterable[Path] = ()
) -> None:
    """All of a pack, in a folder that is not there yet.

    :param tensors: by the names of the files without ending; they keep their numbers, in float32.
    :param card: the text of card.md. :param copied: safetensors files of another pack.
    :raises OutputError: it cannot be written; nothing is left. :raises UnsuitableCheckpoint: so too where there are
        numbers that are none.
    """
    with new_folder(folder) as part:
        for file in copied:
            shutil.copyfile(file, part / file.name)
        for name, values in tensors.items():
            try:
                write_tensors(part / (name + FILE_ENDING), values, torch.float32)
            except ValueError as error:
                raise UnsuitableCheckpoint(
                    f"the weights for {folder.name} hold numbers that are none, or too large ({error!s:.200}); "
                    "check the download"
                ) from None
        write_pack(part, spec)
        (part / "card.md").write_text(card, encoding="utf-8")
