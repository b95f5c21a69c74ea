"""The hidden folder of a run as another may have left it, or prepared it: a run's own files, and others, left alone."""

from __future__ import annotations

import json
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from vidinv.errors import OutputUnwritable
from vidinv.regular import read_text, resolved
from vidinv.video.joining import PUBLISHED
from vidinv.video.output import known_by, sync, work_folder

REPORTED = "reports.json"  # by what the reports are known, once they have their names

HOLLOW, LARGE = 1000, 2**24
"""How many times larger than its room on the disk, and than what, no file of a run is: it is a hole, which costs
whoever made it nothing, and whoever reads it hours."""
_OWN = re.compile(
    r"lock|journal\.json(\.new)?|rows\.jsonl|(published|reports)\.json(\.new)?|states-\d{5,}\.safetensors|part-\d{5,}\.mp4|(joined|tried)\.\w+"
)


def is_own(path: Path) -> bool:
    """Is it called as a run's files are?"""
    return bool(_OWN.fullmatch(path.name))


def check_own(folder: Path) -> None:
    """What is written to lies here: a link, which whoever packed an archive may have put there, would lead elsewhere.

    :raises OutputUnwritable: the folder is none, or holds one.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputUnwritable(f"{folder} is a link or a file, and a run's folder goes there; remove it")
    for path in folder.iterdir() if folder.exists() else ():
        told = path.lstat()
        if stat.S_ISDIR(told.st_mode):
            raise OutputUnwritable(f"{path} is a folder, which no run leaves; move it away")
        if is_own(path) and (not stat.S_ISREG(told.st_mode) or told.st_nlink > 1):
            path.unlink()


def foreign(folder: Path) -> list[Path]:
    """What lies in a run's folder and is none of its files."""
    return sorted(path for path in folder.iterdir() if not is_own(path))


def remove(folder: Path) -> None:
    """A run's files, and their folder where nothing else lies in it."""
    with suppress(OSError):
        # Notes of what is complete go last: whoever is killed here finds it again as a run's own.
        for path in sorted(folder.iterdir(), key=lambda path: path.name in (PUBLISHED, REPORTED)):
            if is_own(path):
                path.unlink(missing_ok=True)
        folder.rmdir()


def is_hole(path: Path) -> bool:
    """Does next to nothing of a large file lie on the disk?"""
    told = path.stat()
    return told.st_size > LARGE and getattr(told, "st_blocks", told.st_size) * 512 * HOLLOW < told.st_size


def note_report(folder: Path, part: Path, path: Path) -> None:
    """Before a finished report is given its name: a run that is killed behind it made it. :raises OSError: no note."""
    told = _reported(folder) | {_called(path): known_by(part)}
    new = folder / f"{REPORTED}.new"
    new.write_text(json.dumps(told), encoding="utf-8")
    sync(new)
    os.replace(new, folder / REPORTED)


def is_reported(path: Path, video: Path) -> bool:
    """Is a file the report of a run to ``video`` that was interrupted behind it?"""
    with suppress(OSError):
        return bool(_reported(work_folder(video)).get(_called(path)) == known_by(path))
    return False


def _called(path: Path) -> str:
    return str(resolved(path.parent) / path.name)


def _reported(folder: Path) -> dict[str, list[int]]:
    with suppress(OSError, ValueError, RecursionError):
        told = json.loads(read_text(folder / REPORTED))
        return told if isinstance(told, dict) else {}
    return {}
