"""How well each ablation of the encoder inverts faces that it was not trained on.

    python -m benchmarks.ablation --runs runs/ablation --data data/faces-128 --labellers LABELLERS [--publish]

Under --runs lies a run of pipelines.train_encoder for each file of pipelines/settings/ablation, called as that is;
those that are not there, or have not ended, are named as missing. All are measured on the same validation faces, by the
same networks: SSIM, PSNR, MSE, LPIPS, identity and Fréchet distance of the inversion, LPIPS and identity of G(w) alone.
A sheet (the faces, then a row for each run, in the order of the figures) goes to runs/benchmarks/ablation.png.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from benchmarks.ablation.measure import measured, named, read_variant
from benchmarks.output import ROOT, RUNS, add_output, conclude, destination, tell
from vidinv.errors import InputError, InputMissing
from vidinv.training.bank import open_faces
from vidinv.training.frechet import squeeze_features
from vidinv.training.losses import identity_grids
from vidinv.training.sheets import write_sheet
from vidinv.training.teachers import load_teachers

SETTINGS = ROOT / "pipelines" / "settings" / "ablation"
FEWEST = 16  # faces; below it there is no covariance worth the name


def arguments(args: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--data", type=Path, required=True, help="folder of prepared shards")
    parser.add_argument("--labellers", type=Path, required=True, help="folder of labelling networks")
    parser.add_argument("--settings", type=Path, default=SETTINGS, help="folder of a settings file for each run")
    parser.add_argument("--sheet", type=Path, default=RUNS / "ablation.png", help="where the sheet goes")
    parser.add_argument("--count", type=int, default=200, help="faces at most, drawn by seed")
    parser.add_argument("--seed", type=int, default=0)
    add_output(parser)
    return parser.parse_args(args)


def measure_all(options: argparse.Namespace) -> dict[str, object]:
    """All figures. Raises a VidinvError."""
    variants, missing = [], []
    for path in sorted(options.settings.glob("*.toml")):
        try:
            variants.append(read_variant(path, options.runs / path.stem))
        except InputMissing as error:
            missing.append(path.stem)
            print(f"missing: {error}", file=sys.stderr)
    if not variants:
        raise InputError(f"{options.runs} holds no finished run of any settings file in {options.settings}")
    side = variants[0].generator.config.resolution
    nets, faces = load_teachers(options.labellers), open_faces(options.data, side)
    rows = np.sort(np.random.default_rng(options.seed).permutation(faces.val)[: options.count])
    if len(rows) < FEWEST:
        raise InputError(f"{len(rows)} faces are too few for a distance of sets; give at least {FEWEST}")
    real, grids = faces.tensor(rows), identity_grids(nets, faces.labels["points68"][rows], side)
    features = squeeze_features(nets, real)
    found: dict[str, dict[str, float | int]] = {}
    sheet: list[torch.Tensor] = [real[:12]]
    for variant in variants:
        found[variant.name], inversions = measured(variant, real, features, grids, nets)
        sheet.append(inversions[:12])
        print(variant.name, found[variant.name], flush=True)
    write_sheet(options.sheet, sheet)
    return {
        "faces": len(real),
        "resolution": side,
        "seed": options.seed,
        "networks": named(nets),
        "variants": found,
        "missing": missing,
    }


def main(args: list[str] | None = None) -> None:
    options = arguments(args)
    conclude(lambda: tell(measure_all(options), destination(options, "ablation.json")))


if __name__ == "__main__":
    main()
