"""A pack of the published sizes (1024 px, config-f, iresnet50): start-up, time and memory per frame.

    python -m benchmarks.published [--device auto] [--precision auto] [--batches 1 4] [--publish | --out FILE.json]

Its weights are random: what is measured does not depend on them. Start-up is measured on the default pack too, each in
a process of its own, with the files in the system's cache; so is every batch size, for its peak of memory. On a CPU the
times per face are CPU seconds, which a busy machine does not lengthen; on a GPU they are wall seconds.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.output import add_output, destination, tell
from vidinv.models.face_views import box_in_crop
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.models.iresnet_encoder import IResNetEncoder, IResNetEncoderConfig
from vidinv.models.iresnet_identity import ARCFACE_VIEW, IResNetIdentity, IResNetIdentityConfig
from vidinv.packs.published.importing import FFHQ_TEMPLATE
from vidinv.packs.spec import NetworkSpec, PackSpec
from vidinv.packs.write import write_pack, write_tensors
from vidinv.runtime.compute import choose

CONFIG_F = GeneratorConfig((512, 512, 512, 512, 512, 256, 128, 64, 32), d_style=512, mapping_layers=8)
NETWORKS = ("generator", "encoder", "identity")

START = """
import resource, sys, time
import torch, vidinv
from vidinv.packs.load import load_pack
begun, cpu = time.perf_counter(), time.process_time()
pack = load_pack(sys.argv[1], sys.argv[2])
for name in sys.argv[3:]:
    getattr(pack, name)
print(time.process_time() - cpu, time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
FRAMES = """
import resource, sys, time
import torch
from vidinv.inversion import make_inverter
from vidinv.models.generator import render_pair
from vidinv.packs.load import load_pack
from vidinv.runtime.compute import choose
folder, device, precision, batch, repeats = *sys.argv[1:4], *map(int, sys.argv[4:6])
compute = choose(device, precision)
pack, cuda = load_pack(folder, compute.device), compute.device.startswith("cuda")
x = torch.rand(batch, 3, pack.resolution, pack.resolution, device=compute.device) * 2 - 1
clock = time.perf_counter if cuda else time.process_time
def run(what):
    seconds = []
    for _ in range(repeats + 1):
        begun = clock()
        with torch.inference_mode(), compute.autocast():
            made = what()
        if cuda:
            torch.cuda.synchronize()
        seconds.append(clock() - begun)
    return made, min(seconds[1:]) / batch
inverter = make_inverter(pack)
code, invert = run(lambda: inverter(x))
made, render = run(lambda: render_pair(pack.generator, code.w, code.w + 0.1, code.feature))
made, recognise = run(lambda: pack.identity(made[0].float()))
resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(invert, render, recognise, torch.cuda.max_memory_allocated() / 2**20 if cuda else resident)
"""


def write_published_pack(folder: Path) -> Path:
    """The published sizes, random weights, float32."""
    torch.manual_seed(0)
    folder.mkdir()
    identity = IResNetIdentityConfig(box=box_in_crop(ARCFACE_VIEW, **asdict(FFHQ_TEMPLATE)))
    shapes = {"generator": CONFIG_F, "encoder": IResNetEncoderConfig(), "identity": identity}
    kinds = {"generator": Generator, "encoder": IResNetEncoder, "identity": IResNetIdentity}
    for name, shape in shapes.items():
        write_tensors(folder / f"{name}.safetensors", kinds[name](shape).state_dict(), torch.float32)
    networks = {n: NetworkSpec("stylegan2" if n == "generator" else "iresnet", shape) for n, shape in shapes.items()}
    write_pack(folder, PackSpec(folder.name, CONFIG_F.resolution, FFHQ_TEMPLATE, networks))
    return folder


def child(code: str, *args: object) -> list[float]:
    """What a program prints, as numbers."""
    command = [sys.executable, "-c", code, *map(str, args)]
    return [float(v) for v in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]


def start_up(pack: str | Path, device: str, networks: tuple[str, ...]) -> dict[str, float]:
    """Seconds from a pack's name to networks in use, imports aside; the better of two."""
    cpu, seconds, memory = min(child(START, pack, device, *networks) for _ in range(2))
    return {"cpu_seconds": round(cpu, 3), "seconds": round(seconds, 3), "peak_mib": round(memory)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--repeats", type=int, default=3)
    add_output(parser)
    options = parser.parse_args()
    compute = choose(options.device, options.precision)
    where = torch.cuda.get_device_name() if compute.device.startswith("cuda") else platform.machine()
    result: dict[str, Any] = {
        "machine": f"{where}, {torch.get_num_threads()} threads, torch {torch.__version__}, {compute.dtype}"
    }
    with tempfile.TemporaryDirectory() as name:
        begun = time.perf_counter()
        folder = write_published_pack(Path(name) / "published")
        result["written_seconds"] = round(time.perf_counter() - begun, 2)
        result["mib"] = round(sum(p.stat().st_size for p in folder.iterdir()) / 2**20)
        everything = (*NETWORKS, "attributes", "landmarks", "directions")
        result["start_up"] = {
            "published, to run": start_up(folder, compute.device, NETWORKS),
            "published, generator only": start_up(folder, compute.device, NETWORKS[:1]),
            "face-128, everything": start_up("face-128", compute.device, everything),
        }
        result["clock"] = "wall" if compute.device.startswith("cuda") else "CPU"
        result["per_face"] = {}
        for batch in options.batches:
            *seconds, memory = child(FRAMES, folder, compute.device, options.precision, batch, options.repeats)
            names = ("invert_ms", "render_pair_ms", "identity_ms")
            row = {n: round(1000 * s, 1) for n, s in zip(names, seconds, strict=True)}
            result["per_face"][f"batch {batch}"] = {**row, "peak_mib": round(memory)}
    tell(result, destination(options, "published.json"))


if __name__ == "__main__":
    main()
