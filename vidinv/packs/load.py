"""A model pack: a folder of safetensors files, pack.toml and card.md.

pack.toml names the pack, how its crops are placed, the sizes of every network, what each edit does, and the sha256 of
every file (vidinv.packs.spec). A network is read, and its file's hash checked, when it is first asked for; nothing is
ever unpickled. Files are mapped into memory: weights that nobody multiplies by are never copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from vidinv.errors import DamagedPack, InputError, UnknownEdit, VidinvError
from vidinv.faces.boxes import CropRule
from vidinv.faces.quads import BoxTemplate, Template
from vidinv.models.attributes import AttributeNet
from vidinv.models.backbone import fold_batch_norms
from vidinv.models.edit_network import EditNetwork
from vidinv.models.face_parsing import FaceParsing
from vidinv.models.feature_style_encoder import FeatureStyleEncoder, misfits
from vidinv.models.generator import Generator
from vidinv.models.generator3 import AliasFreeGenerator
from vidinv.models.identity import IdentityNet
from vidinv.models.inception_identity import InceptionIdentity
from vidinv.models.iresnet_encoder import IResNetEncoder, IResNetEncoderConfig, iresnet_misfits
from vidinv.models.iresnet_identity import IResNetIdentity
from vidinv.models.landmarks import LandmarkNet
from vidinv.models.latent_flow import LatentFlow
from vidinv.models.style_encoder import StyleEncoder, style_misfits
from vidinv.models.uninitialised import Uninitialised
from vidinv.models.visibility import VisibilityNet
from vidinv.packs.digest import check_regular, sha256
from vidinv.packs.fits import misfit, misshapen
from vidinv.packs.kinds import KINDS, own_kind
from vidinv.packs.locate import find_pack
from vidinv.packs.own import OwnEdit, find_own, own_names, own_path
from vidinv.packs.spec import FILE_ENDING, EditSpec, PackSpec, spec_of
from vidinv.regular import check_header, read_toml
from vidinv.shortage import shortage
from vidinv.types import Displacement

CODED = tuple(name + FILE_ENDING for name in ("encoder", "generator"))
_LARGEST_TABLE = 1 << 20  # bytes of a pack.toml; those of this package have some thousand
_SPARE = 1 << 22  # numbers that a network may make for itself beside its weights: filters, grids
FEATURE_PART = ".feature"  # ends the name of a displacement's part in F


@dataclass(frozen=True)
class Pack:
    """A pack on disk; networks come in eval mode, without gradients, on ``device``.

    A network that the pack has not, or that does not fit its file, raises DamagedPack when it is asked for.
    """

    folder: Path
    spec: PackSpec
    device: str = "cpu"

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def resolution(self) -> int:
        """Side of the generator's pictures and of the crops, pixels."""
        return self.spec.resolution

    @property
    def crops(self) -> CropRule:
        """How crops are found."""
        return self.spec.crops

    @property
    def template(self) -> Template | BoxTemplate:
        """How crops are placed about what was found."""
        return self.spec.template

    @property
    def hash(self) -> str:
        """sha256 over the files' hashes: two packs with the same hash have the same weights."""
        listed = "".join(f"{k}={v}\n" for k, v in sorted(self.spec.files.items()))
        return hashlib.sha256(listed.encode()).hexdigest()

    @property
    def codes_hash(self) -> str:
        """The same over the files that codes are made and drawn with: what packs of another :attr:`hash` can share."""
        listed = "".join(f"{k}={v}\n" for k, v in sorted(self.spec.files.items()) if k in CODED)
        return hashlib.sha256(listed.encode()).hexdigest()

    def made(self, code_hash: str) -> bool:
        """Are codes with this hash of this pack? It is :attr:`codes_hash`, or :attr:`hash` of those that were kept when
        there was no other."""
        return code_hash in (self.codes_hash, self.hash)

    @property
    def scores(self) -> tuple[str, ...]:
        """What its attribute network reads, by the names of edits; none without such a network."""
        return self.spec.networks["attributes"].config.scores if self.has("attributes") else ()

    def has(self, name: str) -> bool:
        """Is this network (or "directions") among the pack's files?"""
        return name + FILE_ENDING in self.spec.files

    def optional(self, name: str) -> Any | None:
        """The network of this name, or None if the pack has none.

        :raises ValueError: no pack has such a network. :raises DamagedPack: as for the network itself.
        """
        if name not in KINDS:
            raise ValueError(f"packs have no network {name!r}; there are {', '.join(KINDS)}")
        return getattr(self, name) if self.has(name) else None

    def label(self, name: str) -> str:
        """What a network is called beside its figures: "identity of face-128", "identity (iresnet) of ffhq-1024"."""
        network = self.spec.networks.get(name)
        kind = own_kind(name) if network is None else network.kind
        return f"{name} of {self.name}" if kind == own_kind(name) else f"{name} ({kind}) of {self.name}"

    def tensors(self, name: str) -> dict[str, Tensor]:
        """The tensors of one file, by its name without ending, as float32.

        :raises DamagedPack: when the file is missing, its hash differs, or it is no safetensors file.
        """
        file = name + FILE_ENDING
        expected = self.spec.files.get(file)
        if expected is None:
            raise DamagedPack(
                f"pack {self.name} has no {name} network: its pack.toml lists no {file}; "
                "give it one with vidinv packs import, or choose another pack"
            )
        path = self.folder / file
        try:
            check_regular(path)
            if sha256(path) != expected:
                raise DamagedPack(
                    f"pack {self.name}: {path} is damaged (its sha256 is not the one in pack.toml); reinstall the pack"
                )
            check_header(path)
            return {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}
        except OSError as error:
            raise DamagedPack(f"pack {self.name}: cannot read {path} ({error.strerror}); reinstall the pack") from None
        except (SafetensorError, ValueError) as error:
            raise DamagedPack(f"pack {self.name}: {path} is no safetensors file ({error})") from None

    @torch.inference_mode(False)  # weights that a caller's inference mode made could not be searched through
    def _network(self, name: str) -> Any:
        tensors = self.tensors(name)
        network_spec = self.spec.networks[name]
        make, _ = KINDS[name][network_spec.kind]
        try:
            # Sizes of which the file has no weights are refused while the network is built, before they take memory.
            with Uninitialised(2 * sum(t.numel() for t in tensors.values()) + _SPARE, 4 * len(tensors) + 64):
                network = make(network_spec.config)
            if (wrong := misfit(tensors, network.state_dict())) is not None:
                raise self._unfit(name, wrong)
            network.load_state_dict(tensors, assign=True)
        # Sizes of the right types can still be of no network: no stages, more blocks than widths, nothing to divide by.
        except (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError, AssertionError) as error:
            if (short := shortage(error)) is not None:
                raise short from error
            raise self._unfit(name, " ".join(str(error).split())[:200]) from None
        network = fold_batch_norms(network.eval().requires_grad_(False))
        return network.to(memory_format=torch.channels_last).to(self.device)

    def _unfit(self, name: str, wrong: str) -> DamagedPack:
        path = self.folder / (name + FILE_ENDING)
        return DamagedPack(f"pack {self.name}: {path} does not fit pack.toml: {wrong}; reinstall the pack")

    @cached_property
    def generator(self) -> Generator | AliasFreeGenerator:
        return self._network("generator")

    @cached_property
    def encoder(self) -> FeatureStyleEncoder | IResNetEncoder:
        network = self._network("encoder")
        made, codes = self.spec.networks["encoder"].config, self.spec.networks.get("generator")
        told = iresnet_misfits if isinstance(made, IResNetEncoderConfig) else misfits
        if codes is not None and (wrong := told(made, codes.config)):
            raise DamagedPack(
                f"pack {self.name}: encoder is for another generator, this one needs {', '.join(wrong)}; "
                "reinstall the pack"
            )
        return network

    @cached_property
    def domain_encoder(self) -> StyleEncoder:
        network = self._network("domain_encoder")
        if wrong := style_misfits(network.config, self.generator.config):
            raise DamagedPack(
                f"pack {self.name}: domain_encoder is for another generator, this one needs {', '.join(wrong)}; "
                "reinstall the pack"
            )
        return network

    @cached_property
    def edit_network(self) -> EditNetwork:
        network, sizes = self._network("edit_network"), self.generator.config
        mine = network.config
        wants = (sizes.layers, sizes.d_style, *sizes.feature_shape[:2])
        if (mine.layers, mine.d_style, mine.feature_channels, mine.feature_side) != wants:
            raise DamagedPack(f"pack {self.name}: edit_network is for another generator's codes; reinstall the pack")
        return network

    def edit_number(self, name: str) -> int:
        """Which of the edit network's amounts an edit is. :raises DamagedPack: none of them."""
        network = self.spec.networks.get("edit_network")
        names = () if network is None else network.config.edits
        if name not in names:
            raise DamagedPack(
                f"pack {self.name}: pack.toml calls {name} an edit of kind network, and edit_network knows "
                f"{', '.join(names) or 'none'}; reinstall the pack"
            )
        return names.index(name)

    @cached_property
    def latent_flow(self) -> LatentFlow:
        network, sizes = self._network("latent_flow"), self.generator.config
        if (network.config.layers, network.config.d_style) != (sizes.layers, sizes.d_style):
            raise DamagedPack(f"pack {self.name}: latent_flow is for another generator's styles; reinstall the pack")
        return network

    def attribute_number(self, name: str) -> int:
        """Which of the latent flow's attributes an edit is. :raises DamagedPack: none of them."""
        network = self.spec.networks.get("latent_flow")
        names = () if network is None else network.config.attributes
        if name not in names:
            raise DamagedPack(
                f"pack {self.name}: pack.toml calls {name} an edit of kind proxy, and latent_flow knows "
                f"{', '.join(names) or 'none'}; reinstall the pack"
            )
        return names.index(name)

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
        """Per linear edit the displacement of one step. Its part in F, where it has one, is the tensor NAME.feature.

        :raises DamagedPack: as for :meth:`tensors`, or when an edit has no displacement.
        """
        linear = {name for name, edit in self.spec.edits.items() if edit.kind == "linear"}
        if not linear:
            return {}
        tensors = {k: v.to(self.device) for k, v in self.tensors("directions").items()}
        if missing := sorted(linear - tensors.keys()):
            raise DamagedPack(
                f"pack {self.name}: directions{FILE_ENDING} lacks the edit {missing[0]} of pack.toml; "
                "reinstall the pack"
            )
        names = [k for k in tensors if not k.endswith(FEATURE_PART)]
        found = {k: Displacement(tensors[k], tensors.get(k + FEATURE_PART)) for k in names}
        for name in sorted(linear):
            if (wrong := self._astray(name, found[name])) is not None:
                raise self._unfit("directions", wrong)
        return found

    def _astray(self, name: str, moved: Displacement) -> str | None:
        """What keeps a displacement from the generator's codes, or None."""
        sizes = self.generator.config
        wrong = misshapen(name, moved.w, torch.empty(sizes.layers, sizes.d_style))
        if wrong is None and moved.feature is not None:
            wrong = misshapen(name + FEATURE_PART, moved.feature, torch.empty(sizes.feature_shape))
        return None if wrong is None else f"{wrong}, as the generator's codes are"

    @property
    def edits(self) -> Mapping[str, EditSpec]:
        """The pack's edits, and behind them those of the user's own that can be read, as the disk has them now."""
        return {**self._own_specs(), **self.spec.edits}

    def _own_specs(self) -> dict[str, EditSpec]:
        found = {}
        for name in own_names(self.name, self.hash):
            try:
                found[name] = self.own(name).spec
            except VidinvError:  # whoever asks for it by name is told; the others need not stop for it
                continue
        return found

    def own(self, name: str) -> OwnEdit:
        """One of the user's own edits.

        :raises UnknownEdit: there is none of this name, or it was fitted to another version of the pack.
        :raises InputError: its file is damaged.
        """
        found = find_own(name, self.name, self.hash)
        if found is None:
            known = ", ".join(own_names(self.name, self.hash)) or "none"
            raise UnknownEdit(f"you have fitted no edit {name!r} to pack {self.name}; there are {known}")
        return found

    def edit(self, name: str) -> EditSpec | None:
        """What an edit does, of the pack's or of the user's own; None: there is none of this name.

        :raises UnknownEdit: an own one that was fitted to another version. :raises InputError: its file is damaged.
        """
        if name in self.spec.edits:
            return self.spec.edits[name]
        found = find_own(name, self.name, self.hash)
        return None if found is None else found.spec

    def displacement(self, name: str) -> Displacement:
        """One step of a linear edit, of the pack's or of the user's own, on the pack's device.

        :raises DamagedPack: as of :attr:`directions`. :raises UnknownEdit, InputError: as of :meth:`own`.
        """
        if name in self.spec.edits:
            return self.directions[name]
        moved = self.own(name).displacement
        if (wrong := self._astray(name, moved)) is not None:
            raise InputError(
                f"{own_path(name, self.name, self.hash)} moves codes of other sizes than pack {self.name} has: "
                f"{wrong}; fit it again: vidinv directions fit {name}"
            )
        feature = None if moved.feature is None else moved.feature.to(self.device)
        return Displacement(moved.w.to(self.device), feature)


def load_pack(name: str | Path | None = None, device: str = "cpu") -> Pack:
    """:raises UnknownPack: no such pack. :raises DamagedPack: its pack.toml cannot be read, or used."""
    folder = find_pack(name)
    path = folder / "pack.toml"
    try:
        table = read_toml(path, _LARGEST_TABLE)[0]
    except (OSError, ValueError) as error:
        raise DamagedPack(f"{path} cannot be read ({error!r}); reinstall the pack") from None
    return Pack(folder, spec_of(table, path), device)
