"""What a pack's generator makes, as a set, and what its space of codes is like.

    python -m benchmarks.generator --faces FOLDER [--pack face-128] [--lpips FILE] [--publish | --out FILE.json]
    python -m benchmarks.generator --data data/faces-128

Fréchet and sliced Wasserstein distance of inversions and of random faces to real faces, on features of a network that
the result names; DCI of the codes over the attributes; EQ-T and EQ-R. FOLDER holds pictures of faces, whose largest
face is found and aligned; --data takes what pipelines.prepare_faces wrote, and of that the validation faces. All of it
depends on the faces, their number and the networks: compare runs that differ in the pack alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from benchmarks.generator.measure import BATCH, disentangled, distances, equivariant, named_features
from benchmarks.generator.pictures import from_folder, from_shards
from benchmarks.output import add_output, conclude, destination, tell
from vidinv.errors import InputError
from vidinv.faces.quads import Template
from vidinv.inversion import make_inverter
from vidinv.models.lpips import load_lpips
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import load_pack

FEWEST = 16  # faces; below it there is no covariance and no forest worth the name


def arguments(args: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--faces", type=Path, help="a folder of pictures")
    where.add_argument("--data", type=Path, help="a folder of prepared shards")
    parser.add_argument("--pack", help="name or folder of a model pack of faces")
    parser.add_argument("--lpips", type=Path, metavar="FILE", help="weights of LPIPS' trunk, whose features are used")
    parser.add_argument("--count", type=int, default=700, help="faces at most")
    parser.add_argument("--turned", type=int, default=32, help="of them for EQ-T and EQ-R")
    parser.add_argument("--seed", type=int, default=0)
    add_output(parser)
    return parser.parse_args(args)


def measured(options: argparse.Namespace) -> dict[str, object]:
    """All figures. Raises a VidinvError."""
    pack = load_pack(options.pack)
    if options.faces is not None:
        if not isinstance(pack.template, Template):
            raise InputError(f"pack {pack.name} is not of faces, so none can be found for it; give one of faces")
        pictures = from_folder(options.faces, pack.template, pack.resolution, options.count)
    else:
        pictures = from_shards(options.data, pack.resolution, options.count, options.seed)
    if len(pictures) < FEWEST:
        raise InputError(f"{len(pictures)} faces are too few for a distance of sets; give at least {FEWEST}")
    real = to_tensor(pictures)
    invert = make_inverter(pack)
    codes = [invert(part) for part in real.split(BATCH)]
    w, feature = torch.cat([code.w for code in codes]), torch.cat([code.feature for code in codes])
    look, name = named_features(pack, load_lpips(options.lpips) if options.lpips else None)
    return {
        "pack": {"name": pack.name, "hash": pack.hash},
        "faces": len(real),
        "features": name,
        "distances": distances(pack, real, w, feature, look, options.seed),
        "dci": disentangled(pack, real, w, options.seed) if pack.has("attributes") else None,
        "equivariance": equivariant(pack, w[: options.turned], feature[: options.turned]),
    }


def main(args: list[str] | None = None) -> None:
    options = arguments(args)
    conclude(lambda: tell(measured(options), destination(options, "generator.json")))


if __name__ == "__main__":
    main()
