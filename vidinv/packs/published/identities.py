"""The identity network of a pack, whichever of the published ones a file holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from vidinv.faces.quads import Template
from vidinv.models.face_views import box_in_crop
from vidinv.models.inception_identity import facenet_box
from vidinv.models.iresnet_identity import ARCFACE_VIEW
from vidinv.packs.published.face_networks import read_facenet, read_identity
from vidinv.packs.published.reading import read_checkpoint, state_of
from vidinv.packs.spec import NetworkSpec


@dataclass(frozen=True)
class PublishedIdentity:
    network: NetworkSpec
    tensors: dict[str, Tensor]
    found: str  # what it is


def read_any_identity(path: Path, template: Template) -> PublishedIdentity:
    """ArcFace on an iresnet, or facenet-pytorch's InceptionResnetV1; told by its keys.

    :param template: of the pack's crops, which the network is to see a part of.
    :raises UnsuitableCheckpoint: neither, by the key that does not fit.
    """
    state = state_of(read_checkpoint(path), path)
    if "conv2d_1a.conv.weight" in state:
        facenet, tensors = read_facenet(state, path, facenet_box(**asdict(template)))
        found = "identity: InceptionResnetV1 of facenet-pytorch, 512 numbers"
        return PublishedIdentity(NetworkSpec("inception-resnet", facenet), tensors, found)
    arcface, tensors = read_identity(state, path, box_in_crop(ARCFACE_VIEW, **asdict(template)))
    found = f"identity: ArcFace, iresnet of {sum(arcface.blocks)} blocks, {arcface.embedding} numbers"
    return PublishedIdentity(NetworkSpec("iresnet", arcface), tensors, found)
