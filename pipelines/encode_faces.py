"""Encode, render and read all faces of a data folder once, for recipes that train on codes.

    python -m pipelines.encode_faces --data data/faces-128 --labellers LABELLERS --pack face-128-detail --out data/codes
    python -m pipelines.encode_faces ... --data data/pairs-128 --like data/codes --probe data/faces-128 --out data/mates

    python -m pipelines.encode_faces --data faces --pack networks.pt --out codes --device cuda

The second takes the standard deviations of the first, so that both folders' scores are on one scale. The third makes
the arrays alone, where there is a GPU, of faces that a finished table and scales.json came with.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from vidinv.runtime.compute import choose
from vidinv.training import accessories, codes, shards, teachers
from vidinv.training.networks import open_networks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of shards")
    parser.add_argument("--labellers", type=Path, help="unless the faces have a finished table")
    parser.add_argument("--pack", required=True, help="name, folder or file that travels")
    parser.add_argument("--like", type=Path, help="folder of codes whose standard deviations are taken")
    parser.add_argument("--probe", type=Path, help="data folder whose probe of accessories is taken; default: --data")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cpu", help="other than the CPU only for faces that have a finished table")
    parser.add_argument("--precision", default="bf16", help="auto, bf16 or fp32")
    options = parser.parse_args()
    if (options.data / "scales.json").exists():
        compute = choose(options.device, options.precision)
        codes.complete(options.out, options.data, open_networks(options.pack).to(compute.device), compute)
        return
    if options.labellers is None or options.device != "cpu":
        parser.error(f"{options.data} has no finished table (scales.json): that is made on the CPU, with --labellers")
    nets = teachers.load_teachers(options.labellers)
    probed = options.probe or options.data
    probe = accessories.load_probe(probed, shards.read_labels(probed))
    scale = codes.read_codes(options.like).scales if options.like else codes.measured_scales(options.data)
    codes.write_codes(options.out, options.data, open_networks(options.pack), nets, scale, probe)


if __name__ == "__main__":
    main()
