"""The encoder of a pack: InterDigital's, or one that pipelines.train_encoder trained; checked against the generator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from vidinv.errors import UnsuitableCheckpoint
from vidinv.faces.quads import Template
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder, misfits
from vidinv.models.iresnet_encoder import IResNetEncoderConfig
from vidinv.models.synthesis import GeneratorSizes
from vidinv.packs.published.face_networks import read_encoder
from vidinv.packs.published.generator_state import PublishedGenerator
from vidinv.packs.published.reading import read_checkpoint, state_of
from vidinv.packs.spec import NetworkSpec


@dataclass(frozen=True)
class PublishedEncoder:
    network: NetworkSpec
    tensors: dict[str, Tensor]
    found: str  # what it is
    template: Template | None = None  # of the crops that it was trained on; None: the file does not say


def read_any_encoder(path: Path, generator: PublishedGenerator) -> PublishedEncoder:
    """The official Feature-Style encoder, with the generator's mean latent, or a checkpoint of train_encoder.

    :raises UnsuitableCheckpoint: another network, by the key that does not fit, or one of another generator.
    """
    tree = read_checkpoint(path)
    if isinstance(tree, dict) and "encoder_config" in tree:
        return _trained_here(tree, generator.config, path)
    config, state = read_encoder(state_of(tree, path), path)
    _check(config, generator.config, path)
    found = f"encoder: Feature-Style, iresnet of {sum(config.blocks)} blocks, {config.layers} styles"
    return PublishedEncoder(NetworkSpec("iresnet", config), {**state, "mean_latent": generator.mean_latent}, found)


def _trained_here(tree: dict[str, Any], generator: GeneratorSizes, path: Path) -> PublishedEncoder:
    """An encoder of pipelines.train_encoder, whose checkpoint tells its sizes."""
    try:
        config, template = EncoderConfig(**tree["encoder_config"]), Template(**tree["template"])
        if wrong := misfits(config, generator):
            raise UnsuitableCheckpoint(f"{path}: this generator takes an encoder with {', '.join(wrong)}; give its own")
        FeatureStyleEncoder(config).load_state_dict(tree["encoder"])
    except (RuntimeError, TypeError, KeyError) as error:
        raise UnsuitableCheckpoint(f"{path}: {' '.join(str(error).split())[:200]}") from None
    found = f"encoder: Feature-Style, trained by pipelines.train_encoder, {config.layers} styles"
    return PublishedEncoder(NetworkSpec("residual", config), tree["encoder"], found, template)


def _check(encoder: IResNetEncoderConfig, generator: GeneratorSizes, path: Path) -> None:
    for what, is_, should in (
        ("styles", encoder.layers, generator.layers),
        ("styles.0.weight: numbers of a style", encoder.d_style, generator.d_style),
        ("content_layer.4.weight: channels of F", encoder.feature_channels, generator.feature_shape[0]),
        ("content_layer.4.weight: side of F", encoder.side // 16, generator.feature_shape[1]),
    ):
        if is_ != should:
            raise UnsuitableCheckpoint(
                f"{path}: {what} are {is_}; this generator takes {should}, so give its own encoder"
            )
