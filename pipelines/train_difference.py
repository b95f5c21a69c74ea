"""Train a latent difference encoder on cached codes, through a pack's generator; stops and resumes at any time.

    python -m pipelines.train_difference --codes data/codes --pairs data/paired --pack face-128-detail \\
        --settings pipelines/settings/difference/full.toml --out runs/difference/full

--codes and --pairs are folders of pipelines.encode_faces, the second of faces with several pictures of each person:
what differs between two of them is what faces are driven by. pipelines/settings/difference holds a file for each row of
the table that benchmarks.driving makes, all of one budget. At every checkpoint it writes to --out: state,
state-portable, checkpoint.pt (the averaged network, fp16), a line of log.jsonl and a sheet: validation faces, whom they
are driven by, themselves driven there, and driven by their own landmarks.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from pipelines.arguments import device_arguments, shorter, tune
from vidinv.models.difference_encoder import DifferenceConfig
from vidinv.packs.load import Pack, load_pack
from vidinv.training import checkpoints, driving, driving_samples
from vidinv.training.codes import Codes, read_codes
from vidinv.training.driving import DrivingOptions, DrivingState
from vidinv.training.driving_critic import DrivingCriticConfig
from vidinv.training.runs import Run, complete, train
from vidinv.training.settings import build, read_settings
from vidinv.training.sheets import write_sheet

BEGUN = time.monotonic()
SHOWN = 12  # validation faces on a sheet


def config_of(pack: Pack, table: dict) -> DifferenceConfig:
    """Sizes that fit a pack's generator, with what the settings say."""
    sizes = pack.generator.config
    fits = {"layers": sizes.layers, "d_style": sizes.d_style, "side": pack.resolution // 2}
    return build(DifferenceConfig, fits | table)


@torch.inference_mode()
def write_driven(path: Path, state: DrivingState, pack: Pack, batch: driving_samples.Batch) -> None:
    """A sheet of validation faces."""
    native = pack.generator.features(batch.w)
    driven = [
        driving.draw_driven(pack.generator, driving.drive(state.average, batch.w, to), native, batch.feature)
        for to in (batch.asked, batch.own)
    ]
    size = batch.picture.shape[-1]
    asked = torch.nn.functional.interpolate(batch.asked.image, (size, size), mode="bilinear") * 2 - 1
    write_sheet(path, [batch.picture, asked.expand_as(batch.picture), *driven])


def read_material(options: argparse.Namespace) -> tuple[Codes, driving_samples.Differences]:
    return read_codes(options.codes), driving_samples.differences(read_codes(options.pairs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--pack", required=True, help="name or folder, of the codes")
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, help="length of the run, over the settings' own")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop (to be resumed) after so long")
    parser.add_argument("--checkpoint", type=float, default=300, help="seconds between checkpoints")
    device_arguments(parser, precision="bf16")
    options = parser.parse_args()
    settings, compute = read_settings(options.settings), tune(options)
    how = shorter(build(DrivingOptions, settings.get("training", {})), options)
    options.out.mkdir(parents=True, exist_ok=True)

    pack = load_pack(options.pack, compute.device)
    codes, between = read_material(options)
    rows, val = (np.flatnonzero(codes.labels["val"] == kept) for kept in (False, True))
    critic = build(DrivingCriticConfig, {"resolution": pack.resolution} | settings.get("critic", {}))
    state = driving.start(config_of(pack, settings.get("network", {})), critic, how, compute.device)
    saved = checkpoints.resume(options.out)
    if saved:
        state.from_dict(saved)
        print(f"resumed at {state.seen} images", flush=True)
    else:
        driving.measure(state, codes, rows)
    shown = driving_samples.draw(codes, val, between, SHOWN, (3,)).to(compute.device)

    def step() -> dict[str, torch.Tensor]:
        batch = driving_samples.draw(codes, rows, between, how.batch, (how.seed, state.seen)).to(compute.device)
        return driving.step(state, pack.generator, pack.landmarks, batch, how, compute)

    def checkpoint() -> dict[str, float]:
        checkpoints.keep(options.out, state.to_dict(), state.weights(), options.part_mib)
        write_driven(options.out / f"sheet-{state.seen:07d}.png", state, pack, shown)
        return {"cpu_minutes": time.process_time() / 60}

    run = Run(options.out / "log.jsonl", options.minutes, options.checkpoint, BEGUN)
    train(run, state, how.images, how.batch, step, checkpoint)
    complete(run, state, checkpoint)


if __name__ == "__main__":
    main()
