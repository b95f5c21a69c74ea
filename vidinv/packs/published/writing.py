"""A new pack's folder: there whole, or not at all."""

from __future__ import annotations

import errno
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from vidinv.errors import DiskFull, OutputExists, OutputUnwritable, UsageError


def check_name(name: str, out: Path) -> Path:
    """The folder that a pack of this name gets.

    :raises UsageError: it is no name. :raises OutputExists: it is taken.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        raise UsageError(f"{name!r} cannot name a pack; use letters, digits, - and _")
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
