"""How well faces are driven by landmarks: every row of the latent difference encoder, and the product's own way.

    python -m benchmarks.driving --runs runs/difference --codes data/codes --pairs data/paired --data data/faces-128 \\
        --pack face-128-detail --labellers LABELLERS [--publish]

Under --runs lies a run of pipelines.train_difference for each file of pipelines/settings/difference, called as that is;
those that are not there, or have not ended, are named as missing. All drive the same validation faces to the same
landmarks: each face's own, and what differs between two pictures of a person who is kept for validation. A sheet (the
inversions, the landmarks asked for, then a row for each) goes to runs/benchmarks/driving.png.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from benchmarks.ablation.measure import named
from benchmarks.driving.measure import Way, encoded, measured, moved, read_run, still, subjects
from benchmarks.output import ROOT, RUNS, add_output, conclude, destination, tell
from vidinv.errors import InputError, InputMissing
from vidinv.packs.load import load_pack
from vidinv.training.bank import open_faces
from vidinv.training.codes import read_codes
from vidinv.training.driving_samples import differences
from vidinv.training.sheets import write_sheet
from vidinv.training.teachers import load_teachers

SETTINGS = ROOT / "pipelines" / "settings" / "difference"
FEWEST, SHOWN = 16, 12


def arguments(args: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--codes", type=Path, required=True, help="codes of faces")
    parser.add_argument("--pairs", type=Path, required=True, help="codes of faces with several pictures of a person")
    parser.add_argument("--data", type=Path, required=True, help="folder of shards, of the faces that the codes are of")
    parser.add_argument("--pack", required=True, help="name or folder, of the codes")
    parser.add_argument("--labellers", type=Path, required=True, help="folder of labelling networks")
    parser.add_argument("--settings", type=Path, default=SETTINGS, help="folder of a settings file for each run")
    parser.add_argument("--sheet", type=Path, default=RUNS / "driving.png", help="where the sheet goes")
    parser.add_argument("--count", type=int, default=160, help="faces at most, drawn by seed")
    parser.add_argument("--seed", type=int, default=0)
    add_output(parser)
    return parser.parse_args(args)


def measure_all(options: argparse.Namespace) -> dict[str, object]:
    """All figures. Raises a VidinvError."""
    pack, nets, codes = load_pack(options.pack), load_teachers(options.labellers), read_codes(options.codes)
    ways: dict[str, Way] = {"still": still, "moved": moved(pack)}
    budgets: dict[str, dict[str, int]] = {}
    missing = []
    for path in sorted(options.settings.glob("*.toml")):
        try:
            net, how = read_run(path, options.runs / path.stem)
            ways[path.stem] = encoded(net, pack)
            budgets[path.stem] = {"images": how.images, "batch": how.batch}
        except InputMissing as error:
            missing.append(path.stem)
            print(f"missing: {error}", file=sys.stderr)
    faces = open_faces(options.data, pack.resolution)
    if len(faces.labels["val"]) != len(codes.w):
        raise InputError(f"{options.data} holds other faces than {options.codes}; name the folder that was encoded")
    val = np.flatnonzero(codes.labels["val"])
    rows = np.sort(np.random.default_rng(options.seed).permutation(val)[: options.count])
    if len(rows) < FEWEST:
        raise InputError(f"{len(rows)} faces are too few for a distance of sets; give at least {FEWEST}")
    between = differences(read_codes(options.pairs), val=True)
    driven = subjects(codes, faces.tensor(rows), rows, between, options.seed)
    side = pack.resolution
    asked = torch.nn.functional.interpolate(driven.asked.image[:SHOWN], (side, side), mode="bilinear") * 2 - 1
    sheet, found = [driven.inversions[:SHOWN], asked.expand(-1, 3, -1, -1)], {}
    for name, way in ways.items():
        found[name], pictures = measured(way, driven, nets)
        sheet.append(pictures[:SHOWN])
        print(name, found[name], flush=True)
    write_sheet(options.sheet, sheet)
    return {
        "faces": len(rows),
        "resolution": side,
        "pack": pack.name,
        "seed": options.seed,
        "networks": named(nets) | {"landmarks": "68 points of the labelling networks"},
        "rows": found,
        "budgets": budgets,
        "missing": missing,
    }


def main(args: list[str] | None = None) -> None:
    options = arguments(args)
    conclude(lambda: tell(measure_all(options), destination(options, "driving.json")))


if __name__ == "__main__":
    main()
