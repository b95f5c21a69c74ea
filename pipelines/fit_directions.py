"""Fit the directions of the named edits to a trained generator and encoder, and find how long their steps are.

    python -m pipelines.fit_directions --data data/faces-128 --labellers LABELLERS --run runs/face-128

Reads RUN/checkpoint.pt, writes RUN/directions.safetensors (the displacement of one step: NAME [L, D] and NAME.feature
[C, h, h]) and RUN/mean_latent.safetensors. How far two steps are meant to go is in the settings.

    python -m pipelines.fit_directions ... --only glasses,hair

makes these anew and keeps the others that the file holds.
"""

from __future__ import annotations

import argparse
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from pipelines.train_autoencoder import read_networks
from vidinv.errors import InputError
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import FEATURE_PART
from vidinv.training import accessories, card, directions, losses, photometry, sampling, shards, teachers
from vidinv.training.labelling import Labelling, attribute_grids
from vidinv.training.scores import ATTRIBUTES, require, scales
from vidinv.training.settings import read_settings
from vidinv.types import Displacement, known

TRIED = 3.0  # patterns at which it is measured what ATTRIBUTES do to other faces
ABOUT = 0.7  # share of its longest at which an edit's leaks are measured: about where two steps end
ROUNDS = 2  # of taking them off: effects do not quite add up


def edits_asked(only: str | None, edits: dict[str, dict]) -> tuple[str, ...]:
    """Names of the edits to fit.

    :raises InputError: one that the settings do not describe.
    """
    asked = tuple(only.split(",")) if only else tuple(edits)
    unknown = [name for name in asked if name not in edits]
    if unknown:
        raise InputError(f"--only: the settings describe no edit {', '.join(unknown)}; there are {', '.join(edits)}")
    return asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "face-128.toml")
    parser.add_argument("--only", help="comma-separated edits to fit; the run's others stay as they are")
    parser.add_argument("--faces", type=int, default=8000, help="faces that the patterns are fitted to")
    parser.add_argument("--measured", type=int, default=96, help="of them, faces on which lengths are tried")
    options = parser.parse_args()
    settings = read_settings(options.settings)
    asked = edits_asked(options.only, settings["edits"])
    generator, encoder = read_networks(settings, options.run)
    nets, labels = teachers.load_teachers(options.labellers), shards.read_labels(options.data)
    require(asked, labels)
    size = settings["encoder"]["resolution"]

    rng = np.random.default_rng(0)
    train = np.flatnonzero(~labels["val"])
    rows = np.sort(rng.permutation(train)[: options.faces])
    pictures = shards.read_crops(options.data, rows)
    mine = {k: v[rows] for k, v in labels.items()}
    mine |= photometry.measured(pictures, mine["points68"])
    weights = sampling.balanced_weights(mine)

    @torch.inference_mode()
    def encode(rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            return encoder(to_tensor(pictures[rows]))

    # What an edit must not leak into is fitted with it, to be taken off.
    fitted = directions.fit(encode, mine, weights, tuple(dict.fromkeys((*ATTRIBUTES, *asked))))
    save_file({"mean_latent": fitted.mean_latent.contiguous()}, options.run / "mean_latent.safetensors")

    labelling = Labelling(nets, scales(mine), accessories.load_probe(options.data, labels))

    @cache
    def faces_of(cohort: str) -> directions.Faces:
        """Of those that a name of an edit stands for."""
        pool = card.cohort(cohort, mine, np.arange(len(rows)))
        chosen = rng.choice(pool, options.measured, p=weights[pool] / weights[pool].sum())
        points = mine["points68"][chosen]
        grids = losses.identity_grids(nets, points, size), attribute_grids(points, size)
        return card.encode_faces(encoder, to_tensor(pictures[chosen]), points, *grids)

    def tried(name: str, pattern: Displacement, lengths: list[float], cohort: str) -> list[card.Effect]:
        found = card.effects(name, card.along(pattern), lengths, generator, faces_of(cohort), labelling, None)
        for length, e in zip(lengths, found, strict=True):
            leaks = ", ".join(f"{a} {e.moved[a]:+.2f}" for a in ATTRIBUTES if a != name)
            print(
                f"{name}, {length:.2f} patterns: {e.change[name]:+.3f}, identity {e.identity:.3f}, sd of {leaks}",
                flush=True,
            )
        return found

    def changed(name: str, pattern: Displacement, cohort: str, lengths: list[float]) -> list[float]:
        return [e.change[name] for e in tried(name, pattern, lengths, cohort)]

    @cache
    def response(name: str, pattern: Displacement, length: float, cohort: str) -> dict[str, float]:
        [found] = tried(name, pattern, [length], cohort)
        return {score: change / length for score, change in found.moved.items()}

    file = options.run / "directions.safetensors"
    steps = load_file(file) if options.only and file.exists() else {}
    for name in asked:
        edit = settings["edits"][name]
        # Leaks are measured, and taken off, on the edit's own faces: neutral ones take on more of a smile than others.
        cohort = name if name in card.COHORTS else "age"
        patterns = {n: fitted.patterns[n] for n in dict.fromkeys((*ATTRIBUTES, name))}
        responses = {n: response(n, p, TRIED, cohort) for n, p in patterns.items() if n != name}
        for _ in range(ROUNDS):
            responses[name] = response(name, patterns[name], ABOUT * edit["longest"], cohort)
            patterns[name] = directions.untangled(patterns, responses)[name]
        pattern = patterns[name]
        changes = partial(changed, name, pattern, cohort)
        length = directions.calibrate(changes, edit["two_steps"], edit["longest"])
        step = pattern * (length / 2)
        steps |= {name: step.w.contiguous(), name + FEATURE_PART: known(step.feature).contiguous()}
    save_file(steps, file)


if __name__ == "__main__":
    main()
