"""A pack of random weights at toy size: every file and every step of the real one, none of its knowledge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from vidinv.faces.quads import FACE
from vidinv.models.attributes import AttributeConfig, AttributeNet
from vidinv.models.edit_network import EditNetwork, EditNetworkConfig
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.models.generator3 import AliasFreeConfig, AliasFreeGenerator
from vidinv.models.identity import IdentityConfig, IdentityNet
from vidinv.models.landmarks import LandmarkConfig, LandmarkNet
from vidinv.models.latent_flow import LatentFlow, LatentFlowConfig
from vidinv.models.style_encoder import StyleEncoder, StyleEncoderConfig
from vidinv.packs.load import FEATURE_PART, load_pack
from vidinv.packs.spec import EditSpec, NetworkSpec, PackSpec
from vidinv.packs.write import write_pack, write_tensors

GENERATOR = GeneratorConfig(channels=(16, 16, 16, 8, 8), d_style=16, mapping_layers=1)
ENCODER = EncoderConfig(64, (8, 16, 16, 16), (1, 1, 1), 32, GENERATOR.layers, 16, 16, 16)
# The same for an alias-free generator, whose 16x16 samples of the picture lie in 36x36.
ALIAS_FREE = AliasFreeConfig(64, (8,) * 6, d_style=16, mapping_layers=1, feature_band=4.0)
ALIAS_FREE_ENCODER = EncoderConfig(64, (8, 16, 16, 16), (1, 1, 1), 32, ALIAS_FREE.layers, 16, 8, 36, feature_margin=10)
IDENTITY, ATTRIBUTES, LANDMARKS = IdentityConfig(), AttributeConfig(), LandmarkConfig()


def write_toy_pack(folder: Path, seed: int = 0, *, alias_free: bool = False) -> Path:
    """Write it to ``folder`` and return that."""
    kind, make, shape, encoder = ("stylegan2", Generator, GENERATOR, ENCODER)
    if alias_free:
        kind, make, shape, encoder = ("stylegan3", AliasFreeGenerator, ALIAS_FREE, ALIAS_FREE_ENCODER)
    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    networks = {
        "generator": make(shape),
        "encoder": FeatureStyleEncoder(encoder),
        "identity": IdentityNet(IDENTITY),
        "attributes": AttributeNet(ATTRIBUTES),
        "landmarks": LandmarkNet(LANDMARKS),
    }
    for name, network in networks.items():
        write_tensors(folder / f"{name}.safetensors", network.state_dict())
    steps = {name: 0.5 * torch.randn(shape.layers, shape.d_style) for name in ("age", "smile")}
    steps["smile" + FEATURE_PART] = 0.1 * torch.randn(shape.feature_shape)
    write_tensors(folder / "directions.safetensors", steps)
    specs = {
        "generator": NetworkSpec(kind, shape),
        "encoder": NetworkSpec("residual", encoder),
        "identity": NetworkSpec("student", IDENTITY),
        "attributes": NetworkSpec("student", ATTRIBUTES),
        "landmarks": NetworkSpec("student", LANDMARKS),
    }
    edits = {
        "age": EditSpec(
            unit="years",
            step="5 years",
            text="older",
            strengths=(-2.0, 0.0, 2.0),
            effects=(-10.0, 0.0, 10.0),
            scale=18.0,
        ),
        "smile": EditSpec(unit="P(happy)", step="a smile", strengths=(-1.0, 1.0), effects=(-0.5, 0.5), scale=5.0),
    }
    write_pack(folder, PackSpec("toy", encoder.resolution, FACE, specs, edits=edits))
    return folder


def add_toy_domain_encoder(folder: Path, config: StyleEncoderConfig | None = None, seed: int = 1) -> Path:
    """Give the toy pack in ``folder`` a domain-guided encoder; without ``config``, one that fits."""
    config = config or StyleEncoderConfig(64, (8, 16, 16, 16), (1, 1, 1), 32, GENERATOR.layers, 16)
    torch.manual_seed(seed)
    write_tensors(folder / "domain_encoder.safetensors", StyleEncoder(config).state_dict())
    before = load_pack(folder).spec
    networks = {**before.networks, "domain_encoder": NetworkSpec("residual", config)}
    write_pack(folder, replace(before, networks=networks))
    return folder


def add_toy_flow(folder: Path, attributes: tuple[str, ...] = ("age", "smile"), seed: int = 1) -> Path:
    """Give the toy pack in ``folder`` a latent flow, by which it smiles."""
    config = LatentFlowConfig(attributes, GENERATOR.layers, GENERATOR.d_style, couplings=3, hidden=8)
    torch.manual_seed(seed)
    flow = LatentFlow(config)
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    flow.normals.copy_(torch.nn.functional.normalize(torch.randn_like(flow.normals), dim=1))
    flow.steps.copy_(torch.linspace(1.5, 2.0, len(attributes)))
    write_tensors(folder / "latent_flow.safetensors", flow.state_dict())
    before = load_pack(folder).spec
    networks = {**before.networks, "latent_flow": NetworkSpec("realnvp", config)}
    edits = {**before.edits, "smile": replace(before.edits["smile"], kind="proxy")}
    write_pack(folder, replace(before, networks=networks, edits=edits))
    return folder


def add_toy_edit_network(folder: Path, edits: tuple[str, ...] = ("mouth", "smile")) -> Path:
    """Give the toy pack in ``folder`` an edit network, which makes its edit "smile"; "age" stays linear."""
    channels, side, _ = GENERATOR.feature_shape
    config = EditNetworkConfig(edits, GENERATOR.layers, GENERATOR.d_style, channels, side, 6, (8, 8), 1, 8)
    torch.manual_seed(2)
    network = EditNetwork(config)
    torch.nn.init.normal_(network.draw)
    network.steps.copy_(torch.linspace(0.5, 1.5, len(edits)))
    write_tensors(folder / "edit_network.safetensors", network.state_dict())
    before = load_pack(folder).spec
    networks = {**before.networks, "edit_network": NetworkSpec("unet", config)}
    smile = replace(before.edits["smile"], kind="network")
    write_pack(folder, replace(before, networks=networks, edits={**before.edits, "smile": smile}))
    return folder
