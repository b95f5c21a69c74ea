"""Train the latent flow of a pack, W+ to W*, on labelled faces' styles; stops and resumes at any time.

    python -m pipelines.train_flow --data data/faces-128 --pack face-128 --out runs/flow [--minutes 30]

The styles of all faces are made once and kept in --out, beside the attributes that the labels tell of. At every
checkpoint it writes there: state, state-portable, checkpoint.pt (fp16, which add_proxy and benchmarks.disentanglement
read) and a line of log.jsonl. In it ``plus_`` and ``star_`` are figures of W+ and of W*, on training faces that the
flow does not see: mean accuracy of the fixed classifiers, and what edits move others by over what they move their own.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from pipelines.arguments import run_arguments, shorter
from vidinv.models.latent_flow import LatentFlowConfig
from vidinv.runtime.compute import choose
from vidinv.training import checkpoints, unfolding
from vidinv.training.attribute_codes import AttributeCodes, encode_attributes, read_attribute_codes
from vidinv.training.networks import open_networks
from vidinv.training.runs import Run, complete, train
from vidinv.training.settings import build, read_settings

BEGUN = time.monotonic()
LEAKS = 40  # faces on which leaks are measured


def codes_of(options: argparse.Namespace) -> AttributeCodes:
    """Those that --out holds, or new ones."""
    found = read_attribute_codes(options.out)
    if found is None:
        print("encoding all faces", flush=True)
        found = encode_attributes(options.data, open_networks(options.pack), choose("cpu", options.precision))
        found.save(options.out)
    return found


def begin(
    codes: AttributeCodes, rows: np.ndarray, settings: dict, how: unfolding.UnfoldingOptions
) -> unfolding.UnfoldingState:
    """A run for styles of this shape, and for all attributes that are known."""
    sizes = settings.get("flow", {}) | {
        "attributes": list(codes.names),
        "layers": codes.w.shape[1],
        "d_style": codes.w.shape[2],
    }
    w = torch.from_numpy(codes.w[rows]).float()
    return unfolding.start(w, codes.truth[rows], build(LatentFlowConfig, sizes), how)


def figures(state: unfolding.UnfoldingState, w: torch.Tensor, truth: np.ndarray) -> dict[str, float]:
    plus, star = unfolding.accuracies(state, w, truth)
    leaks = unfolding.leak(state, w[:LEAKS])
    return {
        "plus_accuracy": float(plus.mean()),
        "star_accuracy": float(star.mean()),
        "plus_leak": leaks[0],
        "star_leak": leaks[1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    run_arguments(parser, checkpoint=300)
    parser.add_argument("--pack", required=True, help="name or folder")
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "flow.toml")
    parser.add_argument("--precision", default="auto", help="of the encoder: auto, bf16 or fp32")
    options = parser.parse_args()
    settings = read_settings(options.settings)
    how = shorter(build(unfolding.UnfoldingOptions, settings["unfolding"]), options)
    options.out.mkdir(parents=True, exist_ok=True)

    codes = codes_of(options)
    rows, tuned, _ = unfolding.parts(codes, how.tuned)
    state = begin(codes, rows, settings, how)
    if saved := checkpoints.resume(options.out):
        state.from_dict(saved)
    print(f"{state.seen} of {how.images} codes seen", flush=True)
    run = Run(options.out / "log.jsonl", options.minutes, options.checkpoint, BEGUN)
    w, truth = torch.from_numpy(codes.w[rows]).float(), torch.from_numpy(codes.truth[rows]).float()
    unseen = torch.from_numpy(codes.w[tuned]).float(), codes.truth[tuned]

    def checkpoint() -> dict[str, float]:
        checkpoints.keep(options.out, state.to_dict(), state.weights())
        return figures(state, *unseen)

    train(run, state, how.images, how.batch, lambda: unfolding.step(state, w, truth, how), checkpoint)
    complete(run, state, checkpoint)


if __name__ == "__main__":
    main()
