"""CPU seconds of every stage alone, then the whole run; its wall time against what the stages cost on all cores.

    python -m benchmarks.speed CLIP [--edit age=+2] [--frames 150] [--pack NAME] [--stages]
        [--publish | --out FILE.json]

Each stage runs alone on inputs that are already in memory, so its CPU seconds are its own. The whole run is
``VideoEditor.edit_video`` on a copy of the first frames of the clip. --stages leaves it out, for a machine that has
other work too: CPU seconds say something there, frames per second nothing. Beside each stage stands its floor: see
``benchmarks.speed.floor``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from benchmarks.output import add_output, destination, tell
from benchmarks.speed import floor
from vidinv import VideoEditor
from vidinv.edits.library import resolve
from vidinv.edits.parse import parse_edits
from vidinv.inversion import make_inverter
from vidinv.runtime.steps import run
from vidinv.stages.align import AlignOptions, AlignState, align
from vidinv.stages.assess import AssessOptions, AssessState, assess
from vidinv.stages.blend import blend
from vidinv.stages.decode import decode
from vidinv.stages.detect import DetectOptions, DetectState, detect, make_detectors
from vidinv.stages.edit import EditOptions, EditState, edit
from vidinv.stages.encode import EncodeOptions, encode
from vidinv.stages.gate import GateOptions, GateState, gate
from vidinv.stages.invert import InvertOptions, InvertState, invert
from vidinv.stages.reidentify import ReidentifyOptions, ReidentifyState, reidentify
from vidinv.stages.score import ScoreOptions, Scorers, ScoreState, score
from vidinv.stages.stabilise import StabiliseOptions, StabiliseState, stabilise
from vidinv.stages.synthesise import SynthesiseOptions, SynthesiseState, synthesise
from vidinv.video import probe

ANEW = EncodeOptions(overwrite=True)


def timed(name: str, stream: Iterable[Any], table: dict[str, dict[str, float]]) -> list[Any]:
    """Run a stage to its end and book its CPU and wall seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    items = list(stream)
    table[name] = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "items": len(items)}
    return items


Booking = Callable[[str, Iterable[Any], dict[str, dict[str, float]]], list[Any]]


def stages_alone(
    editor: VideoEditor, clip: Path, request: str, folder: Path, timed: Booking = timed
) -> dict[str, dict[str, float]]:
    """Every stage of the way on ``clip``, one after the other. :param timed: runs a stage, and books what it took."""
    table: dict[str, dict[str, float]] = {}
    info, pack, compute, batch = probe(clip), editor.pack, editor.compute, editor.batch
    rate = float(info.rate)
    visibility, scorers = pack.optional("visibility"), Scorers(pack.identity, pack.attributes, compute)
    steps: dict[str, tuple[Callable[..., Any], Any]] = {
        "detect": (partial(detect, detectors=make_detectors(DetectOptions())), DetectState()),
        "align": (partial(align, options=AlignOptions(pack.resolution, pack.template, rate=rate)), AlignState()),
        "reidentify": (
            partial(reidentify, identity=pack.identity, compute=compute, options=ReidentifyOptions(rate=rate)),
            ReidentifyState(),
        ),
        "invert": (
            partial(invert, inverter=make_inverter(pack), compute=compute, options=InvertOptions(batch)),
            InvertState(),
        ),
        "edit": (
            partial(edit, options=EditOptions(resolve(parse_edits(request), pack), rate=rate), compute=compute),
            EditState(),
        ),
        "synthesise": (
            partial(synthesise, generator=pack.generator, compute=compute, options=SynthesiseOptions(batch)),
            SynthesiseState(),
        ),
        "assess": (
            partial(
                assess,
                identity=pack.identity,
                compute=compute,
                options=AssessOptions(batch, rate=rate),
                visibility=visibility,
            ),
            AssessState(),
        ),
        "gate": (partial(gate, options=GateOptions(rate=rate)), GateState()),
        "stabilise": (partial(stabilise, options=StabiliseOptions(rate=rate)), StabiliseState()),
        "blend": (blend, None),
        "score": (partial(score, scorers=scorers, options=ScoreOptions(batch, ("age",))), ScoreState()),
    }
    items = timed("decode", decode(clip), table)
    for name, (step, state) in steps.items():
        items = timed(name, run(name, step, state, items), table)
    timed("encode", encode((faces.output for faces in items), folder / "alone.mp4", info, ANEW), table)
    return table


def first_frames(clip: Path, count: int, folder: Path) -> Path:
    """A copy of the first frames, so that all stages together fit into memory."""
    short, info = folder / f"first-{count}.mp4", probe(clip)
    for _ in encode(islice(decode(clip), count), short, info, ANEW):
        pass
    return short


def tell_stages(
    table: dict[str, dict[str, float]], floors: dict[str, Any], editor: VideoEditor, options: argparse.Namespace
) -> None:
    """The stages of this pack, beside those of packs that were measured before."""
    path = destination(options, "speed-stages.json")
    before = json.loads(path.read_text()) if path.exists() else {}
    frames = table["decode"]["items"]
    milliseconds = {stage: round(1e3 * row["cpu"] / frames, 2) for stage, row in table.items()}
    mine = {
        "clip": options.clip.name,
        "frames": int(frames),
        "machine": f"{platform.machine()}, torch {torch.__version__}, {editor.compute.dtype}",
        "load": round(os.getloadavg()[0], 1),
        "cpu_ms_per_frame": milliseconds,
        **floors,
    }
    tell({**before, editor.pack.name: mine}, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--edit", default="age=+2")
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--pack")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--stages", action="store_true", help="the stages alone, and no whole run")
    add_output(parser)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = first_frames(options.clip, options.frames, folder)
        begun = time.perf_counter()
        editor = VideoEditor(options.pack, device=options.device, precision=options.precision, batch=options.batch)
        warm = first_frames(options.clip, 4, folder) if options.stages else clip
        editor.edit_video(warm, folder / "warm.mp4", options.edit)
        first = time.perf_counter() - begun
        table = stages_alone(editor, clip, options.edit, folder)
        floors = floor.measured(
            editor, clip, folder, partial(stages_alone, editor, request=options.edit, folder=folder)
        )
        if options.stages:
            tell_stages(table, floors, editor, options)
            return
        wall, cpu = time.perf_counter(), time.process_time()
        report = editor.edit_video(clip, folder / "whole.mp4", options.edit)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    total = sum(row["cpu"] for row in table.values())
    print(f"{'stage':<12}{'CPU ms/frame':>14}{'wall ms/frame':>15}")
    for stage, row in table.items():
        print(f"{stage:<12}{1e3 * row['cpu'] / report.frames:>14.1f}{1e3 * row['wall'] / report.frames:>15.1f}")
    result = {
        "clip": options.clip.name,
        "frames": report.frames,
        "machine": f"{platform.machine()}, {cores} cores, torch {torch.__version__}, {editor.compute.dtype}",
        "pack": report.pack,
        **floors,
        "cpu_ms_per_frame": {k: round(1e3 * r["cpu"] / report.frames, 2) for k, r in table.items()},
        "frames_per_second": round(report.frames / wall, 2),
        "wall_over_ideal": round(wall / (total / cores), 3),
        "cpu_seconds_whole_over_alone": round(cpu / total, 3),
        "first_run_with_start_seconds": round(first, 2),
    }
    tell(result, destination(options, "speed.json"))


if __name__ == "__main__":
    main()
