"""Networks read from published checkpoints compute what the published implementations compute.

The figures of those implementations are read from ../shared/parity where it is at hand. Without it, figures of our own
at toy size, made when the former agreed, keep the result where it was.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.formula import face_network_weights, generator_weights, relative_error, tensor
from tests.packs.published.layouts import TOY_ARCFACE, TOY_ENCODER, TOY_GENERATOR
from tests.shared import shared
from vidinv.models.backbone import fold_batch_norms
from vidinv.models.generator import Generator, edited_feature, render_pair
from vidinv.models.iresnet_encoder import IResNetEncoder
from vidinv.models.iresnet_identity import IResNetIdentity
from vidinv.packs.published.face_networks import read_encoder, read_identity
from vidinv.packs.published.generators import read_generator

OWN = Path(__file__).parent / "toy_figures.npz"
TOLERANCE = 1e-4
Shapes = dict[str, list[int]]


@pytest.fixture(scope="module")
def published() -> Path:
    """Figures of the published implementations."""
    return shared("parity")


def shapes_in(published: Path, name: str) -> Shapes:
    return json.loads((published / f"{name}.keys.json").read_text())


def ready(network: nn.Module, state: dict[str, Tensor]) -> nn.Module:
    """As a pack gives it: norms folded, channels last."""
    network.load_state_dict(state, strict=False)
    folded = fold_batch_norms(network.eval().requires_grad_(False))
    return folded.to(memory_format=torch.channels_last)


def generator_figures(shapes: Shapes) -> dict[str, Tensor]:
    read = read_generator({"g_ema": generator_weights(shapes)}, Path("generator.pt"))
    g, shape = ready(Generator(read.config), read.state), read.config
    w = g.map(tensor("input.z", (2, shape.d_style)))
    styles = w[:, None].repeat(1, shape.layers, 1)
    edited = styles + tensor("input.dw", tuple(styles.shape), 0.1)
    image, native = g(styles, with_features=True)
    feature = native + tensor("input.dF", tuple(native.shape), 0.1)
    changed = edited_feature(feature, native, g.features(edited))
    inversion, picture = render_pair(g, styles, edited, feature)
    return {
        "w": w,
        "w_edited": edited,
        "image": image,
        "feature_k5": native,
        "image_w_edited": g(edited),
        "feature_code": feature,
        "inversion": inversion,
        "feature_code_edited": changed,
        "edited": picture,
    }


def encoder_figures(shapes: Shapes, side: int) -> dict[str, Tensor]:
    shape, state = read_encoder(face_network_weights(shapes), Path("encoder.pth"))
    encoder = ready(IResNetEncoder(shape), {**state, "mean_latent": torch.zeros(shape.layers, shape.d_style)})
    w, feature = encoder(tensor("input.x", (1, 3, side, side), 0.5))
    return {"latents": w, "content": feature}


def arcface_figures(shapes: Shapes) -> dict[str, Tensor]:
    shape, state = read_identity(face_network_weights(shapes), Path("arcface.pth"))
    network = ready(IResNetIdentity(shape), state)
    return {"embedding": network.embed(tensor("input.xa", (2, 3, 112, 112), 0.5))}


def compare(ours: dict[str, Tensor], path: Path, prefix: str = "") -> None:
    theirs = np.load(path)
    errors = {k: relative_error(v, theirs[prefix + k]) for k, v in ours.items()}
    assert max(errors.values()) <= TOLERANCE, errors


@pytest.mark.slow
def test_generator_agrees_with_the_published_one(published: Path) -> None:
    compare(generator_figures(shapes_in(published, "generator64")), published / "generator64.npz")


@pytest.mark.slow
def test_encoder_agrees_with_the_published_one(published: Path) -> None:
    compare(encoder_figures(shapes_in(published, "encoder256"), 256), published / "encoder256.npz")


def test_arcface_agrees_with_the_published_one(published: Path) -> None:
    compare(arcface_figures(shapes_in(published, "arcface112")), published / "arcface112.npz")


OWN_FIGURES = {
    "generator": lambda: generator_figures(TOY_GENERATOR),
    "encoder": lambda: encoder_figures(TOY_ENCODER, 256),
    "arcface": lambda: arcface_figures(TOY_ARCFACE),
}


@pytest.mark.parametrize("network", OWN_FIGURES)
def test_results_stay_what_they_were_when_they_agreed(network: str) -> None:
    compare(OWN_FIGURES[network](), OWN, f"{network}.")


def write_own_figures() -> None:
    """python -c "from tests.packs.published.test_parity import *; write_own_figures()", only while parity holds."""
    np.savez_compressed(OWN, **{f"{n}.{k}": v.numpy() for n, make in OWN_FIGURES.items() for k, v in make().items()})
