"""What a pack.toml says, as types: a pack's name, how its crops are placed, its networks, its edits and its files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from vidinv.faces.boxes import CropRule
from vidinv.faces.quads import FACE, BoxTemplate, Template
from vidinv.faces.regions import REGIONS
from vidinv.packs.kinds import KINDS, own_kind
from vidinv.packs.tables import UPDATE, Where, damaged, entry, record, typed

# linear: a displacement of codes, the same for every face; network: the pack's edit_network looks at the face; proxy: a
# step in W*, where the pack's latent_flow leads and whence it leads back.
EDIT_KINDS = ("linear", "network", "proxy")
DRAWN = ("eyeglasses",)  # what an edit may draw into the frame itself: vidinv.edits.drawn
CONVINCING = 3.5  # grade below which an edit is called experimental
FILE_ENDING = ".safetensors"
LARGEST = 4096  # side of a network's pictures and of the crops, pixels
MOST = 65_536  # of any other size of a network: layers, widths
STEEPEST = 10.0  # most that edges are made steeper by
WIDEST = 512  # side of what a network that looks at a face sees: no weights tell it, and a face of 4096 takes minutes
POINTS = 68  # of iBUG 300-W
_FACES = CropRule()
_FILE = re.compile(r"[\w-]+(\.[\w-]+)*\.safetensors", re.ASCII)  # a bare name, so that no path leads out of the folder
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class NetworkSpec:
    kind: str  # of KINDS
    config: Any  # the kind's own dataclass: GeneratorConfig, EncoderConfig, ...


@dataclass(frozen=True)
class Scale:
    """Steps by their measured mean effect, linear between measurements."""

    effects: tuple[float, ...]  # in the edit's unit, rising
    strengths: tuple[float, ...]  # in steps

    def steps(self, amount: float) -> float:
        """Steps whose effect is ``amount`` units."""
        return float(np.interp(amount, self.effects, self.strengths))

    def amount(self, steps: float) -> float:
        """Units that so many steps do."""
        order = np.argsort(self.strengths)
        return float(np.interp(steps, np.asarray(self.strengths)[order], np.asarray(self.effects)[order]))


@dataclass(frozen=True, kw_only=True)
class EditSpec:
    """What an edit does. Of a linear one, directions.safetensors has the displacement under its name."""

    kind: str = "linear"  # of EDIT_KINDS
    unit: str  # of the attribute's score: "years", "P(happy)", ...
    step: str  # what a step means, for people
    text: str = ""  # what the edit does, for people
    strengths: tuple[float, ...] = ()  # steps at which the effect was measured, ascending; none for imported directions
    effects: tuple[float, ...] = ()  # mean change of the score at those strengths, in units
    region: str = "face"  # where on the face it acts, of REGIONS
    colours: float = (
        1.0  # how much of the colours it draws in are its own, 0..1; the rest are the face's, dark to light
    )
    moves: bool = True  # does it move parts of the face; else it is drawn on the frame's own pixels where they are
    edges: float = 0.0  # how much steeper what it draws is made at the frame's own size: vidinv.faces.edges
    drawn: str = ""  # of DRAWN: what steps upwards draw into the frame itself; only those downwards go its kind's way
    scale: float = 0.0  # standard deviation of the score over faces: years, logits of probabilities; 0: nobody measured
    grade: float = 0.0  # how its pictures look to blind readers, 1 (painted) to 5 (photograph); 0: nobody was asked

    @property
    def measured(self) -> Scale:
        """What it was measured to do."""
        order = np.argsort(self.effects)
        return Scale(tuple(self.effects[i] for i in order), tuple(self.strengths[i] for i in order))

    @property
    def experimental(self) -> bool:
        """Does it look like what it is, to most readers?"""
        return 0 < self.grade < CONVINCING

    def __post_init__(self) -> None:
        if self.region not in REGIONS:
            raise ValueError(f"region {self.region!r}; there are {', '.join(REGIONS)}")
        if not 0 <= self.colours <= 1:
            raise ValueError(f"colours {self.colours:g}; they are from 0 to 1")
        if not 0 <= self.edges <= STEEPEST:
            raise ValueError(f"edges {self.edges:g}; they are from 0 to {STEEPEST:g}")
        if self.drawn and self.drawn not in DRAWN:
            raise ValueError(f"drawn {self.drawn!r}; there is {', '.join(DRAWN)}")
        if len(self.strengths) != len(self.effects):
            raise ValueError(f"{len(self.effects)} effects of {len(self.strengths)} strengths")


@dataclass(frozen=True)
class PackSpec:
    name: str
    resolution: int  # side of the generator's pictures and of the crops, pixels
    template: Template | BoxTemplate  # how crops are placed about what was found; see template_of
    networks: Mapping[str, NetworkSpec]  # by names of KINDS
    crops: CropRule = _FACES  # how crops are found
    edits: Mapping[str, EditSpec] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)  # published files it was made of: name -> sha256
    files: Mapping[str, str] = field(default_factory=dict)  # name, with its ending -> sha256; filled in on writing


def template_of(crops: CropRule, face: Template = FACE) -> Template | BoxTemplate:
    """The template that goes with a rule: ``face`` for faces, else what the rule itself says."""
    return face if crops.kind == "face" else BoxTemplate(crops.content, crops.margin)


def network_of(name: str, table: Any, where: Where) -> NetworkSpec:
    """The table [``name``]: "kind", and whatever of that kind's sizes are not its defaults.

    :raises DamagedPack: an unknown kind, an unknown key, a wrong type.
    """
    sizes = dict(typed(table, dict, where, name))
    kind = typed(sizes.pop("kind", own_kind(name)), str, where, f"{name}.kind")
    if kind not in KINDS[name]:
        raise damaged(where, f"{name}.kind", f"is {kind!r}; there are {', '.join(KINDS[name])}", UPDATE)
    _, config = KINDS[name][kind]
    read: Any = record(config, sizes, where, name)
    for key in sizes:
        _check_size(getattr(read, key), MOST, where, f"{name}.{key}")
    for key in ("resolution", "side", "feature_side"):
        _check_size(getattr(read, key, 0), LARGEST, where, f"{name}.{key}")
    side = getattr(read, "side", 1)
    if not 1 <= side <= WIDEST:
        raise damaged(where, f"{name}.side", f"is {side} and should be 1 to {WIDEST} pixels")
    if getattr(read, "embedding", 1) < 1:
        raise damaged(where, f"{name}.embedding", f"is {read.embedding} and should be 1 or more")
    if getattr(read, "points", POINTS) != POINTS:
        raise damaged(where, f"{name}.points", f"is {read.points} and should be the {POINTS} of iBUG 300-W")
    return NetworkSpec(kind, read)


def _check_size(size: Any, most: int, where: Where, key: str) -> None:
    for one in size if isinstance(size, tuple) else (size,):
        if isinstance(one, int | float) and abs(one) > most:
            raise damaged(where, key, f"is {one:.6g}; {most} is the most that is loaded")


def spec_of(table: dict[str, Any], where: Where) -> PackSpec:
    """A pack.toml, as it was parsed.

    :param where: the file, for messages.
    :raises DamagedPack: by file and key: something missing, unknown, of a wrong type or out of range.
    """
    known = ("name", "resolution", "template", "crops", *KINDS, "edits", "sources", "files")
    if unknown := sorted(table.keys() - set(known)):
        raise damaged(where, unknown[0], f"is unknown; there are {', '.join(known)}", UPDATE)
    files = _files(entry(table, "files", dict, where), where)
    present = [name for name in KINDS if name in table or name + FILE_ENDING in files]
    networks = {name: network_of(name, table.get(name, {}), where) for name in present}
    crops = record(CropRule, table.get("crops", {}), where, "crops")
    edits = typed(table.get("edits", {}), dict, where, "edits")
    sources = typed(table.get("sources", {}), dict, where, "sources")
    return PackSpec(
        name=entry(table, "name", str, where),
        resolution=_resolution(table, networks, where),
        template=_template(table, crops, where),
        networks=networks,
        crops=crops,
        edits={typed(k, str, where, "edits"): _edit(edit, where, f"edits.{k}") for k, edit in edits.items()},
        sources={name: typed(v, str, where, f"sources.{name}") for name, v in sources.items()},
        files=files,
    )


def table_of(spec: PackSpec) -> dict[str, Any]:
    """What :func:`spec_of` reads."""
    table: dict[str, Any] = {"name": spec.name, "resolution": spec.resolution}
    if isinstance(spec.template, Template):
        table["template"] = asdict(spec.template)
    if spec.crops != _FACES:
        table["crops"] = asdict(spec.crops)
    table |= {name: {"kind": network.kind, **asdict(network.config)} for name, network in spec.networks.items()}
    table |= {"edits": {name: asdict(edit) for name, edit in spec.edits.items()}, "sources": dict(spec.sources)}
    return {**{k: v for k, v in table.items() if v != {}}, "files": dict(spec.files)}


def _resolution(table: dict[str, Any], networks: dict[str, NetworkSpec], where: Where) -> int:
    """Its own entry; packs without one have it from their encoder."""
    encoder = getattr(networks["encoder"].config, "resolution", None) if "encoder" in networks else None
    side = entry(table if encoder is None else {"resolution": encoder} | table, "resolution", int, where)
    if side < 1:
        raise damaged(where, "resolution", f"is {side} and should be 1 or more pixels")
    _check_size(side, LARGEST, where, "resolution")
    return side


def _template(table: dict[str, Any], crops: CropRule, where: Where) -> Template | BoxTemplate:
    if crops.kind == "face":
        face = record(Template, entry(table, "template", dict, where), where, "template")
        if not abs(face.centre) <= 100:
            raise damaged(where, "template.centre", "should be from -100 to 100")
        for key in ("by_eyes", "by_mouth"):
            if not 0 < getattr(face, key) <= 100:
                raise damaged(where, f"template.{key}", "should be above 0, and no more than 100")
        return template_of(crops, face)
    if "template" in table:
        raise damaged(where, "template", f"is of faces, and crops are of kind {crops.kind!r}")
    return template_of(crops)


def _edit(table: Any, where: Where, key: str) -> EditSpec:
    # The kind first: of another one, this version need not know the other keys.
    kind = typed(typed(table, dict, where, key).get("kind", "linear"), str, where, f"{key}.kind")
    if kind not in EDIT_KINDS:
        raise damaged(where, f"{key}.kind", f"is {kind!r}; there are {', '.join(EDIT_KINDS)}", UPDATE)
    return record(EditSpec, table, where, key)


def _files(table: dict[str, Any], where: Where) -> dict[str, str]:
    for name, digest in table.items():
        if not _FILE.fullmatch(name):
            raise damaged(where, f"files.{name!r}", f"is no bare name of a file that ends in {FILE_ENDING}")
        if not _DIGEST.fullmatch(typed(digest, str, where, f"files.{name}")):
            raise damaged(where, f"files.{name}", "is no sha256 of 64 hexadecimal digits")
    return table
