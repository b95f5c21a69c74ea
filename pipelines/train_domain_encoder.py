"""Train the domain-guided encoder of a pack on real faces, through the pack's generator; stops and resumes at any time.

    python -m pipelines.train_domain_encoder --data data/faces-128 --labellers LABELLERS --pack face-128 \\
        --out runs/domain-128 [--minutes 30]

At every checkpoint it writes to --out: state, state-portable, checkpoint.pt (the averaged encoder with settled norms,
fp16, which add_domain_encoder reads), a line of log.jsonl and a sheet: validation faces, G(E(x)), and G(w) of the
pack's own encoder. In the log ``val_`` are figures of G(E(x)), ``own_`` of that G(w).
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np
import torch

from pipelines.arguments import device_arguments, run_arguments, shorter, tune
from vidinv.models.style_encoder import StyleEncoderConfig
from vidinv.runtime.compute import Compute
from vidinv.training import checkpoints, domain, losses, teachers
from vidinv.training.bank import FaceBank, open_faces
from vidinv.training.discriminator import DiscriminatorConfig
from vidinv.training.domain_figures import style_figures, styled
from vidinv.training.networks import Networks, open_networks
from vidinv.training.runs import Run, complete, train
from vidinv.training.settings import build, read_settings
from vidinv.training.sheets import write_sheet

BEGUN = time.monotonic()
SHOWN = 12  # validation faces on a sheet


def begin(pack: Networks, settings: dict, how: domain.DomainOptions, compute: Compute) -> domain.DomainState:
    """A run for a pack's generator, with sizes of the pack's encoder where the settings have none."""
    names = [f.name for f in dataclasses.fields(StyleEncoderConfig)]
    sizes = {name: getattr(pack.encoder.config, name) for name in names} | settings.get("encoder", {})
    critic = build(DiscriminatorConfig, settings["discriminator"])
    if critic.resolution != pack.resolution:
        raise ValueError(f"settings: [discriminator] is for {critic.resolution} px, the pack has {pack.resolution}")
    styles = pack.weights["encoder"] if settings["start"]["feature_style"] else None
    return domain.start(pack.generator, build(StyleEncoderConfig, sizes), critic, how, compute, styles)


def keep_all(
    state: domain.DomainState,
    pack: Networks,
    bank: FaceBank,
    nets: teachers.Teachers,
    val: tuple[torch.Tensor, torch.Tensor],
    options: argparse.Namespace,
    batch: int,
) -> dict[str, float]:
    """Write all files of a checkpoint; returns the figures on the validation faces."""
    encoder = domain.finished_encoder(state, bank, batch)
    checkpoints.keep(options.out, state.to_dict(), state.weights(encoder), options.part_mib)
    x, grids = val
    made = {"val": styled(pack.generator, encoder, x), "own": styled(pack.generator, lambda y: pack.encoder(y)[0], x)}
    write_sheet(options.out / f"sheet-{state.seen:07d}.png", [x[:SHOWN], *(m[:SHOWN] for _, m in made.values())])
    return {
        f"{who}_{name}": value
        for who, (w, pictures) in made.items()
        for name, value in style_figures(encoder, nets, w, pictures, x, grids).items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    run_arguments(parser, checkpoint=300)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack", required=True, help="name, folder or file that travels")
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "domain-encoder.toml")
    device_arguments(parser)
    options = parser.parse_args()
    settings, compute = read_settings(options.settings), tune(options)
    how = shorter(build(domain.DomainOptions, settings["domain"]), options)
    options.out.mkdir(parents=True, exist_ok=True)

    pack, nets = open_networks(options.pack).to(compute.device), teachers.load_teachers(options.labellers)
    faces = open_faces(options.data, pack.resolution)
    nets.labeller.to(compute.device)
    grids = losses.identity_grids(nets, faces.labels["points68"], pack.resolution)
    bank, rows = faces.bank(compute.device), np.sort(faces.val[:64])
    val = faces.tensor(rows).to(compute.device), grids[rows].to(compute.device)
    state = begin(pack, settings, how, compute)
    if saved := checkpoints.resume(options.out):
        state.from_dict(saved)
    print(f"{state.seen} of {how.images} images seen, {compute}", flush=True)
    run = Run(options.out / "log.jsonl", options.minutes, options.checkpoint, BEGUN)

    def checkpoint() -> dict[str, float]:
        return keep_all(state, pack, bank, nets, val, options, how.batch)

    train(run, state, how.images, how.batch, lambda: domain.step(state, bank, nets, how, compute), checkpoint)
    complete(run, state, checkpoint)


if __name__ == "__main__":
    main()
