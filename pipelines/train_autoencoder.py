"""Train generator and Feature-Style encoder together on prepared faces; stops and resumes at any time.

    python -m pipelines.train_autoencoder --data data/faces-128 --labellers LABELLERS --out runs/face-128

At every checkpoint it writes to --out: state (all that an exact resume needs), state-portable (fp16, to travel),
checkpoint.pt (generator and encoder, fp16, which fit_directions and make_pack read), a line of log.jsonl and a contact
sheet (faces, G(w, F), G(w)).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from pipelines.arguments import run_arguments, shorter
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import load_pack
from vidinv.training import autoencoder, checkpoints, growth, losses, sampling, shards, teachers, validation
from vidinv.training.runs import Run, train
from vidinv.training.settings import build, read_settings
from vidinv.training.sheets import write_sheet

BEGUN = time.monotonic()


def read_networks(settings: dict, run: Path) -> tuple[Generator, FeatureStyleEncoder]:
    """Generator and encoder of a run's checkpoint.pt, ready for use."""
    generator = Generator(build(GeneratorConfig, settings["generator"]))
    encoder = FeatureStyleEncoder(build(EncoderConfig, settings["encoder"]))
    saved = checkpoints.read_weights(run)
    generator.load_state_dict(saved["generator"])
    encoder.load_state_dict(saved["encoder"])
    for network in (generator, encoder):
        network.to(memory_format=torch.channels_last).eval().requires_grad_(False)
    return generator, encoder


def begin_with(state: autoencoder.AutoencoderState, start: str) -> None:
    """Take the networks of another run, or of a pack (name or folder)."""
    if (Path(start) / "checkpoint.pt").exists():
        saved = checkpoints.read_weights(Path(start))
        generator, encoder, seen = saved["generator"], saved["encoder"], saved["before"] + saved["seen"]
    else:
        pack = load_pack(start)
        generator, encoder = pack.tensors("generator"), pack.tensors("encoder")
        seen = json.loads((pack.folder / "card.json").read_text())["images_seen"]
    anew = growth.begin_with(state.generator, state.encoder, generator, encoder)
    if anew:
        print(f"begin anew, since {start} has none of that size: {', '.join(anew)}", flush=True)
    state.before = seen


def validate(
    state: autoencoder.AutoencoderState, nets: teachers.Teachers, x: torch.Tensor, grids: torch.Tensor, sheet: Path
) -> dict[str, float]:
    """PSNR, LPIPS and identity of both inversions on ``x``, and a contact sheet of the first twelve."""
    state.encoder.eval()
    full, styled = validation.invert(state.generator, state.encoder, x)
    state.encoder.train()
    write_sheet(sheet, [x[:12], full[:12], styled[:12]])
    return validation.inversion_figures(nets, x, full, styled, grids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    run_arguments(parser, checkpoint=300)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "face-128.toml")
    parser.add_argument("--start", help="run or model pack whose generator and encoder a new run begins with")
    options = parser.parse_args()
    settings = read_settings(options.settings)
    how = shorter(build(autoencoder.AutoencoderOptions, settings["autoencoder"]), options)
    options.out.mkdir(parents=True, exist_ok=True)

    nets, labels = teachers.load_teachers(options.labellers), shards.read_labels(options.data)
    size = settings["encoder"]["resolution"]
    rows, val = np.flatnonzero(~labels["val"]), np.flatnonzero(labels["val"])[:64]
    pictures = shards.read_crops(options.data, rows)
    grids = losses.identity_grids(nets, labels["points68"], size)
    weights = sampling.balanced_weights({k: labels[k][rows] for k in ("age", "male", "skin")})
    x_val = to_tensor(shards.read_crops(options.data, val))

    state = autoencoder.start(
        build(GeneratorConfig, settings["generator"]), build(EncoderConfig, settings["encoder"]), how
    )
    saved = checkpoints.resume(options.out)
    if not saved and (options.out / "checkpoint.pt").exists():
        saved = checkpoints.read_weights(options.out)  # once it was all that a run left, its optimiser included
    if saved:
        state.from_dict(saved)
        print(f"resumed at {state.seen} images", flush=True)
    elif options.start:
        begin_with(state, options.start)
    feed = sampling.batches(pictures, grids[rows], weights, how.batch, how.seed, state.seen)
    run = Run(options.out / "log.jsonl", options.minutes, options.checkpoint, BEGUN)

    def checkpoint() -> dict[str, float]:
        if state.seen >= how.images:
            autoencoder.settle_norms(state.encoder, feed)
        checkpoints.keep(options.out, state.to_dict(), state.weights())
        return validate(state, nets, x_val, grids[val], options.out / f"sheet-{state.seen:07d}.png")

    train(run, state, how.images, how.batch, lambda: autoencoder.step(state, nets, *next(feed), how), checkpoint)


if __name__ == "__main__":
    main()
