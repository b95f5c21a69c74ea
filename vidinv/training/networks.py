"""The pack whose codes are trained on: generator and encoder, out of the pack itself or out of one file that travels.

The file is one of ``torch.save``, fp16, tensors and plain values only, so that a machine needs nothing but PyTorch to
read it. It holds the probe of accessories too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vidinv.models.backbone import fold_batch_norms
from vidinv.models.edit_network import EditNetwork
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.training.accessories import Probe, load_probe
from vidinv.training.checkpoints import portable
from vidinv.training.shards import read_labels


@dataclass(frozen=True)
class Networks:
    """Ready for use: in eval mode, without gradients, batch norms folded."""

    generator: Generator
    encoder: FeatureStyleEncoder
    weights: dict[str, dict[str, Tensor]]  # state dicts of both as they were trained, on the CPU
    seen: int  # pictures that made them

    @property
    def resolution(self) -> int:
        return self.generator.config.resolution

    def to(self, device: str) -> Networks:
        """Moves them."""
        self.generator.to(device)
        self.encoder.to(device)
        return self


def open_networks(name: str) -> Networks:
    """:param name: of a pack, its folder, or a file of :func:`save_networks`."""
    if name.endswith(".pt"):
        saved = torch.load(name, map_location="cpu", weights_only=True)
        weights = {k: {n: _float(t) for n, t in saved[k].items()} for k in ("generator", "encoder")}
        generator = Generator(GeneratorConfig(**saved["sizes"]["generator"]))
        encoder = FeatureStyleEncoder(EncoderConfig(**saved["sizes"]["encoder"]))
        generator.load_state_dict(weights["generator"])
        encoder.load_state_dict(weights["encoder"])
        return Networks(_ready(generator), _ready(encoder), weights, saved["seen"])
    from vidinv.packs.load import load_pack  # reads safetensors, which may be absent where there is a GPU

    pack = load_pack(name)
    if not isinstance(pack.generator, Generator) or not isinstance(pack.encoder, FeatureStyleEncoder):
        raise ValueError(f"{name} has networks of other kinds than this trains; name a pack with a StyleGAN2 generator")
    card = pack.folder / "card.json"
    seen = json.loads(card.read_text())["images_seen"] if card.exists() else 0
    return Networks(pack.generator, pack.encoder, {k: pack.tensors(k) for k in ("generator", "encoder")}, seen)


def open_learned(name: str) -> tuple[EditNetwork, str]:
    """A pack's edit network, and what its card says of how it was trained.

    :raises ValueError: the pack has none, or no card.
    """
    from vidinv.packs.load import load_pack

    pack = load_pack(name)
    card = pack.folder / "card.json"
    recipe = json.loads(card.read_text()).get("edit_recipe") if card.exists() else None
    if "edit_network" not in pack.spec.networks or recipe is None:
        raise ValueError(f"pack {pack.name} has no edit network whose training its card tells of")
    return pack.edit_network.requires_grad_(False), recipe


def save_networks(path: Path, networks: Networks, probe: Probe) -> None:
    """Write the file that travels."""
    sizes = {k: asdict(getattr(networks, k).config) for k in ("generator", "encoder")}
    content = networks.weights | {"seen": networks.seen, "sizes": sizes, "probe": asdict(probe)}
    path.parent.mkdir(parents=True, exist_ok=True)
    # The probe stays as it is: it is small, and its logits decide.
    torch.save(portable(content) | {"probe": content["probe"]}, path)


def open_probe(name: Path) -> Probe:
    """The probe of a data folder, or of a file of :func:`save_networks`."""
    if name.suffix == ".pt":
        return Probe(**torch.load(name, map_location="cpu", weights_only=True)["probe"])
    probe = load_probe(name, read_labels(name))
    if probe is None:
        raise ValueError(f"{name} has no probe of accessories; make it with python -m pipelines.label_accessories")
    return probe


def _float(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _ready(network: nn.Module) -> Any:
    return fold_batch_norms(network.eval().requires_grad_(False)).to(memory_format=torch.channels_last)
