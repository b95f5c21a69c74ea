"""What a latent file says of itself: of what its codes are, how they were made, and which parts hold them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import vidinv
from vidinv.errors import InputError, InputMissing, UsageError
from vidinv.inversion.inverter import Inverter
from vidinv.packs.digest import content
from vidinv.packs.load import Pack
from vidinv.regular import read_text
from vidinv.runtime.compute import Compute
from vidinv.video.timing import is_rate

MANIFEST = "manifest.json"
FORMAT = "vidinv codes 1"
AGAIN = "invert again (vidinv invert), or render without codes"
_PART = re.compile(r"part-\d{5,}\.safetensors", re.ASCII)  # a bare name, so that no path leads out of the folder
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class Source:
    """A file that codes are of: a video, or one of many pictures."""

    name: str  # without folders
    size: int  # bytes
    sha256: str  # of the whole file

    def __post_init__(self) -> None:
        _checked_digest(self.sha256)


@dataclass(frozen=True)
class Part:
    """A file of codes: a shot, or a piece of a long one."""

    file: str
    size: int  # bytes
    sha256: str
    first: int  # index of its first frame
    frames: int
    faces: int

    def __post_init__(self) -> None:
        _checked_digest(self.sha256)
        if not _PART.fullmatch(self.file):
            raise ValueError(f"{self.file!r} is no name of a part")


@dataclass(frozen=True)
class Manifest:
    """The whole of manifest.json."""

    pack: str
    pack_hash: str  # Pack.codes_hash, or Pack.hash: see Pack.made
    crops: Mapping[str, Any]  # resolution and template: how the crops lie, which are cut again
    method: Mapping[str, Any]  # vidinv.inversion.Inverter.described
    compute: Mapping[str, Any]  # device, precision, batch: what F depends on in its last bits
    sources: tuple[Source, ...]
    rate: float | None  # frames per second; None: pictures, each one a source
    features: bool  # are the feature codes inside
    frames: int = 0
    faces: int = 0
    parts: tuple[Part, ...] = ()
    vidinv: str = vidinv.__version__

    @property
    def named(self) -> str:
        """The sources, for people."""
        names = [source.name for source in self.sources]
        return names[0] if len(names) == 1 else f"{len(names)} files, {', '.join(names[:2])} ..."

    def with_parts(self, parts: Sequence[Part]) -> Self:
        """Of all parts, with their sums."""
        return replace(self, parts=tuple(parts), frames=sum(p.frames for p in parts), faces=sum(p.faces for p in parts))


def manifest_of(
    pack: Pack,
    inverter: Inverter,
    compute: Compute,
    batch: int,
    sources: Sequence[str | Path],
    *,
    rate: float | None,
    features: bool = True,
) -> Manifest:
    """Of codes that are about to be made.

    :param batch: crops per pass.
    :param sources: a video, or pictures in the order of their frames.
    :param rate: frames per second; None: pictures.
    :param features: F is to be kept too.
    :raises InputMissing: a source cannot be read. :raises UsageError: F is left out and could not be computed again.
    """
    if not features and inverter.forgets:
        raise UsageError("F was asked to be searched for, so it cannot be computed again; keep it (no --no-features)")
    how = {"device": compute.device, "precision": str(compute.dtype).removeprefix("torch."), "batch": batch}
    made = inverter.described()
    named = tuple(source_of(path) for path in sources)
    return Manifest(pack.name, pack.codes_hash, crops_of(pack), made, how, named, rate, features)


def source_of(path: str | Path) -> Source:
    """:raises InputMissing: it cannot be read."""
    path = Path(path)
    try:
        return Source(path.name, path.stat().st_size, content(path))
    except OSError as error:
        raise InputMissing(f"{path} cannot be read ({error.strerror}); check its name") from None


def crops_of(pack: Pack) -> dict[str, Any]:
    """How a pack's crops lie, as JSON has it."""
    told: dict[str, Any] = json.loads(json.dumps({"resolution": pack.resolution, "template": asdict(pack.template)}))
    return told


def unusable(path: Path, reason: str) -> InputError:
    """The error of a latent file, or a part of one."""
    return InputError(f"{path} {reason}; {AGAIN}")


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """:raises OSError: it cannot be written."""
    text = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def is_latent_file(folder: Path) -> bool:
    """Does it say that it is one, of whatever version?"""
    try:
        return str(json.loads(read_text(folder / MANIFEST))["format"]).startswith("vidinv codes ")
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False


def read_manifest(folder: Path) -> Manifest:
    """:raises InputError: there is none, or it is damaged, or of another version."""
    path = folder / MANIFEST
    try:
        table = json.loads(read_text(path))
        if not isinstance(table, dict):
            raise ValueError("it is no table")
        if (told := table.pop("format", "no format")) != FORMAT:
            raise unusable(path, f"holds {told!r}, and this version of vidinv reads {FORMAT!r}")
        table["sources"] = tuple(_record(Source, one) for one in table["sources"])
        table["parts"] = tuple(_record(Part, one) for one in table["parts"])
        manifest = _record(Manifest, table)
        _add_up(manifest)
    except FileNotFoundError:
        raise InputMissing(
            f"{folder} holds no codes: there is no {MANIFEST} in it; make some with vidinv invert"
        ) from None
    except OSError as error:
        raise unusable(path, f"cannot be read ({error.strerror})") from None
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise unusable(path, f"is damaged ({error})") from None
    return manifest


def check_pack(manifest: Manifest, folder: Path, pack: Pack) -> None:
    """:raises InputError: the codes were made with another pack, or of crops that lie otherwise."""
    mine, theirs = (f"{n} ({h[:12]})" for n, h in ((pack.name, pack.codes_hash), (manifest.pack, manifest.pack_hash)))
    if not pack.made(manifest.pack_hash):
        raise InputError(f"{folder} holds codes of pack {theirs}, not {mine}; give that pack (--pack), or {AGAIN}")
    if dict(manifest.crops) != crops_of(pack):
        raise InputError(f"{folder} holds codes of crops that pack {mine} placed otherwise; {AGAIN}")


def check_source(manifest: Manifest, folder: Path, src: Path) -> None:
    """:raises InputError: the codes are of another video."""
    if manifest.rate is None:
        raise InputError(f"{folder} holds codes of pictures ({manifest.named}), not of a video; {AGAIN}")
    if [source.sha256 for source in manifest.sources] != [source_of(src).sha256]:
        same = f", whose content is another than that {src.name} had" if manifest.named == src.name else ""
        raise InputError(f"{folder} holds codes of clip {manifest.named}, not {src.name}{same}; {AGAIN}")


def check_method(manifest: Manifest, folder: Path, described: Mapping[str, Any]) -> None:
    """:param described: of the method that was asked for. :raises UsageError: the codes were made otherwise."""
    names = [*described, *(name for name in manifest.method if name not in described)]
    for name in names:
        theirs, mine = manifest.method.get(name), described.get(name)
        if theirs != mine:
            made = f"made by {manifest.method.get('method')}"
            made += "" if name == "method" else f" with {name} {theirs}"
            raise UsageError(f"{folder} holds codes {made}, not {mine}; leave the method out, or {AGAIN}")


def _add_up(manifest: Manifest) -> None:
    at = 0
    for part in manifest.parts:
        if part.first != at or part.frames < 1:
            raise ValueError(f"{part.file} begins at frame {part.first}, not {at}")
        at += part.frames
    if (manifest.frames, manifest.faces) != (at, sum(part.faces for part in manifest.parts)):
        raise ValueError("its parts do not add up")
    if manifest.rate is not None and not is_rate(manifest.rate):
        raise ValueError(f"rate is {manifest.rate!r:.60}, and no number of frames per second")
    if not manifest.sources:
        raise ValueError("it names no source")


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "float | None": (float, int, type(None)),
    "Mapping[str, Any]": (dict,),
    "tuple[Source, ...]": (tuple,),
    "tuple[Part, ...]": (tuple,),
}


def _record(kind: type[Any], table: Any) -> Any:
    """A table as one of the dataclasses above. :raises ValueError: other keys, or other types."""
    names = {f.name for f in fields(kind)}
    if not isinstance(table, dict) or table.keys() != names:
        raise ValueError(f"a {kind.__name__.lower()} has {', '.join(sorted(names))}")
    for f in fields(kind):
        value = table[f.name]
        if not isinstance(value, _KINDS[str(f.type)]) or (isinstance(value, bool) and f.type != "bool"):
            raise ValueError(f"{f.name} is {value!r:.60}")
        if isinstance(value, int) and value < 0:
            raise ValueError(f"{f.name} is {value}")
    return kind(**table)


def _checked_digest(text: str) -> None:
    if not _DIGEST.fullmatch(text):
        raise ValueError(f"{text!r:.80} is no sha256")
