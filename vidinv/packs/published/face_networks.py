"""Published networks of faces, all but the generators: their weights under this package's names."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from vidinv.errors import UnsuitableCheckpoint
from vidinv.models.face_parsing import FaceParsing, FaceParsingConfig
from vidinv.models.face_views import Box
from vidinv.models.inception_identity import InceptionIdentity, InceptionIdentityConfig
from vidinv.models.iresnet_encoder import IResNetEncoder, IResNetEncoderConfig
from vidinv.models.iresnet_identity import IResNetIdentity, IResNetIdentityConfig
from vidinv.packs.published.fitting import fitted, renamer

_ENCODER_NAMES = renamer(
    (r"trunk\.stem\.(.+)", r"conv.\1"),
    (r"trunk\.stages\.0\.(.+)", r"block_1.\1"),
    (r"trunk\.stages\.1\.(.+)", r"block_2.\1"),
    (r"trunk\.stages\.2\.(.+)", r"block_3.\1"),
    (r"trunk\.stages\.3\.(.+)", r"block_4.\1"),
    (r"to_feature\.(.+)", r"content_layer.\1"),
    (r"to_styles\.(.+)", r"styles.\1"),
)
_ARCFACE_NAMES = renamer(
    (r"trunk\.stem\.0\.(.+)", r"conv1.\1"),
    (r"trunk\.stem\.1\.(.+)", r"bn1.\1"),
    (r"trunk\.stem\.2\.(.+)", r"prelu.\1"),
    (r"trunk\.stages\.0\.(.+)", r"layer1.\1"),
    (r"trunk\.stages\.1\.(.+)", r"layer2.\1"),
    (r"trunk\.stages\.2\.(.+)", r"layer3.\1"),
    (r"trunk\.stages\.3\.(.+)", r"layer4.\1"),
    (r"norm\.(.+)", r"bn2.\1"),
    (r"to_embedding\.(.+)", r"fc.\1"),
    (r"norm_embedding\.(.+)", r"features.\1"),
)
_FACENET_NAMES = renamer((r"network\.(.+)", r"\1"))


def read_encoder(state: dict[str, Tensor], path: Path) -> tuple[IResNetEncoderConfig, dict[str, Tensor]]:
    """The official Feature-Style encoder, without its mean latent.

    :raises UnsuitableCheckpoint: another network, by the key that does not fit.
    """
    widths, blocks = _trunk(state, "conv.0.weight", "block_", path)
    layers = sum(k.startswith("styles.") and k.endswith(".bias") for k in state)
    out = _lengths(state, ("styles.0.bias", "content_layer.4.weight"), path)
    config = IResNetEncoderConfig(widths=widths, blocks=blocks, layers=layers, d_style=out[0], feature_channels=out[1])
    return config, fitted(lambda: IResNetEncoder(config), state, _ENCODER_NAMES, path, own=("mean_latent",))


def read_identity(
    state: dict[str, Tensor], path: Path, box: Box = (0.0, 0.0, 1.0, 1.0)
) -> tuple[IResNetIdentityConfig, dict[str, Tensor]]:
    """ArcFace with an iresnet of any depth; ``box`` as in :class:`IResNetIdentityConfig`.

    :raises UnsuitableCheckpoint: another network, by the key that does not fit.
    """
    widths, blocks = _trunk(state, "conv1.weight", "layer", path)
    (embedding,) = _lengths(state, ("fc.weight",), path)
    config = IResNetIdentityConfig(box=box, widths=widths, blocks=blocks, embedding=embedding)
    return config, fitted(lambda: IResNetIdentity(config), state, _ARCFACE_NAMES, path)


def read_facenet(state: dict[str, Tensor], path: Path, box: Box) -> tuple[InceptionIdentityConfig, dict[str, Tensor]]:
    """facenet-pytorch's InceptionResnetV1; its classifier is left out. ``box`` as in :class:`InceptionIdentityConfig`.

    :raises UnsuitableCheckpoint: another network, by the key that does not fit.
    """
    config = InceptionIdentityConfig(box=box)
    return config, fitted(lambda: InceptionIdentity(config), state, _FACENET_NAMES, path, ignored=r"logits\..*")


def read_parsing(state: dict[str, Tensor], path: Path) -> tuple[FaceParsingConfig, dict[str, Tensor]]:
    """BiSeNet on a resnet18; its auxiliary outputs are left out.

    :raises UnsuitableCheckpoint: another network, by the key that does not fit.
    """
    keys = [f"cp.resnet.layer{i}.0.conv2.weight" for i in range(1, 5)]
    *widths, parts = _lengths(state, (*keys, "conv_out.conv_out.weight"), path)
    config = FaceParsingConfig(widths=tuple(widths), parts=parts)
    return config, fitted(lambda: FaceParsing(config), state, lambda key: key, path, ignored=r"conv_out(16|32)\..*")


def _trunk(state: dict[str, Tensor], stem: str, stage: str, path: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Widths and blocks of an iresnet."""
    widths, blocks = _lengths(state, (stem, *(f"{stage}{i}.0.conv1.weight" for i in range(1, 5))), path), []
    for i in range(1, 5):
        blocks.append(len({k.split(".")[1] for k in state if k.startswith(f"{stage}{i}.")}))
    return tuple(widths), tuple(blocks)


def _lengths(state: dict[str, Tensor], keys: tuple[str, ...], path: Path) -> list[int]:
    """First axes."""
    for key in keys:
        if key not in state or not state[key].dim():
            raise UnsuitableCheckpoint(f"{path}: without {key}; this is another network, or part of one")
    return [len(state[key]) for key in keys]
