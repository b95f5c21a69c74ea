"""A model pack: a folder of safetensors files, pack.toml and card.md.

pack.toml names the pack, how its crops are placed, the sizes of every network, what each edit does, and the sha256 of
every file. A network is read, and its file's hash checked, when it is first asked for; nothing is ever unpickled.
Files are mapped into memory: weights that nobody multiplies by are never copied.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from vidinv.errors import DamagedPack
from vidinv.faces.boxes import CropRule
from vidinv.faces.quads import BoxTemplate, Template
from vidinv.models.attributes import AttributeConfig, AttributeNet
from vidinv.models.backbone import fold_batch_norms
from vidinv.models.face_parsing import FaceParsing, FaceParsingConfig
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.models.generator3 import AliasFreeConfig, AliasFreeGenerator
from vidinv.models.identity import IdentityConfig, IdentityNet
from vidinv.models.inception_identity import InceptionIdentity, InceptionIdentityConfig
from vidinv.models.iresnet_encoder import IResNetEncoder, IResNetEncoderConfig
from vidinv.models.iresnet_identity import IResNetIdentity, IResNetIdentityConfig
from vidinv.models.landmarks import LandmarkConfig, LandmarkNet
from vidinv.models.uninitialised import Uninitialised
from vidinv.models.visibility import VisibilityConfig, VisibilityNet
from vidinv.packs.digest import sha256
from vidinv.packs.locate import find_pack
from vidinv.types import Displacement

FEATURE_PART = ".feature"  # ends the name of a displacement's part in F
# What a section of pack.toml may say under "kind"; without it, the first.
KINDS: dict[str, dict[str, tuple[type[nn.Module], type]]] = {
    "generator": {
        "stylegan2": (Generator, GeneratorConfig),
        "stylegan3": (AliasFreeGenerator, AliasFreeConfig),
    },
    "encoder": {"residual": (FeatureStyleEncoder, EncoderConfig), "iresnet": (IResNetEncoder, IResNetEncoderConfig)},
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


@dataclass(frozen=True)
class Pack:
    """A pack on disk; networks come in eval mode, without gradients, on ``device``."""

    folder: Path
    settings: dict[str, Any]
    device: str = "cpu"

    @property
    def name(self) -> str:
        return self.settings["name"]

    @property
    def resolution(self) -> int:
        """Side of the generator's pictures and of the crops, pixels."""
        return self.settings.get("resolution") or self.settings["encoder"]["resolution"]

    def has(self, name: str) -> bool:
        """Is this network (or "directions") among the pack's files?"""
        return f"{name}.safetensors" in self.settings["files"]

    def label(self, name: str) -> str:
        """What a network is called beside its figures: "identity of face-128", "identity (iresnet) of ffhq-1024"."""
        own = next(iter(KINDS[name]))
        kind = self.settings.get(name, {}).get("kind", own)
        return f"{name} of {self.name}" if kind == own else f"{name} ({kind}) of {self.name}"

    @property
    def crops(self) -> CropRule:
        """How crops are found: faces, unless pack.toml says otherwise."""
        rule = self.settings.get("crops", {})
        return CropRule(**{k: tuple(v) if isinstance(v, list) else v for k, v in rule.items()})

    @property
    def template(self) -> Template | BoxTemplate:
        """How crops are placed about what was found."""
        if self.crops.kind == "face":
            return Template(**self.settings["template"])
        return BoxTemplate(self.crops.content, self.crops.margin)

    @property
    def hash(self) -> str:
        """sha256 over the files' hashes: two packs with the same hash give the same pictures."""
        listed = "".join(f"{k}={v}\n" for k, v in sorted(self.settings["files"].items()))
        return hashlib.sha256(listed.encode()).hexdigest()

    def tensors(self, name: str) -> dict[str, Tensor]:
        """The tensors of one file, by its name without ending, as float32.

        :raises DamagedPack: when the file is missing, its hash differs, or it is no safetensors file.
        """
        file = f"{name}.safetensors"
        expected = self.settings["files"].get(file)
        if expected is None:
            raise DamagedPack(
                f"pack {self.name} has no {name} network: its pack.toml lists no {file}; "
                "give it one with vidinv packs import, or choose another pack"
            )
        path = self.folder / file
        try:
            if sha256(path) != expected:
                raise DamagedPack(
                    f"pack {self.name}: {path} is damaged (its sha256 is not the one in pack.toml); reinstall the pack"
                )
            return {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}
        except OSError as error:
            raise DamagedPack(f"pack {self.name}: cannot read {path} ({error.strerror}); reinstall the pack") from None
        except SafetensorError as error:
            raise DamagedPack(f"pack {self.name}: {path} is no safetensors file ({error})") from None

    def _network(self, name: str) -> Any:
        section = dict(self.settings.get(name, {}))
        kinds = KINDS[name]
        kind = section.pop("kind", next(iter(kinds)))
        if kind not in kinds:
            raise DamagedPack(f"pack {self.name}: unknown kind {kind!r} of {name}; there are {', '.join(kinds)}")
        tensors = self.tensors(name)
        try:
            config = kinds[kind][1](**{k: tuple(v) if isinstance(v, list) else v for k, v in section.items()})
            with Uninitialised():
                network = kinds[kind][0](config)
            network.load_state_dict(tensors, assign=True)
        except (RuntimeError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise DamagedPack(f"pack {self.name}: {name}.safetensors does not fit pack.toml: {reason}") from None
        network = fold_batch_norms(network.eval().requires_grad_(False))
        return network.to(self.device, memory_format=torch.channels_last)

    @cached_property
    def generator(self) -> Generator | AliasFreeGenerator:
        return self._network("generator")

    @cached_property
    def encoder(self) -> FeatureStyleEncoder | IResNetEncoder:
        return self._network("encoder")

    @cached_property
    def identity(self) -> IdentityNet | IResNetIdentity | InceptionIdentity:
        return self._network("identity")

    @cached_property
    def attributes(self) -> AttributeNet:
        return self._network("attributes")

    @cached_property
    def landmarks(self) -> LandmarkNet:
        return self._network("landmarks")

    @cached_property
    def parsing(self) -> FaceParsing:
        return self._network("parsing")

    @cached_property
    def visibility(self) -> VisibilityNet:
        return self._network("visibility")

    @cached_property
    def directions(self) -> dict[str, Displacement]:
        """Per edit the displacement of one step. Its part in F, where it has one, is the tensor NAME.feature."""
        if not self.settings["edits"]:
            return {}
        tensors = {k: v.to(self.device) for k, v in self.tensors("directions").items()}
        names = [k for k in tensors if not k.endswith(FEATURE_PART)]
        return {k: Displacement(tensors[k], tensors.get(k + FEATURE_PART)) for k in names}


def load_pack(name: str | Path | None = None, device: str = "cpu") -> Pack:
    """:raises UnknownPack: no such pack. :raises DamagedPack: its pack.toml cannot be read."""
    folder = find_pack(name)
    try:
        settings = tomllib.loads((folder / "pack.toml").read_text(encoding="utf-8"))
        pack = Pack(folder, settings, device)
        settings.setdefault("edits", {})
        _ = pack.name, pack.resolution, pack.template, settings["files"]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise DamagedPack(f"{folder / 'pack.toml'} cannot be used ({error!r}); reinstall the pack") from None
    return pack
