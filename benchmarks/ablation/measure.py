"""One ablation's run, read and measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from numpy.typing import NDArray
from torch import Tensor

from pipelines.train_autoencoder import read_networks
from vidinv.errors import InputMissing
from vidinv.metrics import reconstruction
from vidinv.metrics.frechet import frechet_distance
from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.generator import Generator
from vidinv.training import checkpoints, validation
from vidinv.training.frechet import squeeze_features
from vidinv.training.inversion import InversionOptions
from vidinv.training.losses import identity_distance
from vidinv.training.settings import build, read_settings
from vidinv.training.teachers import Teachers

BATCH = 32
PIXELS = {"ssim": reconstruction.ssim, "psnr": reconstruction.psnr, "mse": reconstruction.mse}  # on a scale of 0..1


@dataclass(frozen=True)
class Variant:
    name: str  # of its settings file
    generator: Generator
    encoder: FeatureStyleEncoder
    options: InversionOptions
    seen: int  # pictures


def read_variant(settings: Path, run: Path) -> Variant:
    """:raises InputMissing: there is no such run, or it has not ended."""
    tables = read_settings(settings)
    options = build(InversionOptions, tables["inversion"])
    seen = checkpoints.read_weights(run)["seen"] if (run / "checkpoint.pt").is_file() else 0
    if seen < options.images:
        raise InputMissing(
            f"{settings.stem} has seen {seen} of {options.images} pictures; train it by pipelines.train_encoder "
            f"--settings {settings} --out {run}"
        )
    generator, encoder = read_networks(tables, run)
    return Variant(settings.stem, generator, encoder, options, seen)


def named(nets: Teachers) -> dict[str, str]:
    """What the figures were measured by."""
    who = type(nets.labeller.embed).__name__
    return {
        "lpips": "LPIPS-squeeze v0.1",
        "identity": f"{who} of the labelling networks",
        "frechet": "last layer of LPIPS-squeeze's trunk, averaged over the picture",
    }


@torch.inference_mode()
def measured(
    variant: Variant, real: Tensor, features: NDArray, grids: Tensor, nets: Teachers
) -> tuple[dict[str, float | int], Tensor]:
    """Figures of the inversion, of G(w) alone under names with ``_w``, and the inversions [N, 3, S, S] in -1..1.

    MSE is of pictures on a scale of 0..1.

    :param real: [N, 3, S, S] in -1..1. :param features: theirs for the Fréchet distance, [N, D].
    :param grids: their identity grids, [N, 2, 3].
    """
    rows: dict[str, list[Tensor]] = {}
    inversions = []
    for x, where in zip(real.split(BATCH), grids.split(BATCH), strict=True):
        made, styled = validation.invert(variant.generator, variant.encoder, x, variant.options.feature_branch)
        inversions.append(made)
        a, b = (made + 1) / 2, (x + 1) / 2
        for name, measure in PIXELS.items():
            rows.setdefault(name, []).append(measure(a, b))
        for suffix, pictures in (("", made), ("_w", styled)):
            rows.setdefault("lpips" + suffix, []).append(nets.labeller.lpips(pictures, x).flatten())
            rows.setdefault("identity" + suffix, []).append(1 - identity_distance(nets, pictures, x, where))
    all_made = torch.cat(inversions)
    figures: dict[str, float | int] = {k: float(torch.cat(v).double().mean()) for k, v in rows.items()}
    figures["frechet"] = frechet_distance(squeeze_features(nets, all_made), features)
    return figures | {"images": variant.seen, "batch": variant.options.batch, "rate": variant.options.rate}, all_made
