"""Train a generator on prepared faces against a discriminator; stops and resumes at any time.

    python -m pipelines.train_generator --settings pipelines/settings/face-256.toml --data data/faces-256 \\
        --out runs/face-256-generator [--labellers LABELLERS] [--minutes 9]

At every checkpoint it writes to --out: state (all that an exact resume needs), state-portable (fp16 averages,
to travel), checkpoint.pt (the averaged generator, fp16), a line of log.jsonl and samples-SEEN.png. docs/training.md has
the order of commands for a GPU that is at hand in pieces.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np
import torch

from vidinv.models.generator import GeneratorConfig
from vidinv.runtime.compute import Compute, choose
from vidinv.training import adversarial, checkpoints, sample_quality, teachers
from vidinv.training.bank import open_faces
from vidinv.training.discriminator import DiscriminatorConfig
from vidinv.training.pieces import Piece, train
from vidinv.training.settings import build, read_settings
from vidinv.training.sheets import write_sheet

BEGUN = time.monotonic()


def piece_arguments(parser: argparse.ArgumentParser) -> None:
    """What every recipe that runs in pieces asks for."""
    parser.add_argument("--data", type=Path, required=True, help="folder of shards; it need not hold all of them")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "face-256.toml")
    parser.add_argument("--images", type=int, help="length of the run, over the settings' own")
    parser.add_argument("--batch", type=int, help="over the settings' own")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop (to be resumed) after so long")
    parser.add_argument("--checkpoint", type=float, default=120, help="seconds between checkpoints")
    parser.add_argument("--part-mib", type=int, help="split checkpoints into parts of at most so many MiB")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto", help="auto, bf16 or fp32")


def tune(options: argparse.Namespace) -> Compute:
    """Where and how precisely to compute, and PyTorch's switches for long runs of the same shapes."""
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    return choose(options.device, options.precision)


def resume(out: Path, name: str = "state") -> dict | None:
    """The exact checkpoint of a run, else the portable one, else None."""
    return checkpoints.read(out, name) or checkpoints.read(out, f"{name}-portable")


def keep(out: Path, content: dict, weights: dict, part_mib: int | None, name: str = "state") -> None:
    """Write the exact and the portable checkpoint, and ``weights`` as checkpoint.pt."""
    checkpoints.write(out, name, content, part_mib)
    checkpoints.write(out, f"{name}-portable", checkpoints.portable(content), part_mib)
    part = out / "checkpoint.pt.part"
    torch.save(checkpoints.portable(weights), part)
    part.replace(out / "checkpoint.pt")


def shorter(how, options: argparse.Namespace):
    """A loop's options with what the command line says over them."""
    over = {k: getattr(options, k) for k in ("images", "batch") if getattr(options, k)}
    return dataclasses.replace(how, **over)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    piece_arguments(parser)
    parser.add_argument("--labellers", type=Path, help="for the figures of the samples; without, they are null")
    parser.add_argument("--compile", action="store_true", help="torch.compile: pays from a few minutes onwards")
    parser.add_argument("--figures", type=int, default=4000, help="samples that the figures are taken from")
    options = parser.parse_args()
    settings = read_settings(options.settings)
    how = shorter(build(adversarial.GanOptions, settings["adversarial"]), options)
    shape = build(GeneratorConfig, settings["generator"])
    compute = tune(options)
    options.out.mkdir(parents=True, exist_ok=True)

    faces = open_faces(options.data, shape.resolution)
    print(f"{len(faces.train)} training faces, {len(faces.val)} to validate with, {compute}", flush=True)
    bank, real = faces.bank(compute.device), None
    if options.labellers:
        nets = teachers.load_teachers(options.labellers)
        nets.labeller.to(compute.device)
        some = np.random.default_rng(0).permutation(faces.train)[: options.figures]
        real = sample_quality.features(nets, faces.tensor(np.sort(some)), compute)
    critic = build(DiscriminatorConfig, settings["discriminator"])
    state = adversarial.start(shape, critic, how, compute, options.compile)
    if saved := resume(options.out):
        state.from_dict(saved)
        print(f"resumed at {state.seen} images", flush=True)

    piece = Piece(options.out / "log.jsonl", options.minutes, options.checkpoint, BEGUN)

    def checkpoint() -> None:
        means = piece.means()
        weights = {"generator": state.average.state_dict(), "seen": state.seen}
        keep(options.out, state.to_dict(), weights, options.part_mib)
        sheet = [adversarial.samples(state.average, 24, compute, t).unflatten(0, (2, 12)) for t in (1.0, 0.7)]
        write_sheet(options.out / f"samples-{state.seen:08d}.png", [*sheet[0], *sheet[1]])
        figures = {"frechet_squeeze": None, "density": None, "coverage": None}
        if real is not None:
            figures = sample_quality.sample_figures(state.average, real, nets, compute)
        piece.write(state.seen, {**means, **figures})
        piece.rest()

    train(piece, state, how.images, how.batch, lambda: adversarial.step(state, bank, how, compute), checkpoint)
    if state.seen and not (options.out / "checkpoint.pt").exists():
        checkpoint()  # state was carried here from elsewhere, and there was no time or need for a step


if __name__ == "__main__":
    main()
