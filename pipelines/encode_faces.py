"""Encode, render and read all faces of a data folder once, for recipes that train on codes.

    python -m pipelines.encode_faces --data data/faces-128 --labellers LABELLERS --pack face-128-detail --out data/codes
    python -m pipelines.encode_faces ... --data data/pairs-128 --like data/codes --probe data/faces-128 --out data/mates

The second takes the standard deviations of the first, so that both folders' scores are on one scale.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from vidinv.packs.load import load_pack
from vidinv.training import accessories, codes, photometry, shards, teachers
from vidinv.training.scores import scales

MEASURED = 1200  # faces over which the spread of colours is measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of shards")
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack", required=True, help="name or folder")
    parser.add_argument("--like", type=Path, help="folder of codes whose standard deviations are taken")
    parser.add_argument("--probe", type=Path, help="data folder whose probe of accessories is taken; default: --data")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    labels, nets = shards.read_labels(options.data), teachers.load_teachers(options.labellers)
    probed = options.probe or options.data
    probe = accessories.load_probe(probed, shards.read_labels(probed))
    if options.like:
        scale = codes.read_codes(options.like).scales
    else:
        some = np.flatnonzero(~labels["val"])[:MEASURED]
        seen = photometry.measured(shards.read_crops(options.data, some), labels["points68"][some])
        scale = scales({k: v[some] for k, v in labels.items()} | seen) | scales(labels)
    codes.write_codes(options.out, options.data, load_pack(options.pack), nets, scale, probe)


if __name__ == "__main__":
    main()
