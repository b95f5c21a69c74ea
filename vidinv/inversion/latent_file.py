"""A latent file: codes on disk, to be rendered as often as wanted without being found and inverted again.

A folder of a manifest and of parts (safetensors): one for each shot, several for a long one, so that neither side holds
more than one in memory. It appears under its name when it is complete, or not at all; a part is used only if its bytes
are the ones that were written.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from safetensors import SafetensorError
from safetensors.torch import load, save

from vidinv.errors import DiskFull, NoFaceFound, OutputUnwritable
from vidinv.inversion.latent_manifest import (
    Manifest,
    Part,
    check_method,
    check_pack,
    check_source,
    is_latent_file,
    read_manifest,
    unusable,
    write_manifest,
)
from vidinv.inversion.latent_parts import faces_of, lean, size_of, tensors_of
from vidinv.models.synthesis import GeneratorSizes
from vidinv.packs.load import Pack
from vidinv.regular import check_header, check_regular, resolved
from vidinv.runtime.closing import close
from vidinv.types import Faces
from vidinv.video.output import check_place, part_path, write_error

PART_FRAMES = 256
PART_BYTES = 64 * 2**20
LARGEST_PART = 1 << 30
"""Bytes: a part has what :data:`PART_BYTES` says and one frame more, with as many faces as there are."""
_UNREADABLE = (SafetensorError, LookupError, ValueError, TypeError, RuntimeError, ZeroDivisionError, StopIteration)


@dataclass(frozen=True)
class LatentFile:
    """One that is there and whole, as far as sizes tell."""

    folder: Path
    manifest: Manifest
    sizes: GeneratorSizes | None = None  # of the generator that the codes have to fit; None: not known yet

    def faces(self, device: str = "cpu", first: int = 0) -> Iterator[Faces]:
        """Frame by frame what was written, bit for bit; pictures and crops are not in it.

        :param device: where the codes go. :param first: index of the frame to begin with.
        :raises InputError: a part is not what was written.
        """
        for part in self.manifest.parts:
            if first < part.first + part.frames:
                yield from self._read(part, device)[max(first - part.first, 0) :]

    def checked(self, pack: Pack, source: Path | None, described: Mapping[str, Any] | None) -> Self:
        """Itself, to be read for this pack's generator, if its codes are what one takes them for.

        :param source: the video; None: one that lies in no file.
        :param described: the method that was asked for (:meth:`vidinv.inversion.Inverter.described`); None: any.
        :raises InputError: codes of another pack or video. :raises UsageError: codes of another method.
        """
        check_pack(self.manifest, self.folder, pack)
        if source is not None:
            check_source(self.manifest, self.folder, source)
        if described is not None:
            check_method(self.manifest, self.folder, described)
        return replace(self, sizes=pack.generator.config)

    def _read(self, part: Part, device: str) -> list[Faces]:
        path = self.folder / part.file
        try:
            check_regular(path, LARGEST_PART)
            check_header(path)
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() != part.sha256:
                raise unusable(path, "is damaged (its sha256 is not the one in the manifest)")
            found = faces_of(load(data), device, self.sizes)
        except OSError as error:
            raise unusable(path, f"cannot be read ({error.strerror})") from None
        except _UNREADABLE as error:
            raise unusable(path, f"is damaged ({error})") from None
        if (len(found), sum(len(one.faces) for one in found)) != (part.frames, part.faces):
            raise unusable(path, "holds other frames than the manifest says")
        return found


def open_latent_file(folder: str | Path) -> LatentFile:
    """:raises InputError: it is none, or a part of it is missing or was cut short."""
    folder = Path(folder)
    file = LatentFile(folder, read_manifest(folder))
    for part in file.manifest.parts:
        path = folder / part.file
        if not path.is_file():
            raise unusable(path, "is missing")
        if (size := path.stat().st_size) != part.size:
            raise unusable(path, f"was cut short: it has {size} bytes, not {part.size}")
        if size > LARGEST_PART:
            raise unusable(path, f"has {size} bytes, and {LARGEST_PART} are the most that is read")
    return file


@dataclass(frozen=True)
class Kept:
    """What came of an inversion that was kept."""

    folder: Path
    frames: int
    faces: int
    size: int  # bytes of all parts
    seconds: float  # from start to end
    warnings: tuple[str, ...] = ()
    frames_lost: int | None = None  # of a damaged input; None: it was none


class LatentWriter:
    """Writes a latent file; as a context it gives it its name at the end, if every frame was written, or leaves none.

    :param about: the manifest, without parts.
    :raises OutputError: the folder cannot be written, or is there and ``overwrite`` is not set.
    """

    def __init__(self, folder: str | Path, about: Manifest, *, overwrite: bool = False) -> None:
        named = Path(folder)
        self.folder = resolved(named) if named.is_symlink() else named  # a link stays, what it leads to is written
        self.manifest = about
        self._overwrite = overwrite
        check_folder(self.folder, overwrite)
        self._hidden = part_path(self.folder)
        self._waiting: list[Faces] = []
        self._bytes = 0
        self._parts: list[Part] = []
        self._complete = False

    def __enter__(self) -> Self:
        try:
            self._hidden.mkdir()
        except OSError as error:
            raise write_error(error, self.folder) from error
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        try:
            if kind is None and self._complete:
                self._publish()
        finally:
            shutil.rmtree(self._hidden, ignore_errors=True)

    def through(self, stream: Iterable[Faces]) -> Generator[Faces, None, None]:
        """Write every frame of a stream that has its codes, and pass it on.

        :raises NoFaceFound: at the end, when there was nobody in it. :raises OutputError: it cannot be written.
        """
        try:
            for faces in stream:
                self.write(faces)
                yield faces
        finally:
            close(stream)
        self.finish()

    def write(self, faces: Faces) -> None:
        """The next frame. :raises OutputError: it cannot be written."""
        full = len(self._waiting) >= PART_FRAMES or self._bytes >= PART_BYTES
        if self._waiting and (full or faces.frame.cut):
            self._write_part()
        kept = lean(faces, self.manifest.features)
        self._waiting.append(kept)
        self._bytes += size_of(kept)

    def finish(self) -> None:
        """After the last frame. :raises NoFaceFound: nobody was in any. :raises OutputError: it cannot be written."""
        if self._waiting:
            self._write_part()
        self.manifest = self.manifest.with_parts(self._parts)
        if not self.manifest.faces:
            nobody = f"nothing to invert in any of {self.manifest.frames} frames"
            raise NoFaceFound(f"{self.manifest.named}: {nobody}, so there are no codes to keep")
        try:
            write_manifest(self._hidden, self.manifest)
        except OSError as error:
            raise self._failed(error) from error
        self._complete = True

    def add(self, name: str, data: bytes) -> None:
        """A file for people beside the parts: nobody reads it back. :raises OutputError: it cannot be written."""
        try:
            (self._hidden / name).write_bytes(data)
        except OSError as error:
            raise self._failed(error) from error

    def outcome(self, seconds: float, warnings: tuple[str, ...] = (), frames_lost: int | None = None) -> Kept:
        """For whoever asked, when it is written."""
        told, size = self.manifest, sum(part.size for part in self._parts)
        return Kept(self.folder, told.frames, told.faces, size, seconds, warnings, frames_lost)

    def _write_part(self) -> None:
        some, self._waiting, self._bytes = self._waiting, [], 0
        data = save(tensors_of(some, self.manifest.features))
        name = f"part-{len(self._parts):05d}.safetensors"
        first = sum(part.frames for part in self._parts)
        faces = sum(len(one.faces) for one in some)
        try:
            (self._hidden / name).write_bytes(data)
        except OSError as error:
            raise self._failed(error) from error
        self._parts.append(Part(name, len(data), hashlib.sha256(data).hexdigest(), first, len(some), faces))

    def _publish(self) -> None:
        """Two folders cannot change places at once: what was there goes first, and comes back if that fails."""
        old = part_path(self.folder)
        check_folder(self.folder, self._overwrite)
        try:
            replaced = self.folder.exists()
            if replaced:
                os.rename(self.folder, old)
            try:
                os.rename(self._hidden, self.folder)
            except OSError:
                if replaced:
                    os.rename(old, self.folder)
                raise
        except OSError as error:
            raise self._failed(error) from error
        shutil.rmtree(old, ignore_errors=True)

    def _failed(self, error: OSError) -> Exception:
        failed = write_error(error, self.folder)
        if not isinstance(failed, DiskFull):
            return failed
        return DiskFull(f"{failed}. Codes without features (--no-features) take a tenth of it")


def check_folder(folder: Path, overwrite: bool) -> None:
    """:raises OutputError: codes could not be written there, or would replace something else."""
    if not folder.name or folder.name == "..":
        raise OutputUnwritable(f"{folder} is no name for a folder of codes; give it one of its own")
    if folder.exists() and not folder.is_dir():
        raise OutputUnwritable(f"{folder} is a file, and codes are a folder; choose another name")
    if folder.is_dir() and not is_latent_file(folder) and any(folder.iterdir()):
        raise OutputUnwritable(f"{folder} is a folder that holds no codes but other things; choose another name")
    check_place(folder, overwrite)
