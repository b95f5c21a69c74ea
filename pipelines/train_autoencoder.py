"""Train generator and Feature-Style encoder together on prepared faces; stops and resumes at any time.

    python -m pipelines.train_autoencoder --data data/faces-128 --labellers LABELLERS --out runs/face-128

Every ``--checkpoint`` seconds it writes checkpoint.pt, a line of log.jsonl and a contact sheet (faces, G(w, F), G(w)).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import torch

from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import load_pack
from vidinv.training import autoencoder, growth, losses, sampling, shards, teachers, validation
from vidinv.training.settings import build, read_settings
from vidinv.training.sheets import write_sheet


def read_networks(settings: dict, checkpoint: Path) -> tuple[Generator, FeatureStyleEncoder]:
    """Generator and encoder of a run, ready for use."""
    generator = Generator(build(GeneratorConfig, settings["generator"]))
    encoder = FeatureStyleEncoder(build(EncoderConfig, settings["encoder"]))
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    generator.load_state_dict(saved["generator"])
    encoder.load_state_dict(saved["encoder"])
    for network in (generator, encoder):
        network.to(memory_format=torch.channels_last).eval().requires_grad_(False)
    return generator, encoder


def begin_with(state: autoencoder.State, start: str) -> None:
    """Take the networks of another run, or of a pack (name or folder)."""
    checkpoint = Path(start) / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        generator, encoder, seen = saved["generator"], saved["encoder"], saved["before"] + saved["seen"]
    else:
        pack = load_pack(start)
        generator, encoder = pack.tensors("generator"), pack.tensors("encoder")
        seen = json.loads((pack.folder / "card.json").read_text())["images_seen"]
    anew = growth.begin_with(state.generator, state.encoder, generator, encoder)
    if anew:
        print(f"begin anew, since {start} has none of that size: {', '.join(anew)}", flush=True)
    state.before = seen


def validate(state: autoencoder.State, nets: teachers.Teachers, x: torch.Tensor, grids: torch.Tensor, sheet: Path):
    """PSNR, LPIPS and identity of both inversions on ``x``, and a contact sheet of the first twelve."""
    state.encoder.eval()
    full, styled = validation.invert(state.generator, state.encoder, x)
    state.encoder.train()
    write_sheet(sheet, [x[:12], full[:12], styled[:12]])
    return validation.inversion_figures(nets, x, full, styled, grids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "face-128.toml")
    parser.add_argument("--start", help="run or model pack whose generator and encoder a new run begins with")
    parser.add_argument("--images", type=int, help="length of the run, over the settings' own")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop (to be resumed) after so long")
    parser.add_argument("--checkpoint", type=float, default=300, help="seconds between checkpoints")
    options = parser.parse_args()
    settings = read_settings(options.settings)
    how = build(autoencoder.AutoencoderOptions, settings["autoencoder"])
    how = dataclasses.replace(how, images=options.images or how.images)
    options.out.mkdir(parents=True, exist_ok=True)

    nets, labels = teachers.load_teachers(options.labellers), shards.read_labels(options.data)
    size = settings["encoder"]["resolution"]
    train, val = np.flatnonzero(~labels["val"]), np.flatnonzero(labels["val"])[:64]
    pictures = shards.read_crops(options.data, train)
    grids = losses.identity_grids(nets, labels["points68"], size)
    weights = sampling.balanced_weights({k: labels[k][train] for k in ("age", "male", "skin")})
    x_val = to_tensor(shards.read_crops(options.data, val))

    state = autoencoder.start(
        build(GeneratorConfig, settings["generator"]), build(EncoderConfig, settings["encoder"]), how
    )
    checkpoint = options.out / "checkpoint.pt"
    if checkpoint.exists():
        state.load(checkpoint)
        print(f"resumed at {state.seen} images", flush=True)
    elif options.start:
        begin_with(state, options.start)
    feed = sampling.batches(pictures, grids[train], weights, how.batch, how.seed + state.seen)
    begun, last, recent = time.monotonic(), time.monotonic(), []

    def report(state: autoencoder.State, step_losses: dict[str, float], rate: float) -> bool:
        nonlocal last
        recent.append({**step_losses, "images_per_second": rate})
        out_of_time = time.monotonic() - begun > 60 * options.minutes
        if not out_of_time and state.seen < how.images and time.monotonic() - last < options.checkpoint:
            return False
        last = time.monotonic()
        if state.seen >= how.images:
            autoencoder.settle_norms(state.encoder, feed)
        state.save(checkpoint)
        figures = validate(state, nets, x_val, grids[val], options.out / f"sheet-{state.seen:07d}.png")
        mean = {k: sum(r[k] for r in recent) / len(recent) for k in recent[0]}
        recent.clear()
        line = json.dumps({"seen": state.seen, **{k: round(v, 4) for k, v in {**mean, **figures}.items()}})
        print(line, flush=True)
        with open(options.out / "log.jsonl", "a") as log:
            log.write(line + "\n")
        return out_of_time

    autoencoder.train(state, nets, feed, how, report)


if __name__ == "__main__":
    main()
