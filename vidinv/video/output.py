"""The output file: checked before the work, hidden while it grows, whole or not there."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
from dataclasses import replace
from pathlib import Path

from vidinv.errors import DiskFull, OutputError, OutputExists, OutputIsInput, OutputUnwritable
from vidinv.regular import read_text, unnameable
from vidinv.video.encoder import EncoderSettings

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_SHORT = 100  # bytes of a name that are kept in any case
_FULL = (errno.ENOSPC, errno.EDQUOT)


def output_format(dst: Path) -> str:
    """The muxer for a name. Raises OutputUnwritable."""
    if str(dst) == "-":
        raise OutputUnwritable("- would be a pipe, and a video is finished by going back to its head: name a file")
    name = FORMATS.get(dst.suffix.lower())
    if name is None:
        suffix = dst.suffix or "a name without suffix"
        raise OutputUnwritable(f"{dst}: no container for {suffix}; use one of {', '.join(FORMATS)}")
    return name


def codec_for(dst: str | Path) -> str:
    """The encoder that a container of this name takes."""
    return "libvpx-vp9" if output_format(Path(dst)) == "webm" else "libx264"


def chosen(settings: EncoderSettings, dst: Path) -> EncoderSettings:
    """With an encoder. Raises OutputUnwritable for a name that no container has."""
    return settings if settings.codec is not None else replace(settings, codec=codec_for(dst))


def written_suffix(source: Path) -> str:
    """Of an edited video, where nobody named another: the source's own where that container can be written."""
    return source.suffix if source.suffix.lower() in FORMATS else ".mp4"


def check_paths(src: Path, dst: Path, overwrite: bool) -> None:
    """Raise OutputIsInput, OutputExists or OutputUnwritable while nothing has been done yet."""
    output_format(dst)
    check_nameable(dst)
    if dst.exists() and not unnameable(src) and src.exists() and dst.samefile(src):
        raise OutputIsInput(f"{dst} is the input itself, which would be destroyed; choose another name")
    check_writable(dst, overwrite)


def check_writable(dst: Path, overwrite: bool) -> None:
    """Raise OutputExists or OutputUnwritable if a file could not be written there; of any kind, not only a video."""
    check_nameable(dst)
    if dst.is_dir():
        raise OutputUnwritable(f"{dst} is a folder; name a file")
    check_place(dst, overwrite)


def check_nameable(dst: Path) -> None:
    """:raises OutputUnwritable: no file can have that name."""
    if why := unnameable(dst):
        raise OutputUnwritable(f"{dst} is no name that a file can have ({why}); choose another")


def check_place(dst: Path, overwrite: bool) -> None:
    """As :func:`check_writable`, for what may be a folder too."""
    check_nameable(dst)
    if dst.exists() and not overwrite:
        raise OutputExists(f"{dst} exists; choose another name, or overwrite it (--overwrite)")
    if not dst.parent.is_dir():
        raise OutputUnwritable(f"{dst}: the folder {dst.parent} does not exist; create it first")
    # Asking the file system is the only answer that counts read-only mounts and access lists.
    probe = part_path(dst)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise write_error(error, dst) from error


def part_path(dst: Path) -> Path:
    """A hidden name beside ``dst``, so that the final rename stays within one file system."""
    return _hidden(dst, f".{secrets.token_hex(4)}.part")


def work_folder(dst: Path) -> Path:
    """A hidden folder beside ``dst``, the same for every run to it."""
    return _hidden(dst, f".{hashlib.sha256(os.fsencode(dst.name)).hexdigest()[:8]}.run")


def _hidden(dst: Path, end: str) -> Path:
    """A name that fits wherever that of ``dst`` does: file systems count bytes, and some take no more than 143."""
    name = os.fsencode(dst.name)
    kept = name[: max(len(name) - len(end) - 1, _SHORT)].decode(errors="ignore").encode()  # no half letters
    return dst.with_name(f".{os.fsdecode(kept)}{end}")


def publish(part: Path, dst: Path, overwrite: bool, note: Path | None = None) -> None:
    """Give the finished file its name. Raises OutputExists if somebody else took it meanwhile.

    :param note: a file that says from before on by what ``dst`` is known: see :func:`is_noted`.
    """
    if dst.exists() and not overwrite:
        raise OutputExists(f"{dst} appeared meanwhile; choose another name, or overwrite it (--overwrite)")
    sync(part)
    if note is not None:
        note.write_text(json.dumps(known_by(part)), encoding="utf-8")
        sync(note)
    os.replace(part, dst)


def is_noted(dst: Path, note: Path) -> bool:
    """Is ``dst`` the file that was published with this note?"""
    try:
        return bool(json.loads(read_text(note)) == known_by(dst))
    except (OSError, ValueError, RecursionError):
        return False


def known_by(path: Path) -> list[int]:
    """What a file keeps when it is given another name."""
    told = path.stat()
    return [told.st_size, told.st_mtime_ns]


def sync(path: Path) -> None:
    """Return when a file, or the names in a folder, would outlast a loss of power."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def write_error(error: BaseException, dst: Path) -> OutputError:
    """The error of this package for an error of the operating system or of the muxer."""
    code = getattr(error, "errno", None)
    if code in _FULL:
        return DiskFull(f"no space left for {dst}; nothing was kept. Free some space or write to another disk")
    if code == errno.EFBIG:
        return DiskFull(
            f"{dst} would need a file larger than is allowed there (ulimit -f, or 4 GiB on FAT); nothing was kept. "
            "Raise the limit or write to another disk"
        )
    if code == errno.ENOENT and not dst.parent.is_dir():
        return OutputUnwritable(f"{dst} cannot be written: the folder {dst.parent} has gone; begin anew")
    if code == errno.ENOENT and dst.suffix.lower() in FORMATS:
        return OutputUnwritable(
            f"{dst} cannot be written: the hidden folder of its run has gone, or {dst.parent} was moved; begin anew"
        )
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputUnwritable(f"no permission to write into {dst.parent}; choose another folder")
    text = getattr(error, "strerror", None) or str(error)
    video = dst.suffix.lower() in FORMATS
    instead = "Another container (.mkv) or encoder may take it" if video else "Choose another place"
    return OutputUnwritable(f"{dst} cannot be written: {text}. {instead}")


def although(error: OutputError, kept: str) -> OutputError:
    """The same, where something was kept after all. :param kept: what, and how to go on."""
    return type(error)(f"{str(error).replace('; nothing was kept', '')}. {kept}")
