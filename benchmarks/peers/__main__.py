"""This package beside other ways of working on the same clip, in the same run.

    python -m benchmarks.peers CLIP [--frames 50] [--rounds 2] [--pack NAME] [--edit age=+2]
        [--publish | --out FILE.json]

Each way is a program of its own, started in turn; of its rounds the one with the fewest CPU seconds counts. See
``benchmarks.peers.ways`` for what they do. moviepy and imageio-ffmpeg are named where they are not installed; decoding,
a trivial change and encoding by hand with PyAV, which such pipelines come down to, stands in for them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.output import ROOT, add_output, destination, tell
from benchmarks.peers.ways import WAYS
from benchmarks.speed.__main__ import first_frames


def ran(way: str, clip: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One run of one way, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        module = [sys.executable, "-m", "benchmarks.peers.ways", way, str(clip), str(Path(folder, "out.mp4"))]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "LAUNCHED": str(time.time())}
        command = [*module, options.pack, options.edit]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--pack", default="face-128-detail")
    parser.add_argument("--edit", default="age=+2")
    add_output(parser)
    options = parser.parse_args()
    said: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        clip = first_frames(options.clip, options.frames, Path(name))
        for _ in range(options.rounds):
            for way, rows in said.items():
                rows.append(ran(way, clip, options))
    best = {way: min(rows, key=lambda row: row["cpu"]) for way, rows in said.items()}
    result = {
        "clip": options.clip.name,
        "frames": options.frames,
        "pack": options.pack,
        "load": round(os.getloadavg()[0], 1),
        "absent": [name for name in ("moviepy", "imageio_ffmpeg") if find_spec(name) is None],
        "ways": {way: {key: round(value, 3) for key, value in row.items()} for way, row in best.items()},
        "cpu_over_ours": {way: round(row["cpu"] / best["ours"]["cpu"], 2) for way, row in best.items()},
    }
    tell(result, destination(options, "peers.json"))


if __name__ == "__main__":
    main()
