"""How a run's seconds and memory grow: with length, resolution, faces and cores.

    python -m benchmarks.growth CLIP [--frames 8] [--times 1,10,100] [--heights 360,720,1080,2160] [--faces 1,2,5,10]
        [--cores 1,2] [--pack NAME] [--publish | --out FILE.json]

Every point is a process of its own with the packed way of a user: ``VideoEditor.edit_video``. Several faces are the
clip's own picture, put side by side in a frame of the same size.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.memory.__main__ import looped
from benchmarks.output import ROOT, add_output, destination, tell
from vidinv.stages.decode import decode
from vidinv.stages.encode import EncodeOptions, encode
from vidinv.types import Frame
from vidinv.video import VideoInfo, probe

CHILD = """
import json, os, sys, time
cores = int(sys.argv[4])
if cores: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
import vidinv
from benchmarks.peers.ways import peak_mib
editor = vidinv.VideoEditor(sys.argv[3])
cpu, wall = time.process_time(), time.perf_counter()
report = editor.edit_video(sys.argv[1], sys.argv[2], "age=+2", series=sys.argv[2] + ".series")
print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "frames": report.frames,
    "faces": report.faces, "peak_mib": peak_mib()}))
"""


def written(frames: Iterator[Frame], info: VideoInfo, path: Path) -> Path:
    for _ in encode(frames, path, info, EncodeOptions(overwrite=True)):
        pass
    return path


def tiled(image: Any, faces: int) -> Any:
    """So many copies of a picture in one of its size, black where there is none."""
    height, width = image.shape[:2]
    columns = ceil(sqrt(faces))
    rows = ceil(faces / columns)
    cell = min(width // columns, width * (height // rows) // height) // 2 * 2
    small = cv2.resize(image, (cell, cell * height // width), interpolation=cv2.INTER_AREA)
    out = np.zeros_like(image)
    for at in range(faces):
        y, x = at // columns * small.shape[0], at % columns * cell
        out[y : y + small.shape[0], x : x + cell] = small
    return out


def sized(frames: Iterator[Frame], height: int) -> Iterator[Frame]:
    for frame in frames:
        width = round(frame.image.shape[1] * height / frame.image.shape[0] / 2) * 2
        larger = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_CUBIC)
        yield replace(frame, image=np.asarray(larger, np.uint8))


def run(clip: Path, folder: Path, pack: str, cores: int = 0) -> dict[str, float]:
    command = [sys.executable, "-c", CHILD, str(clip), str(folder / f"edited-{os.urandom(4).hex()}.mp4"), pack]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, str(cores)], check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return {name: round(value, 3) for name, value in json.loads(done.stdout.splitlines()[-1]).items()}


def grown(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Per question and value what it took."""
    info = probe(options.clip)
    start = written((f for f in decode(options.clip) if f.index < options.frames), info, folder / "start.mp4")
    base = probe(start)
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in ("length", "height", "faces", "cores")}

    def took(name: str, value: int, clip: Path, cores: int = 0) -> None:
        found[name][str(value)] = run(clip, folder, options.pack, cores)
        print(name, value, found[name][str(value)], flush=True)

    for times in options.times:
        took("length", times, written(looped(start, times), base, folder / "long.mp4"))
    for height in options.heights:
        width = round(base.width * height / base.height / 2) * 2
        there = replace(base, width=width, height=height, display_width=width, display_height=height)
        took("height", height, written(sized(decode(start), height), there, folder / "sized.mp4"))
    for faces in options.faces:
        several = (replace(frame, image=tiled(frame.image, faces)) for frame in decode(start))
        took("faces", faces, written(several, base, folder / "tiled.mp4"))
    for cores in options.cores:
        took("cores", cores, written(looped(start, 5), base, folder / "cores.mp4"), cores)
    return {name: points for name, points in found.items() if points}


def whole(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--times", type=whole, default="1,10,100")
    parser.add_argument("--heights", type=whole, default="360,720,1080,2160")
    parser.add_argument("--faces", type=whole, default="1,2,5,10")
    parser.add_argument("--cores", type=whole, default="1,2")
    parser.add_argument("--pack", default="face-128-detail")
    add_output(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        points = grown(options, Path(name))
    result = {
        "clip": options.clip.name,
        "frames": options.frames,
        "pack": options.pack,
        "load": round(os.getloadavg()[0], 1),
        "points": points,
    }
    tell(result, destination(options, "growth.json"))


if __name__ == "__main__":
    main()
