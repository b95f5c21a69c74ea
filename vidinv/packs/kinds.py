"""The networks that a pack may hold, and the kinds that there are of each."""

from __future__ import annotations

from torch import nn

from vidinv.models.attributes import AttributeConfig, AttributeNet
from vidinv.models.edit_network import EditNetwork, EditNetworkConfig
from vidinv.models.face_parsing import FaceParsing, FaceParsingConfig
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.models.generator3 import AliasFreeConfig, AliasFreeGenerator
from vidinv.models.identity import IdentityConfig, IdentityNet
from vidinv.models.inception_identity import InceptionIdentity, InceptionIdentityConfig
from vidinv.models.iresnet_encoder import IResNetEncoder, IResNetEncoderConfig
from vidinv.models.iresnet_identity import IResNetIdentity, IResNetIdentityConfig
from vidinv.models.landmarks import LandmarkConfig, LandmarkNet
from vidinv.models.latent_flow import LatentFlow, LatentFlowConfig
from vidinv.models.style_encoder import StyleEncoder, StyleEncoderConfig
from vidinv.models.visibility import VisibilityConfig, VisibilityNet

# Of the network in NAME.safetensors: what the table [NAME] of pack.toml may say under "kind"; without it, the first.
# A kind is a network and the dataclass of its sizes.
KINDS: dict[str, dict[str, tuple[type[nn.Module], type]]] = {
    "generator": {
        "stylegan2": (Generator, GeneratorConfig),
        "stylegan3": (AliasFreeGenerator, AliasFreeConfig),
    },
    "encoder": {"residual": (FeatureStyleEncoder, EncoderConfig), "iresnet": (IResNetEncoder, IResNetEncoderConfig)},
    "domain_encoder": {"residual": (StyleEncoder, StyleEncoderConfig)},
    "edit_network": {"unet": (EditNetwork, EditNetworkConfig)},
    "latent_flow": {"realnvp": (LatentFlow, LatentFlowConfig)},
    "identity": {
        "student": (IdentityNet, IdentityConfig),
        "iresnet": (IResNetIdentity, IResNetIdentityConfig),
        "inception-resnet": (InceptionIdentity, InceptionIdentityConfig),
    },
    "attributes": {"student": (AttributeNet, AttributeConfig)},
    "landmarks": {"student": (LandmarkNet, LandmarkConfig)},
    "parsing": {"bisenet": (FaceParsing, FaceParsingConfig)},
    "visibility": {"student": (VisibilityNet, VisibilityConfig)},
}


def own_kind(name: str) -> str:
    """The kind that a network has where nothing is said."""
    return next(iter(KINDS[name]))
