"""Edits of one's own: a direction that a user fitted, with what was measured of it, in one file beside the pack.

The file is safetensors: ``w`` [L, D] and ``feature`` [C, h, h] move a code by one step, ``normal`` [L, D] is the unit
normal by which codes are scored. Its metadata says whose codes they are: of a pack by its name and hash, for a
direction means nothing in another generator's space.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vidinv.errors import DamagedPack, InputError, InputMissing, UnknownEdit, UsageError
from vidinv.packs.digest import check_regular
from vidinv.packs.locate import inside, is_there, user_packs
from vidinv.packs.spec import FILE_ENDING, EditSpec
from vidinv.packs.tables import record
from vidinv.regular import check_header, unnameable
from vidinv.types import Displacement
from vidinv.video.output import check_place, part_path, publish, write_error

FORMAT = "vidinv direction 1"
LARGEST = 1 << 28  # bytes; of the largest published generators a direction has 3 MB
AGAIN = "fit it again: vidinv directions fit"
_NAME = re.compile(r"[A-Za-z][\w-]{0,99}")  # as vidinv.edits.parse reads it, and as a file can be called


@dataclass(frozen=True)
class Effects:
    """What a direction did to faces, measured on their pictures."""

    faces: int
    held_out: bool
    """Was nothing fitted to these faces?"""
    strengths: tuple[float, ...]
    """Steps."""
    own: tuple[float, ...]
    """Mean change of the direction's own score at each, sd: the edited picture is inverted again and scored."""
    scores: Mapping[str, tuple[float, ...]]
    """The same of every score of the pack's attribute network."""
    identity: tuple[float, ...]
    """Mean cosine of edited and inverted picture, by the pack's identity network; empty: it has none."""


@dataclass(frozen=True)
class OwnEdit:
    """A fitted direction."""

    name: str
    pack: str
    pack_hash: str
    spec: EditSpec
    displacement: Displacement
    """One step."""
    normal: Tensor
    """[L, D], unit: w . normal / scale is the score of a code, in standard deviations, but for a constant."""
    scale: float
    """Standard deviation of w . normal among the pictures."""
    made: Mapping[str, Any]
    """How: method, options, counts of pictures, accuracy of the boundary on held-out ones."""
    effects: Effects | None
    """None: there were no pictures to measure it on."""

    def save(self, path: str | Path | None = None, *, overwrite: bool = False) -> Path:
        """Write it, beside the pack or elsewhere.

        :return: where it is now. :raises OutputError: it cannot be written; then nothing is left.
        """
        target = Path(path) if path is not None else own_path(self.name, self.pack, self.pack_hash)
        told = asdict(self.spec)
        about = {"name": self.name, "pack": self.pack, "pack_hash": self.pack_hash, "spec": told, "scale": self.scale}
        about |= {"made": dict(self.made), "effects": None if self.effects is None else asdict(self.effects)}
        tensors = {"w": self.displacement.w, "normal": self.normal}
        if self.displacement.feature is not None:
            tensors["feature"] = self.displacement.feature
        part = part_path(target)
        try:
            if path is None:
                target.parent.mkdir(parents=True, exist_ok=True)
            check_place(target, overwrite)
            whole = {k: v.detach().cpu().float().contiguous() for k, v in tensors.items()}
            save_file(whole, str(part), {"format": FORMAT, "about": json.dumps(about)})
            publish(part, target, overwrite)
        except OSError as error:
            raise write_error(error, target) from error
        finally:
            part.unlink(missing_ok=True)
        return target


def check_own_name(name: str, taken: Mapping[str, Any], pack: str) -> None:
    """:raises UsageError: no name for an edit, or one that the pack's own edits have."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r:.120} is no name for an edit: letters, digits, - and _, a letter first, a hundred at most"
        )
    if name in taken:
        raise UsageError(f"pack {pack} has an edit {name} of its own; choose another name")


def own_folder(pack: str, pack_hash: str) -> Path:
    """Where the user's own edits of a pack are."""
    return user_packs() / "directions" / f"{_safe(pack)}-{pack_hash[:12]}"


def own_path(name: str, pack: str, pack_hash: str) -> Path:
    return own_folder(pack, pack_hash) / (name + FILE_ENDING)


def own_names(pack: str, pack_hash: str) -> tuple[str, ...]:
    """Own edits of a pack as it is now, by their files."""
    folder = own_folder(pack, pack_hash)
    return tuple(sorted(p.stem for p in inside(folder, f"*{FILE_ENDING}") if _NAME.fullmatch(p.stem)))


def own_files(pack: str) -> list[Path]:
    """The files of own edits of a pack of this name, as it is or was."""
    folder = user_packs() / "directions"
    mine = re.compile(re.escape(_safe(pack)) + r"-[0-9a-f]{12}")
    return sorted(p for f in inside(folder, "*") if mine.fullmatch(f.name) for p in inside(f, f"[!.]*{FILE_ENDING}"))


def find_own(name: str, pack: str, pack_hash: str) -> OwnEdit | None:
    """An own edit of a pack; None: there is none of this name.

    :raises UnknownEdit: there is one, and the pack has changed since. :raises InputError: its file is damaged.
    """
    path = own_path(name, pack, pack_hash)
    if not _NAME.fullmatch(name):
        return None
    if is_there(path.exists):
        return checked(read_own(path), path, pack, pack_hash)
    if others := [p for p in own_files(pack) if p.stem == name]:
        raise UnknownEdit(
            f"your edit {name} was fitted to another pack {pack} ({others[0].parent.name[-12:]}), which has changed "
            f"since ({pack_hash[:12]}); {AGAIN} {name}"
        )
    return None


def checked(own: OwnEdit, path: Path, pack: str, pack_hash: str) -> OwnEdit:
    """:raises UnknownEdit: it is of another pack than this one."""
    if own.pack_hash != pack_hash:
        theirs, mine = f"{own.pack} ({own.pack_hash[:12]})", f"{pack} ({pack_hash[:12]})"
        raise UnknownEdit(f"{path}: the edit {own.name} was fitted to pack {theirs}, not {mine}; {AGAIN} {own.name}")
    return own


def read_own(path: str | Path) -> OwnEdit:
    """:raises InputMissing: no such file. :raises InputError: it is no direction, or a damaged one."""
    path = Path(path)
    if unnameable(path) or not path.exists():
        raise InputMissing(f"{path} does not exist; name a file of vidinv directions fit --to")
    try:
        check_regular(path, LARGEST)
        check_header(path)
        with safe_open(str(path), "pt") as file:
            told = file.metadata() or {}
            if told.get("format") != FORMAT:
                raise ValueError(f"its format is {told.get('format')!r:.40}, not {FORMAT!r}")
            about = json.loads(told["about"])
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118, it is no dictionary
        return _own(about, tensors, path)
    except (OSError, SafetensorError, ValueError, LookupError, TypeError, RecursionError, DamagedPack) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is no direction that can be read ({reason}); {AGAIN}") from None


def _own(about: Any, tensors: dict[str, Tensor], path: Path) -> OwnEdit:
    if not isinstance(about, dict) or about.keys() != {f.name for f in fields(OwnEdit)} - {"displacement", "normal"}:
        raise ValueError("its description has other entries")
    w, normal, feature = tensors["w"], tensors["normal"], tensors.get("feature")
    if w.dim() != 2 or normal.shape != w.shape or not (feature is None or feature.dim() == 3):
        raise ValueError("its tensors have other shapes")
    if not all(t.dtype == torch.float32 and torch.isfinite(t).all() for t in tensors.values()):
        raise ValueError("its tensors hold what are no numbers")
    texts = {k: about[k] for k in ("name", "pack", "pack_hash")}
    if not all(isinstance(v, str) for v in texts.values()) or not _NAME.fullmatch(about["name"]):
        raise ValueError("its names are none")
    scale = about["scale"]
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < math.inf:
        raise ValueError(f"scale is {scale!r:.40}")
    _check_made(about["made"])
    return OwnEdit(
        **texts,
        spec=record(EditSpec, about["spec"], path, "spec"),
        displacement=Displacement(w, feature),
        normal=normal,
        scale=float(scale),
        made=about["made"],
        effects=None if about["effects"] is None else _effects(about["effects"]),
    )


def _check_made(made: Any) -> None:
    """What is printed of it is there, and of its type."""
    needed: dict[str, type] = {"method": str}
    if made["method"] == "interfacegan":
        needed |= {"positive": int, "negative": int, "held_out": int, "accuracy": float, "kept_of_normal": float}
        needed |= {"against": list}
    else:
        needed |= {"component": int}
    for name, kind in needed.items():
        if not isinstance(made[name], kind):
            raise ValueError(f"made.{name} is {made[name]!r:.40}")
    for name in ("accuracy", "share_of_variance", "rank_correlation"):
        if not isinstance(made.get(name, 0.0), float):
            raise ValueError(f"made.{name} is {made[name]!r:.40}")


def _effects(table: dict[str, Any]) -> Effects:
    strengths = _numbers(table["strengths"])
    found = Effects(
        faces=int(table["faces"]),
        held_out=bool(table["held_out"]),
        strengths=strengths,
        own=_numbers(table["own"]),
        scores={str(name): _numbers(values) for name, values in table["scores"].items()},
        identity=_numbers(table["identity"]),
    )
    if any(len(some) != len(strengths) for some in (found.own, *found.scores.values(), found.identity or strengths)):
        raise ValueError("its effects are not of its strengths")
    return found


def _numbers(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list):
        raise ValueError(f"{values!r:.40} is no list")
    return tuple(float(v) for v in values)


def _safe(pack: str) -> str:
    """A pack's name as part of a folder's."""
    return re.sub(r"[^\w.-]+", "_", pack).lstrip(".") or "_"
