"""Another domain than faces: bars on a ground, 32x24 in squares of 32, and a pack trained on them in seconds."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch

from vidinv.faces.boxes import CropRule
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.packs.published.directions import sefa
from vidinv.packs.spec import EditSpec, NetworkSpec, PackSpec, template_of
from vidinv.packs.write import write_pack, write_tensors

CONTENT = (1.0, 0.75)
GENERATOR = GeneratorConfig((16,) * 4, d_style=16, mapping_layers=1, feature_layer=3)
ENCODER = EncoderConfig(32, (16, 32, 32), (1, 1), 32, GENERATOR.layers, 16, 16, feature_side=8)


def bar(rng: np.random.Generator, height: int = 24, width: int = 32) -> np.ndarray:
    """[height, width, 3] uint8: a bar of one colour on a ground of another."""
    picture = np.full((height, width, 3), rng.integers(60, 110, 3), np.uint8)
    half = np.array([height, width]) * rng.uniform(0.15, 0.3, 2)
    centre = np.array([height, width]) * rng.uniform(0.4, 0.6, 2)
    (y0, x0), (y1, x1) = (centre - half).astype(int), (centre + half).astype(int)
    picture[y0:y1, x0:x1] = rng.integers(140, 230, 3)
    return picture


def pictures(count: int, seed: int) -> torch.Tensor:
    """[count, 3, 32, 32] in -1..1, black above and below."""
    rng = np.random.default_rng(seed)
    squares = np.zeros((count, 32, 32, 3), np.uint8)
    for square in squares:
        square[4:28] = bar(rng)
    return torch.from_numpy(squares).permute(0, 3, 1, 2).float() / 127.5 - 1


@cache
def trained(steps: int = 80) -> tuple[Generator, FeatureStyleEncoder]:
    """Generator and encoder that learned together to reproduce bars, by G(w, F) and by G(w)."""
    torch.manual_seed(0)
    generator, encoder = Generator(GENERATOR), FeatureStyleEncoder(ENCODER)
    adam = torch.optim.Adam([*generator.parameters(), *encoder.parameters()], lr=2e-3, betas=(0.9, 0.99))
    known = pictures(256, 0)
    for step in range(steps):
        x = known[torch.arange(8 * step, 8 * step + 8) % len(known)]
        w, feature = encoder(x)
        native, skip = generator.below(w)
        loss = (generator.render_from(w, feature, skip) - x).square().mean()
        loss = loss + 0.3 * (generator.render_from(w, native, skip) - x).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return generator.eval().requires_grad_(False), encoder.eval().requires_grad_(False)


def write_shapes_pack(folder: Path, rule: CropRule) -> Path:
    """A pack without any network of faces; its directions are the weights' own."""
    folder.mkdir(parents=True, exist_ok=True)
    generator, encoder = trained()
    edits = sefa(generator.state_dict(), 2, GENERATOR.layers)
    for name, network in {"generator": generator, "encoder": encoder}.items():
        write_tensors(folder / f"{name}.safetensors", network.state_dict())
    write_tensors(folder / "directions.safetensors", {k: v.displacement for k, v in edits.items()})
    networks = {"generator": NetworkSpec("stylegan2", GENERATOR), "encoder": NetworkSpec("residual", ENCODER)}
    known = {k: EditSpec(unit="as found", step=v.step) for k, v in edits.items()}
    write_pack(folder, PackSpec("bars", 32, template_of(rule), networks, rule, known))
    return folder
