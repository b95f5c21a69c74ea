"""Train a generator on prepared faces against a discriminator; stops and resumes at any time.

    python -m pipelines.train_generator --settings pipelines/settings/face-256.toml --data data/faces-256 \\
        --out runs/face-256-generator [--labellers LABELLERS] [--minutes 9]

At every checkpoint it writes to --out: state (all that an exact resume needs), state-portable (fp16 averages,
to travel), checkpoint.pt (the averaged generator, fp16), a line of log.jsonl and samples-SEEN.png. docs/training.md has
the order of commands for a GPU that is at hand for minutes at a time.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from pipelines.arguments import gpu_arguments, shorter, tune
from vidinv.models.generator import GeneratorConfig
from vidinv.training import adversarial, checkpoints, sample_quality, teachers
from vidinv.training.bank import open_faces
from vidinv.training.discriminator import DiscriminatorConfig
from vidinv.training.runs import Run, complete, train
from vidinv.training.settings import build, read_settings
from vidinv.training.sheets import write_sheet

BEGUN = time.monotonic()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    gpu_arguments(parser)
    parser.add_argument("--labellers", type=Path, help="for the figures of the samples; without, they are null")
    parser.add_argument("--compile", action="store_true", help="torch.compile: pays from a few minutes onwards")
    parser.add_argument("--figures", type=int, default=4000, help="samples that the figures are taken from")
    options = parser.parse_args()
    settings = read_settings(options.settings)
    how = shorter(build(adversarial.GanOptions, settings["adversarial"]), options)
    config = build(GeneratorConfig, settings["generator"])
    compute = tune(options)
    options.out.mkdir(parents=True, exist_ok=True)

    faces = open_faces(options.data, config.resolution)
    print(f"{len(faces.train)} training faces, {len(faces.val)} to validate with, {compute}", flush=True)
    bank, real = faces.bank(compute.device), None
    if options.labellers:
        nets = teachers.load_teachers(options.labellers)
        nets.labeller.to(compute.device)
        some = np.random.default_rng(0).permutation(faces.train)[: options.figures]
        real = sample_quality.features(nets, faces.tensor(np.sort(some)), compute)
    critic = build(DiscriminatorConfig, settings["discriminator"])
    state = adversarial.start(config, critic, how, compute, options.compile)
    if saved := checkpoints.resume(options.out):
        state.from_dict(saved)
        print(f"resumed at {state.seen} images", flush=True)

    run = Run(options.out / "log.jsonl", options.minutes, options.checkpoint, BEGUN)

    def checkpoint() -> dict[str, float | None]:
        weights = {"generator": state.average.state_dict(), "seen": state.seen}
        checkpoints.keep(options.out, state.to_dict(), weights, options.part_mib)
        sheet = [adversarial.samples(state.average, 24, compute, t).unflatten(0, (2, 12)) for t in (1.0, 0.7)]
        write_sheet(options.out / f"samples-{state.seen:08d}.png", [*sheet[0], *sheet[1]])
        if real is None:
            return {"frechet_squeeze": None, "density": None, "coverage": None}
        return dict(sample_quality.sample_figures(state.average, real, nets, compute))

    train(run, state, how.images, how.batch, lambda: adversarial.step(state, bank, how, compute), checkpoint)
    complete(run, state, checkpoint)


if __name__ == "__main__":
    main()
