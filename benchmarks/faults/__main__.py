"""Everything around the program goes wrong, and what it does is counted from outside: exit codes, files, memory.

python -m benchmarks.faults [--videos 270 --signals 180 --packs 120 --pickles 110 --closes 200 --stream 3000]
    [--only KIND ...] [--pack face-128] [--seed 0] [--publish | --out FILE.json]

A trial takes some five seconds; the default counts are small.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from pathlib import Path

from benchmarks.faults.kinds import KINDS, Setting, measured
from benchmarks.output import add_output, conclude, destination, tell
from vidinv.packs.locate import find_pack


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, (text, _, count) in KINDS.items():
        parser.add_argument(f"--{name}", type=int, default=count, help=f"how many trials of: {text}")
    parser.add_argument("--only", nargs="+", choices=list(KINDS), default=list(KINDS), help="these kinds alone")
    parser.add_argument("--pack", help="name or folder of the pack")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stream", type=int, default=300, help="frames of a long stream")
    add_output(parser)
    return parser.parse_args()


def measure(options: argparse.Namespace) -> None:
    kinds = {}
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(Path(folder), find_pack(options.pack).resolve(), options.seed, stream=options.stream)
        for name in options.only:
            kinds[name] = measured(name, setting, getattr(options, name))
            print(name, kinds[name], file=sys.stderr, flush=True)
    result = {"machine": f"{platform.system()} {platform.machine()}", "seed": options.seed, "kinds": kinds}
    tell(result, destination(options, "faults.json"))


if __name__ == "__main__":
    options = parsed()
    conclude(lambda: measure(options))
