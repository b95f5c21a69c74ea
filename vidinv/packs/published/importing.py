"""Published files to a model pack: read, checked against each other, written whole or not at all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidinv.errors import UnsuitableCheckpoint, UsageError
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder, misfits
from vidinv.models.synthesis import GeneratorSizes
from vidinv.packs.published.directions import DirectionFile, PublishedDirection, read_directions, sefa
from vidinv.packs.published.face_networks import read_encoder, read_parsing
from vidinv.packs.published.generator_state import SAMPLES
from vidinv.packs.published.generators import read_generator
from vidinv.packs.published.identities import read_any_identity
from vidinv.packs.published.reading import read_checkpoint, state_of
from vidinv.packs.published.writing import check_name, new_folder
from vidinv.packs.write import sha256, write_pack_toml, write_tensors

# The crop of FFHQ (Karras et al. 2019), which the published face networks were trained on.
FFHQ_TEMPLATE = {"centre": 0.1, "by_eyes": 2.0, "by_mouth": 1.8}
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
    crops: dict[str, Any] | None = None  # the table [crops] of pack.toml; None: faces, placed as FFHQ's


@dataclass(frozen=True)
class Imported:
    folder: Path
    found: tuple[str, ...]  # a line for each part
    missing: tuple[str, ...]  # a line for each part that is not there, with what does not work without it


@dataclass(frozen=True)
class _Parts:
    """What becomes the pack."""

    settings: dict[str, Any]
    tensors: dict[str, dict[str, Tensor]]
    found: tuple[str, ...]


def import_pack(sources: Sources, name: str, out: Path) -> Imported:
    """Write the pack to ``out`` / ``name``. Weights keep their numbers, in float32.

    :raises UnsuitableCheckpoint: a file that cannot be used, or that does not fit the others, by key name.
    :raises UsageError: a name that is none, or face networks for what is no face.
    :raises OutputError: the folder exists, or cannot be written.
    """
    folder = check_name(name, out)
    if sources.crops and (sources.identity or sources.parsing):
        raise UsageError("identity and parsing are networks of faces; leave them out where crops are of other things")
    parts = _gathered(sources, name)
    with new_folder(folder) as part:
        for file, tensors in parts.tensors.items():
            write_tensors(part / f"{file}.safetensors", tensors, torch.float32)
        write_pack_toml(part, parts.settings)
        (part / "card.md").write_text(_card(name, parts), encoding="utf-8")
    missing = [f"{k}: {v}" for k, v in _WITHOUT.items() if k not in parts.tensors]
    return Imported(folder, parts.found, tuple(missing))


def _gathered(sources: Sources, name: str) -> _Parts:
    generator = read_generator(read_checkpoint(sources.generator), sources.generator)
    config = generator.config
    mean = "stated" if generator.mean_is_stated else f"of {SAMPLES} samples, the file states none"
    found = [f"generator: {generator.layout}, {config.resolution} px, {config.layers} styles of {config.d_style}"]
    found += [f"mean latent: {mean}"]
    settings: dict[str, Any] = {"name": name, "resolution": config.resolution}
    settings |= {"crops": sources.crops} if sources.crops else {"template": FFHQ_TEMPLATE}
    settings["generator"] = {"kind": generator.kind, **asdict(config)}
    tensors = {"generator": generator.state}
    if sources.encoder:
        tree = read_checkpoint(sources.encoder)
        if isinstance(tree, dict) and "encoder_config" in tree:
            encoder, tensors["encoder"] = _trained_here(tree, config, sources.encoder)
            settings["encoder"] = {"kind": "residual", **asdict(encoder)}
            settings |= {} if sources.crops else {"template": tree["template"]}
            found.append(f"encoder: Feature-Style, trained by pipelines.train_encoder, {encoder.layers} styles")
        else:
            encoder, state = read_encoder(state_of(tree, sources.encoder), sources.encoder)
            _check_encoder(encoder, config, sources.encoder)
            settings["encoder"] = {"kind": "iresnet", **asdict(encoder)}
            tensors["encoder"] = {**state, "mean_latent": generator.mean_latent}
            found.append(f"encoder: Feature-Style, iresnet of {sum(encoder.blocks)} blocks, {encoder.layers} styles")
    if sources.identity:
        identity = read_any_identity(sources.identity, settings["template"])
        settings["identity"], tensors["identity"] = identity.settings, identity.tensors
        found.append(identity.found)
    if sources.parsing:
        state = state_of(read_checkpoint(sources.parsing), sources.parsing)
        parsing, tensors["parsing"] = read_parsing(state, sources.parsing)
        settings["parsing"] = {"kind": "bisenet", **asdict(parsing)}
        found.append(f"face parsing: BiSeNet, {parsing.parts} parts")
    edits = _edits(sources, generator.state, config)
    if edits:
        tensors["directions"] = {k: v.displacement for k, v in edits.items()}
        settings["edits"] = {k: {"unit": UNIT, "step": v.step} for k, v in edits.items()}
        found.append(f"edits, in units {UNIT}: {', '.join(edits)}")
    settings["sources"] = {p.name: sha256(p) for p in _files(sources)}
    return _Parts(settings, tensors, tuple(found))


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


def _trained_here(tree: dict[str, Any], config: GeneratorSizes, path: Path) -> tuple[EncoderConfig, dict[str, Tensor]]:
    """An encoder of pipelines.train_encoder, whose checkpoint tells its sizes."""
    encoder = EncoderConfig(**tree["encoder_config"])
    if wrong := misfits(encoder, config):
        raise UnsuitableCheckpoint(f"{path}: this generator takes an encoder with {', '.join(wrong)}; give its own")
    try:
        FeatureStyleEncoder(encoder).load_state_dict(tree["encoder"])
    except RuntimeError as error:
        raise UnsuitableCheckpoint(f"{path}: {' '.join(str(error).split())[:200]}") from None
    return encoder, tree["encoder"]


def _check_encoder(encoder: Any, config: GeneratorSizes, path: Path) -> None:
    for what, is_, should in (
        ("styles", encoder.layers, config.layers),
        ("styles.0.weight: numbers of a style", encoder.d_style, config.d_style),
        ("content_layer.4.weight: channels of F", encoder.feature_channels, config.feature_shape[0]),
        ("content_layer.4.weight: side of F", encoder.side // 16, config.feature_shape[1]),
    ):
        if is_ != should:
            raise UnsuitableCheckpoint(
                f"{path}: {what} are {is_}; this generator takes {should}, so give its own encoder"
            )


def _card(name: str, parts: _Parts) -> str:
    found = "\n".join(f"- {line}" for line in parts.found)
    files = "\n".join(f"- `{file}` sha256 `{digest}`" for file, digest in parts.settings["sources"].items())
    return (
        f"# {name}\n\nImported from published files; their licences and terms are their authors'.\n\n{found}\n\n"
        f"Made from:\n\n{files}\n\nNobody measured what a step of these edits does: their unit is {UNIT}.\n"
    )
