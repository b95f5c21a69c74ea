"""Train the edit network of a pack on cached codes, through the pack's generator; stops and resumes at any time.

    python -m pipelines.train_edits --codes data/codes --pairs data/paired --probe data/faces-128 \\
        --labellers LABELLERS --pack face-128-detail --out runs/edits

--codes and --pairs are folders of pipelines.encode_faces, the second of faces with several pictures of each person. At
every checkpoint it writes to --out: state, state-portable, checkpoint.pt (the averaged network, fp16), a line of
log.jsonl and contact sheets: validation faces, then every edit at two standard deviations up and down. A GPU holds all
codes.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import torch

from pipelines.arguments import device_arguments, elsewhere_arguments, tune
from vidinv.errors import InputError
from vidinv.models.edit_network import EditNetworkConfig
from vidinv.models.synthesis import GeneratorSizes
from vidinv.runtime.closing import close
from vidinv.runtime.prefetch import prefetch
from vidinv.training import checkpoints, edit_samples, edit_training, teachers
from vidinv.training.edit_critic import EditCriticConfig
from vidinv.training.edit_losses import Readers
from vidinv.training.edit_teaching import taught_pairs
from vidinv.training.edit_training import EditState, EditTrainingOptions
from vidinv.training.networks import Networks, open_learned, open_networks, open_probe
from vidinv.training.runs import Run, complete, train
from vidinv.training.scores import SCORES, shares_in_place
from vidinv.training.settings import build, read_settings
from vidinv.training.sheets import write_sheet

BEGUN = time.monotonic()
SHOWN = 12  # validation faces on a sheet


def config_of(sizes: GeneratorSizes, table: dict) -> EditNetworkConfig:
    """Sizes that fit a pack's generator, with what the settings say."""
    channels, side, _ = sizes.feature_shape
    fits = {"edits": SCORES, "layers": sizes.layers, "d_style": sizes.d_style, "first_style": sizes.feature_layer + 1}
    return build(EditNetworkConfig, fits | {"feature_channels": channels, "feature_side": side} | table)


def write_sheets(
    folder: Path, state: EditState, pack: Networks, pool: edit_samples.Pool, rows: np.ndarray, how: EditTrainingOptions
) -> None:
    """Two sheets: half of the edits each, for SHOWN validation faces."""
    for part, edits in enumerate(np.array_split(np.array(pool.names), 2)):
        strips = edit_training.shown(state.average, pack.generator, pool, rows, edits.tolist(), how.colours)
        write_sheet(folder / f"sheet-{state.seen:07d}-{part}.png", strips)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--probe", type=Path, required=True, help="data folder that has one, or a file as --pack")
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack", required=True, help="name, folder or file that travels, of the codes")
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "edits-network.toml")
    parser.add_argument("--begin", help="pack from whose edit network to go on; told again when the run is resumed")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--taught", type=int, default=0, help="images of drawn pairs alone, before there is a critic")
    parser.add_argument("--images", type=int, help="length of the run, over the settings' own")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop (to be resumed) after so long")
    parser.add_argument("--checkpoint", type=float, default=600, help="seconds between checkpoints")
    device_arguments(parser, precision="bf16")
    elsewhere_arguments(parser)
    options = parser.parse_args()
    settings = read_settings(options.settings)
    how = build(EditTrainingOptions, settings.get("training", {}))
    how = dataclasses.replace(how, images=options.images or how.images, taught=options.taught)
    how = dataclasses.replace(how, colours=shares_in_place(settings["edits"]))
    how = dataclasses.replace(how, critic_alone=how.adversarial_after if options.begin else 0)
    how = edit_training.larger(how, options.batch) if options.batch else how
    compute = tune(options)
    options.out.mkdir(parents=True, exist_ok=True)

    pack, nets = open_networks(options.pack), teachers.load_teachers(options.labellers)
    pool, paired = (edit_samples.read_pool(folder, SCORES, nets) for folder in (options.codes, options.pairs))
    if how.paired and not len(paired.pairs):
        raise InputError(f"--pairs: {options.pairs} holds no two pictures of one person")
    centre, pool = edit_samples.centre_of(pool), edit_samples.only(pool, how.edits)
    state = edit_training.start(
        config_of(pack.generator.config, settings.get("network", {})),
        EditCriticConfig(pack.resolution, len(SCORES), **settings.get("critic", {})),
        how,
        compute.device,
    )
    if options.begin:
        drawn = {paired.names[i] for i in set(paired.drawn.tolist()) - {-1}}
        learned, recipe = open_learned(options.begin)
        state.learned, state.kept = learned.to(compute.device), frozenset(how.edits) - drawn
    saved = checkpoints.resume(options.out)
    if saved:
        state.from_dict(saved)
        print(f"resumed at {state.seen} images", flush=True)
    elif options.begin:
        edit_training.begin(state, learned, recipe)
    else:
        edit_training.measure(state, pool)
    if compute.device != "cpu":
        pool, paired = pool.to(compute.device), paired.to(compute.device)
        nets.labeller.to(compute.device)
    readers = Readers(nets, open_probe(options.probe).to(compute.device), pool.codes.scales, SCORES)
    pack.to(compute.device)
    val = np.flatnonzero(pool.codes.labels["val"])
    shown = np.sort(np.random.default_rng(3).choice(val, min(SHOWN, len(val)), replace=False))
    rng = torch.Generator(compute.device).manual_seed(how.seed + state.seen)
    taught = taught_pairs(paired) if how.taught else paired
    run = Run(options.out / "log.jsonl", options.minutes, options.checkpoint, BEGUN)

    def batches() -> Iterator[tuple[edit_samples.Batch, tuple[torch.Tensor, torch.Tensor] | None]]:
        for seen in count(state.seen, how.batch):
            mates, sizes = taught if seen < how.taught else paired, how.sizes(seen)
            batch = edit_samples.draw(pool, mates, centre, sizes, how.twice, (how.seed, seen))
            lone = seen < how.taught  # nobody looks at photographs then
            yield batch, None if lone else edit_samples.draw_real(pool, mates, centre, sizes, (how.seed, seen, 1))

    coming = prefetch(batches()) if compute.device != "cpu" else batches()

    def step() -> dict[str, torch.Tensor]:
        lasting = dataclasses.replace(how, images=run.length(state.seen)) if options.fill else how
        return edit_training.step(state, pack.generator, readers, *next(coming), lasting, rng, compute)

    def checkpoint() -> dict[str, float]:
        checkpoints.keep(options.out, state.to_dict(), state.weights(), options.part_mib)
        write_sheets(options.out, state, pack, pool, shown, how)
        if options.portable:
            checkpoints.hand_out(options.out, options.portable)
        return {}

    train(run, state, sys.maxsize if options.fill else how.images, how.batch, step, checkpoint)
    close(coming)
    complete(run, state, checkpoint)
    if options.portable:
        checkpoints.hand_out(options.out, options.portable)  # the log's last line


if __name__ == "__main__":
    main()
