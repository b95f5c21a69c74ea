"""Train the edit network of a pack on cached codes, through the pack's generator; stops and resumes at any time.

    python -m pipelines.train_edits --codes data/codes --pairs data/paired --probe data/faces-128 \\
        --labellers LABELLERS --pack face-128-detail --out runs/edits

--codes and --pairs are folders of pipelines.encode_faces, the second of faces with several pictures of each person. At
every checkpoint it writes to --out: state, state-portable, checkpoint.pt (the averaged network, fp16), a line of
log.jsonl and contact sheets: validation faces, then every edit at two standard deviations up and down.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np
import torch

from vidinv.models.edit_network import EditNetworkConfig
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import Pack, load_pack
from vidinv.training import accessories, checkpoints, edit_samples, edit_training, shards, teachers
from vidinv.training.edit_critic import EditCriticConfig
from vidinv.training.edit_losses import Readers
from vidinv.training.edit_training import EditState, EditTrainingOptions
from vidinv.training.runs import Run, train
from vidinv.training.scores import SCORES
from vidinv.training.settings import build, read_settings
from vidinv.training.sheets import write_sheet

BEGUN = time.monotonic()
SHOWN = 12  # validation faces on a sheet


def config_of(pack: Pack, table: dict) -> EditNetworkConfig:
    """Sizes that fit a pack's generator, with what the settings say."""
    sizes = pack.generator.config
    channels, side, _ = sizes.feature_shape
    fits = EditNetworkConfig(SCORES, sizes.layers, sizes.d_style, channels, side, sizes.feature_layer + 1)
    return dataclasses.replace(fits, **{k: tuple(v) if isinstance(v, list) else v for k, v in table.items()})


def measure_codes(state: EditState, pool: edit_samples.Pool) -> None:
    """Tell the network means and spreads of what it reads."""
    some = np.sort(np.random.default_rng(0).choice(pool.rows, min(800, len(pool.rows)), replace=False))
    feature = torch.from_numpy(pool.codes.feature[some].astype(np.float32))
    mean_latent = torch.from_numpy(pool.codes.w[some].astype(np.float32)).mean(0)
    for net in (state.net, state.average):
        net.mean.copy_(feature.mean((0, 2, 3)))
        net.spread.copy_(feature.std((0, 2, 3)))
        net.mean_latent.copy_(mean_latent)


@torch.inference_mode()
def write_sheets(folder: Path, state: EditState, pack: Pack, pool: edit_samples.Pool, rows: np.ndarray) -> None:
    """Two sheets: half of the edits each, for SHOWN validation faces."""
    codes = pool.codes
    w, feature = (torch.from_numpy(a[rows].astype(np.float32)) for a in (codes.w, codes.feature))
    source = to_tensor(codes.inversions[rows])
    for part, edits in enumerate(np.array_split(np.arange(len(pool.names)), 2)):
        strips = [source]
        for edit in edits:
            for amount in (2.0, -2.0):
                amounts = torch.zeros(len(rows), len(pool.names))
                amounts[:, edit] = amount
                strips.append(edit_training.apply(state.average, pack.generator, w, feature, amounts)[0])
        write_sheet(folder / f"sheet-{state.seen:07d}-{part}.png", strips)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--probe", type=Path, required=True, help="data folder whose probe of accessories is taken")
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack", required=True, help="name or folder, of the codes")
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "edits-network.toml")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, help="length of the run, over the settings' own")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop (to be resumed) after so long")
    parser.add_argument("--checkpoint", type=float, default=600, help="seconds between checkpoints")
    options = parser.parse_args()
    settings = read_settings(options.settings)
    how = build(EditTrainingOptions, settings.get("training", {}))
    how = dataclasses.replace(how, images=options.images or how.images)
    options.out.mkdir(parents=True, exist_ok=True)

    pack, nets = load_pack(options.pack), teachers.load_teachers(options.labellers)
    pool, paired = (edit_samples.read_pool(folder, SCORES, nets) for folder in (options.codes, options.pairs))
    centre, pool = edit_samples.centre_of(pool), edit_samples.only(pool, how.edits)
    probe = accessories.load_probe(options.probe, shards.read_labels(options.probe))
    assert probe is not None
    readers = Readers(nets, probe, pool.codes.scales, SCORES)
    state = edit_training.start(
        config_of(pack, settings.get("network", {})),
        EditCriticConfig(pack.resolution, len(SCORES), **settings.get("critic", {})),
        how,
    )
    saved = checkpoints.resume(options.out)
    if saved:
        state.from_dict(saved)
        print(f"resumed at {state.seen} images", flush=True)
    else:
        measure_codes(state, pool)
    val = np.flatnonzero(pool.codes.labels["val"])
    shown = np.sort(np.random.default_rng(3).choice(val, SHOWN, replace=False))
    rng, sizes = torch.Generator().manual_seed(how.seed + state.seen), (how.unpaired, how.paired)

    def step() -> dict[str, torch.Tensor]:
        batch = edit_samples.draw(pool, paired, centre, sizes, how.twice, (how.seed, state.seen))
        real = edit_samples.draw_real(pool, paired, centre, sizes, (how.seed, state.seen, 1))
        return edit_training.step(state, pack.generator, readers, batch, real, how, rng)

    def checkpoint() -> dict[str, float]:
        checkpoints.keep(options.out, state.to_dict(), state.weights())
        write_sheets(options.out, state, pack, pool, shown)
        return {}

    run = Run(options.out / "log.jsonl", options.minutes, options.checkpoint, BEGUN)
    train(run, state, how.images, how.batch, step, checkpoint)


if __name__ == "__main__":
    main()
