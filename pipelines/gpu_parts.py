"""Pack what a lent machine with a GPU needs into parts, or lay the parts together there; pipelines/on_gpu.sh calls it.

    python -m pipelines.gpu_parts pack --faces data/faces-128 --pairs data/pairs-128 --codes data/codes \\
        --paired data/paired --labellers LABELLERS --pack face-128-detail [--run runs/edits] --out runs/gpu
    python -m pipelines.gpu_parts receive --out runs/gpu --to runs/gpu/here
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from vidinv.training import checkpoints, parts
from vidinv.training.networks import open_networks, open_probe, save_networks

MOST_MIB = 62  # of a part and the tree that travels with it


def tree_bytes() -> int:
    """Of the files that git tracks or does not ignore, as far as they are there."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split("\0")
    return sum(Path(name).stat().st_size for name in set(names) if name and Path(name).is_file())


def pack(options: argparse.Namespace) -> None:
    for old in options.out.glob("part-*"):
        shutil.rmtree(old)
    staged = options.out / "staged"
    shutil.rmtree(staged, ignore_errors=True)
    for name, data, codes in (("faces", options.faces, options.codes), ("pairs", options.pairs, options.paired)):
        print(f"{name}: {parts.stage_faces(staged / name, data, codes, options.quality)}", flush=True)
    save_networks(staged / "networks.pt", open_networks(str(options.pack)), open_probe(options.faces))
    parts.stage_labellers(staged / "labellers", options.labellers)
    if options.run and (options.run / "state-portable.json").is_file():
        checkpoints.hand_out(options.run, staged / "edits")
        for sheet in (staged / "edits").glob("*.png"):
            sheet.unlink()  # what was seen here need not be seen there
    for folder in [*sorted(p for p in staged.iterdir() if p.is_dir()), staged / "networks.pt"]:
        files = [folder, *folder.rglob("*")]
        print(f"{folder.name}: {sum(f.stat().st_size for f in files if f.is_file()) / parts.MIB:.1f} MiB")
    tree, sizes = tree_bytes(), parts.split(staged, options.out, 2)
    most = max(sizes) + tree
    for number, size in enumerate(sizes, 1):
        print(f"part-{number}: {size / parts.MIB:.1f} MiB, with the tree {(size + tree) / parts.MIB:.1f} MiB")
    if most > MOST_MIB * parts.MIB:
        sys.exit(f"more than {MOST_MIB} MiB: run slim first, or pack with a lower QUALITY than {options.quality}")


def receive(options: argparse.Namespace) -> None:
    missing = parts.join(options.out, options.to)
    if missing:
        print(f"the rest is in order; still to come: {', '.join(f'part-{n}' for n in missing)}", flush=True)
        sys.exit(options.all)
    print("all parts are here, in order", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    packs = commands.add_parser("pack")
    packs.add_argument("--faces", type=Path, required=True, help="folder of shards, with the probe of accessories")
    packs.add_argument("--pairs", type=Path, required=True, help="folder of shards, of pairs")
    packs.add_argument("--codes", type=Path, required=True, help="codes of --faces")
    packs.add_argument("--paired", type=Path, required=True, help="codes of --pairs")
    packs.add_argument("--labellers", type=Path, required=True)
    packs.add_argument("--pack", required=True, help="name or folder, of the codes")
    packs.add_argument("--run", type=Path, help="run of pipelines.train_edits that goes on there")
    packs.add_argument("--quality", type=int, default=86, help="of the JPEG files")
    packs.add_argument("--out", type=Path, required=True)
    packs.set_defaults(run_command=pack)
    receives = commands.add_parser("receive")
    receives.add_argument("--out", type=Path, required=True, help="folder of the parts")
    receives.add_argument("--to", type=Path, required=True)
    receives.add_argument("--all", action="store_true", help="fail when a part is still to come")
    receives.set_defaults(run_command=receive)
    options = parser.parse_args()
    options.run_command(options)


if __name__ == "__main__":
    main()
