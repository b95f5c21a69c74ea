"""Train the generator's layers from F up against a discriminator, on cached codes; stops and resumes at any time.

    python -m pipelines.train_head --codes data/codes --data data/faces-128 --labellers LABELLERS \\
        --pack face-128-detail [--edits runs/edits] --out runs/head

--codes is a folder of pipelines.encode_faces, of the faces in --data; --edits a run of pipelines.train_edits, whose
edited pictures the discriminator then sees too. At every checkpoint it writes to --out: state, state-portable,
checkpoint.pt (generator and encoder, fp16, which fit_directions and make_pack read), a line of log.jsonl and a contact
sheet: faces, G(w, F) before, now, G(w), and edited ones before and now.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import torch

from pipelines.arguments import device_arguments, elsewhere_arguments, run_arguments, shorter, tune
from pipelines.train_edits import config_of
from vidinv.models.edit_network import EditNetwork
from vidinv.runtime.closing import close
from vidinv.runtime.prefetch import prefetch
from vidinv.training import checkpoints, edit_samples, head, shards, teachers, validation
from vidinv.training.edit_training import EditTrainingOptions
from vidinv.training.head_critic import HeadCriticConfig
from vidinv.training.networks import Networks, open_networks
from vidinv.training.runs import Run, complete, train
from vidinv.training.scores import SCORES
from vidinv.training.settings import build, read_settings
from vidinv.training.sheets import write_sheet

BEGUN = time.monotonic()
SHOWN, MEASURED = 12, 64  # validation faces on a sheet, and of the figures


def read_edits(run: Path, pack: Networks, table: dict, device: str) -> EditNetwork:
    """The edit network of a run's checkpoint.pt. :param table: its sizes, of the settings."""
    net = EditNetwork(config_of(pack.generator.config, table))
    net.load_state_dict(checkpoints.read_weights(run)["edits"])
    return net.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)


@torch.no_grad()
def validate(
    state: head.HeadState, nets: teachers.Teachers, edits: EditNetwork | None, val: head.Batch, grids: torch.Tensor
) -> tuple[dict[str, float], list[torch.Tensor]]:
    """Figures of both inversions, and a sheet's rows; of the last, two standard deviations of an edit each."""
    parts = list(zip(*(x.split(16) for x in (val.w, val.feature, val.below)), strict=True))
    full, before = (
        torch.cat([of.render_from(*part).clamp(-1, 1) for part in parts]) for of in (state.average, state.teacher)
    )
    styled = torch.cat([state.average(w).clamp(-1, 1) for w, *_ in parts])
    rows = [x[:SHOWN] for x in (val.photo, before, full, styled)]
    if edits is not None:
        w, feature, below, asked = (x[:SHOWN] for x in (val.w, val.feature, val.below, val.amounts))
        change, styles = edits(feature, w, asked)
        rows += [of.render_from(w + styles, feature + change, below) for of in (state.teacher, state.average)]
    return validation.inversion_figures(nets, val.photo, full, styled, grids), rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    run_arguments(parser, checkpoint=600)
    parser.add_argument("--codes", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack", required=True, help="name, folder or file that travels, of the codes")
    parser.add_argument("--edits", type=Path, help="run of pipelines.train_edits")
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "head.toml")
    device_arguments(parser, precision="bf16")
    elsewhere_arguments(parser)
    options = parser.parse_args()
    settings = read_settings(options.settings)
    how = shorter(build(head.HeadOptions, settings.get("head", {})), options)
    compute = tune(options)
    options.out.mkdir(parents=True, exist_ok=True)

    pack, nets = open_networks(options.pack), teachers.load_teachers(options.labellers)
    taught = build(EditTrainingOptions, settings.get("training", {})).edits
    pool = edit_samples.only(edit_samples.read_pool(options.codes, SCORES, nets), taught)
    photos = torch.from_numpy(shards.read_crops(options.data))
    if compute.device != "cpu":
        pool, photos = pool.to(compute.device), photos.to(compute.device)
        nets.labeller.to(compute.device)
    edits = None
    if options.edits:
        edits = read_edits(options.edits, pack, settings.get("network", {}), compute.device)
    critic = build(HeadCriticConfig, {"side": pack.resolution // 2} | settings.get("head_critic", {}))
    state = head.start(pack, critic, how, compute.device)
    if saved := checkpoints.resume(options.out):
        state.from_dict(saved)
        print(f"resumed at {state.seen} images", flush=True)
    rows = np.flatnonzero(pool.codes.labels["val"])[:MEASURED]
    asked = torch.zeros(len(rows), len(SCORES))
    asked[range(len(rows)), [SCORES.index(taught[i % len(taught)]) for i in range(len(rows))]] = 2.0
    val = head.batch_of(pool, photos, rows, asked)
    run = Run(options.out / "log.jsonl", options.minutes, options.checkpoint, BEGUN)
    batches: Iterator[head.Batch] = (head.draw(pool, photos, how, seen) for seen in count(state.seen, how.batch))
    drawn = prefetch(batches) if compute.device != "cpu" else batches

    def step() -> dict[str, torch.Tensor]:
        lasting = replace(how, images=run.length(state.seen)) if options.fill else how
        return head.step(state, nets, edits, next(drawn), lasting, compute)

    def checkpoint() -> dict[str, float]:
        checkpoints.keep(options.out, state.to_dict(), state.weights(), options.part_mib)
        figures, sheet = validate(state, nets, edits, val, pool.identity_grids[torch.from_numpy(rows).to(pool.device)])
        write_sheet(options.out / f"sheet-{state.seen:07d}.png", sheet)
        if options.portable:
            checkpoints.hand_out(options.out, options.portable)
        return figures

    train(run, state, sys.maxsize if options.fill else how.images, how.batch, step, checkpoint)
    close(drawn)
    complete(run, state, checkpoint)
    if options.portable:
        checkpoints.hand_out(options.out, options.portable)  # the log's last line


if __name__ == "__main__":
    main()
