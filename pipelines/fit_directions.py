"""Fit the directions of the named edits to a trained generator and encoder, and refine them through the generator.

    python -m pipelines.fit_directions --data data/faces-128 --labellers LABELLERS --run runs/face-128

Reads RUN/checkpoint.pt, writes RUN/directions.safetensors (the displacement of one step, [L, D] per edit) and
RUN/mean_latent.safetensors. How far two steps are meant to go is in the settings, in the attribute network's score.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file

from pipelines.train_autoencoder import read_networks
from vidinv.training import card, directions, losses, sampling, shards, teachers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "face-128.toml")
    parser.add_argument("--faces", type=int, default=6000, help="faces that the codes are fitted to")
    parser.add_argument("--steps", type=int, help="steps of refinement, over the settings' own")
    parser.add_argument("--only", help="comma-separated names; the others are kept as they are")
    options = parser.parse_args()
    settings = tomllib.loads(options.settings.read_text())
    generator, encoder = read_networks(settings, options.run / "checkpoint.pt")
    nets, labels = teachers.load_teachers(options.labellers), shards.read_labels(options.data)
    size = settings["encoder"]["resolution"]

    rng = np.random.default_rng(0)
    train = np.flatnonzero(~labels["val"])
    rows = np.sort(rng.permutation(train)[: options.faces])
    pictures = shards.read_crops(options.data, rows)
    mine = {k: v[rows] for k, v in labels.items()}
    codes = directions.encode_all(encoder, lambda r: sampling.to_tensor(pictures[r]), np.arange(len(rows)))
    weights = sampling.balanced_weights(mine)
    fitted = directions.fit(codes, mine, weights)
    save_file({"mean_latent": codes.mean(0).contiguous()}, options.run / "mean_latent.safetensors")

    named = directions.scores(mine)
    judge = directions.Judge(nets, {a: float(named[a].std()) for a in directions.ATTRIBUTES})
    identity = losses.identity_grids(nets, mine["points68"], size)
    attribute = directions.attribute_grids(mine["points68"], size)
    shorter = {"steps": options.steps} if options.steps else {}

    out = options.run / "directions.safetensors"
    steps = load_file(out) if out.exists() else {}
    for name, edit in settings["edits"].items():
        if options.only and name not in options.only.split(","):
            continue
        pool = card.adults(mine, np.arange(len(rows)))

        def sample(count: int, pool: np.ndarray = pool) -> directions.Faces:
            chosen = rng.choice(pool, count, p=weights[pool] / weights[pool].sum())
            x = sampling.to_tensor(pictures[chosen])
            return card.encode_faces(encoder, x, mine["points68"][chosen], identity[chosen], attribute[chosen])

        def report(i: int, figures: dict[str, float], name: str = name) -> None:
            if i % 10 == 0:
                print(name, i, {k: round(v, 3) for k, v in figures.items()}, flush=True)

        how = directions.RefineOptions(**{**settings["refine"], **edit.get("refine", {}), **shorter})
        start = edit["start"] * fitted[name]
        target = edit["two_steps"] / judge.scale[name]
        two_steps = directions.refine(name, start, codes, sample, generator, judge, target, how, report)
        steps[name] = (edit.get("lengthen", 1.0) / 2 * two_steps).contiguous()
        save_file(steps, out)


if __name__ == "__main__":
    main()
