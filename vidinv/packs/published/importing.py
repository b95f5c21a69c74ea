"""Published files to a model pack: read, checked against each other, written whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from vidinv.bounds import checked
from vidinv.errors import UsageError
from vidinv.faces.boxes import CropRule
from vidinv.faces.quads import Template
from vidinv.models.synthesis import GeneratorSizes
from vidinv.packs.digest import sha256
from vidinv.packs.published.directions import DirectionFile, PublishedDirection, read_directions, sefa
from vidinv.packs.published.encoders import read_any_encoder
from vidinv.packs.published.face_networks import read_parsing
from vidinv.packs.published.generator_state import SAMPLES
from vidinv.packs.published.generators import read_generator
from vidinv.packs.published.identities import read_any_identity
from vidinv.packs.published.reading import read_checkpoint, state_of
from vidinv.packs.published.writing import Imported, check_name, write_new_pack
from vidinv.packs.spec import EditSpec, NetworkSpec, PackSpec, template_of

# The crop of FFHQ (Karras et al. 2019), which the published face networks were trained on.
FFHQ_TEMPLATE = Template(centre=0.1, by_eyes=2.0, by_mouth=1.8)
FACES = CropRule()
UNIT = "as published"
_WITHOUT = {
    "encoder": "run and preview cannot invert faces; give --encoder",
    "identity": "reports have no identity figures; give --identity",
    "directions": "there is nothing to edit; give --directions, or --sefa 10",
    "attributes": "reached scores are not measured and edits cannot be asked for in years",
}


@dataclass(frozen=True)
class Sources:
    """The published files. GANSpace's directions give several edits."""

    generator: Path
    encoder: Path | None = None
    identity: Path | None = None
    parsing: Path | None = None
    directions: tuple[DirectionFile, ...] = ()
    components: int = 10  # of a GANSpace file
    sefa: int = 0  # directions from the generator's own weights
    crops: CropRule = FACES  # faces are placed as FFHQ's, or as the encoder says

    def __post_init__(self) -> None:
        checked("components", self.components)
        checked("sefa", self.sefa)


@dataclass(frozen=True)
class _Parts:
    """What becomes the pack."""

    spec: PackSpec
    tensors: dict[str, dict[str, Tensor]]
    found: tuple[str, ...]


def import_pack(sources: Sources, name: str, out: Path) -> Imported:
    """Write the pack to ``out`` / ``name``. Weights keep their numbers, in float32.

    :raises UnsuitableCheckpoint: a file that cannot be used, or that does not fit the others, by key name.
    :raises UsageError: a name that is none, or face networks for what is no face.
    :raises OutputError: the folder exists, or cannot be written.
    """
    folder = check_name(name, out)
    if sources.crops.kind != "face" and (sources.identity or sources.parsing):
        raise UsageError("identity and parsing are networks of faces; leave them out where crops are of other things")
    parts = _gathered(sources, name)
    write_new_pack(folder, parts.spec, parts.tensors, _card(parts))
    missing = [f"{k}: {v}" for k, v in _WITHOUT.items() if k not in parts.tensors]
    return Imported(folder, parts.found, tuple(missing))


def _gathered(sources: Sources, name: str) -> _Parts:
    generator = read_generator(read_checkpoint(sources.generator), sources.generator)
    config = generator.config
    mean = "stated" if generator.mean_is_stated else f"of {SAMPLES} samples, the file states none"
    found = [f"generator: {generator.layout}, {config.resolution} px, {config.layers} styles of {config.d_style}"]
    found += [f"mean latent: {mean}"]
    networks, tensors = {"generator": NetworkSpec(generator.kind, config)}, {"generator": generator.state}
    face = FFHQ_TEMPLATE
    if sources.encoder:
        encoder = read_any_encoder(sources.encoder, generator)
        networks["encoder"], tensors["encoder"] = encoder.network, encoder.tensors
        face = encoder.template or face
        found.append(encoder.found)
    if sources.identity:
        identity = read_any_identity(sources.identity, face)
        networks["identity"], tensors["identity"] = identity.network, identity.tensors
        found.append(identity.found)
    if sources.parsing:
        state = state_of(read_checkpoint(sources.parsing), sources.parsing)
        parsing, tensors["parsing"] = read_parsing(state, sources.parsing)
        networks["parsing"] = NetworkSpec("bisenet", parsing)
        found.append(f"face parsing: BiSeNet, {parsing.parts} parts")
    edits = _edits(sources, generator.state, config)
    if edits:
        tensors["directions"] = {k: v.displacement for k, v in edits.items()}
        found.append(f"edits, in units {UNIT}: {', '.join(edits)}")
    spec = PackSpec(
        name=name,
        resolution=config.resolution,
        template=template_of(sources.crops, face),
        networks=networks,
        crops=sources.crops,
        edits={k: EditSpec(unit=UNIT, step=v.step) for k, v in edits.items()},
        sources={p.name: sha256(p) for p in _files(sources)},
    )
    return _Parts(spec, tensors, tuple(found))


def _files(sources: Sources) -> list[Path]:
    networks = (sources.generator, sources.encoder, sources.identity, sources.parsing)
    return [p for p in networks if p] + [d.path for d in sources.directions]


def _edits(sources: Sources, state: dict[str, Tensor], config: GeneratorSizes) -> dict[str, PublishedDirection]:
    edits = sefa(state, sources.sefa, config.layers)
    for file in sources.directions:
        read = read_directions(read_checkpoint(file.path), file, config, sources.components)
        twice = edits.keys() & read.keys()
        if twice:
            raise UsageError(f"two edits are called {min(twice)!r}; name one: --directions NAME={file.path.name}")
        edits |= read
    return edits


def _card(parts: _Parts) -> str:
    found = "\n".join(f"- {line}" for line in parts.found)
    files = "\n".join(f"- `{file}` sha256 `{digest}`" for file, digest in parts.spec.sources.items())
    return (
        f"# {parts.spec.name}\n\nImported from published files; their licences and terms are their authors'.\n\n"
        f"{found}\n\nMade from:\n\n{files}\n\n"
        f"Nobody measured what a step of these edits does: their unit is {UNIT}.\n"
    )
