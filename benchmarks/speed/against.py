"""This checkout against another one on the same clips: CPU seconds as ratios, and whether the output is the same.

    python -m benchmarks.speed.against OTHER_CHECKOUT CLIP... [--pack NAME] [--edit age=+2] [--frames 40] [--rounds 2]
        [--publish | --out FILE.json]

Each checkout has a process that stays; in turn they are told to find the faces of a clip and then to edit it, so that
what else the machine does meets both. Of the rounds the quickest counts. PSNR is between the two decoded outputs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.output import ROOT, add_output, destination, tell, write_atomically
from benchmarks.speed.__main__ import first_frames
from vidinv.stages.decode import decode

CHILD = """
import json, sys, time
from functools import partial
import numpy as np
import vidinv
from vidinv.runtime.steps import run
from vidinv.stages.decode import decode
from vidinv.stages.detect import DetectOptions, DetectState, detect, make_detectors
from vidinv.video import probe

def shaking(points):
    eyes = np.linalg.norm(points[1][0] - points[1][1])
    return float(100 * np.sqrt(np.square(points[0] - 2 * points[1] + points[2]).sum(1).mean()) / max(eyes, 1.0))

def found(path):
    options = DetectOptions(rate=float(probe(path).rate))
    frames, finder = list(decode(path)), partial(detect, detectors=make_detectors(options), options=options)
    begun = time.process_time()
    out = list(run("detect", finder, DetectState(), frames))
    spent, tracks = time.process_time() - begun, {}
    for at, faces in enumerate(out):
        for face in faces.faces:
            tracks.setdefault(face.person, {})[at] = face.points.astype(float)
    shaken = [shaking([t[i - 1], t[i], t[i + 1]]) for t in tracks.values() for i in t if i - 1 in t and i + 1 in t]
    return {"seconds": spent, "frames": len(out), "faces": sum(len(t) for t in tracks.values()),
        "empty": sum(not faces.faces for faces in out), "persons": len(tracks),
        "gaps": sum(b > a + 1 for t in tracks.values() for a, b in zip(sorted(t), sorted(t)[1:])),
        "jitter": float(np.mean(shaken)) if shaken else None}

editor = vidinv.VideoEditor(sys.argv[1])
for line in sys.stdin:
    what, source, target, edit = json.loads(line)
    if what == "find":
        told = found(source)
    else:
        begun = time.process_time()
        report = editor.edit_video(source, target, edit)
        told = {"seconds": time.process_time() - begun, "frames": report.frames,
            "alike": dict(report.identity_similarity), "tl_id": report.local_identity}
    print(json.dumps(told), flush=True)
"""


class Checkout:
    """A process that works with one checkout; one that ended is started anew when it is asked again."""

    def __init__(self, folder: Path, pack: str) -> None:
        self.folder, self.pack = folder, pack
        self.process = self._started()

    def _started(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", CHILD, self.pack],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *what: str) -> dict[str, Any]:
        """:raises RuntimeError: the process ended over it."""
        if self.process.poll() is not None:
            self.process = self._started()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            print(json.dumps(what), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            code = self.process.wait()
            raise RuntimeError(f"{self.folder.name} ended with {code} at {what[0]}; its own words are above")
        return json.loads(answer)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.communicate()


def likeness(a: Path, b: Path) -> float:
    """PSNR of two videos' decoded frames, dB."""
    errors = [np.square(x.image.astype(np.float32) - y.image).mean() for x, y in zip(decode(a), decode(b), strict=True)]
    return float(10 * np.log10(255**2 / max(float(np.mean(errors)), 1e-9)))


def compared(clip: Path, both: dict[str, Checkout], options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One clip: what each checkout took and found, and their ratio."""
    short = first_frames(clip, options.frames, folder)
    row: dict[str, Any] = {}
    for what in ("find", "edit"):
        said: dict[str, list[dict[str, Any]]] = {name: [] for name in both}
        for number in range(options.rounds):
            outputs = {name: folder / f"{name}{number}.mp4" for name in both}
            for name, checkout in both.items():
                try:
                    said[name].append(checkout.ask(what, str(short), str(outputs[name]), options.edit))
                except RuntimeError as error:
                    return row | {"error": str(error)}
        row[what] = {name: min(each, key=lambda one: one["seconds"]) for name, each in said.items()}
        row[what]["ratio"] = round(row[what]["this"]["seconds"] / row[what]["other"]["seconds"], 3)
        if what == "find" and not row[what]["this"]["faces"]:
            return row
    return row | {"psnr": round(likeness(*outputs.values()), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--pack", default="face-128-detail")
    parser.add_argument("--edit", default="age=+2")
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=2)
    add_output(parser)
    options = parser.parse_args()
    both = {"other": Checkout(options.other.resolve(), options.pack), "this": Checkout(ROOT, options.pack)}
    result: dict[str, Any] = {"pack": options.pack, "edit": options.edit, "clips": {}}
    with tempfile.TemporaryDirectory() as name:
        for clip in options.clips:
            folder = Path(name, clip.stem)
            folder.mkdir()
            result["clips"][clip.name] = compared(clip, both, options, folder)
            print(clip.name, json.dumps(result["clips"][clip.name]), flush=True)
            write_atomically(destination(options, "against.json"), result)  # clips take their time
    for checkout in both.values():
        checkout.end()
    tell(result, destination(options, "against.json"))


if __name__ == "__main__":
    main()
