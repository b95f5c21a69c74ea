"""Find how long the steps of a trained edit network are, so that two of them go as far as the settings say.

    python -m pipelines.calibrate_edits --run runs/edits --codes data/codes --probe data/faces-128 \\
        --labellers LABELLERS --pack face-128-detail

Reads RUN/checkpoint.pt of pipelines.train_edits and writes RUN/edit_network.safetensors and RUN/edit_network.json (its
sizes), which add_edits takes. Lengths are measured on training faces of each edit's cohort, for the edits that the
settings have it trained for; no step is longer than half of what the network was asked for in training. Of what is put
on in the frame itself (drawn) those downwards are measured, on faces that wear it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import torch

from pipelines.train_edits import config_of
from vidinv.errors import InputError
from vidinv.models.edit_network import EditNetwork
from vidinv.packs.load import load_pack
from vidinv.packs.write import write_tensors
from vidinv.training import accessories, card, checkpoints, codes, directions, edit_samples, shards, teachers
from vidinv.training.edit_training import EditTrainingOptions
from vidinv.training.labelling import Labelling
from vidinv.training.scores import colours_in_place
from vidinv.training.settings import build, read_settings

NETWORK = "edit_network"  # name of the files, and of the network in a pack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--codes", type=Path, required=True)
    parser.add_argument("--probe", type=Path, required=True, help="data folder whose probe of accessories is taken")
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack", required=True, help="name or folder, of the codes")
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "edits-network.toml")
    parser.add_argument("--measured", type=int, default=96, help="faces on which lengths are tried")
    options = parser.parse_args()
    settings, pack = read_settings(options.settings), load_pack(options.pack)
    nets, found = teachers.load_teachers(options.labellers), codes.read_codes(options.codes)
    probe = accessories.load_probe(options.probe, shards.read_labels(options.probe))
    labelling = Labelling(nets, found.scales, probe)
    config = config_of(pack.generator.config, settings.get("network", {}))
    network = EditNetwork(config).to(memory_format=torch.channels_last).eval().requires_grad_(False)
    network.load_state_dict({k: v.float() for k, v in checkpoints.read_weights(options.run)["edits"].items()})
    network.steps.fill_(1.0)
    lengths = torch.zeros(len(config.edits))  # of what it was not trained for, none

    rng, train = np.random.default_rng(0), np.flatnonzero(~found.labels["val"])
    for name in build(EditTrainingOptions, settings.get("training", {})).edits:
        # What steps upwards put on the network need only take off.
        way = -1 if settings["edits"][name].get("drawn") else 1
        number, rows = config.edits.index(name), card.cohort(name, found.labels, train, below=way < 0)
        if not len(rows):
            raise InputError(f"{options.codes}: no training face is one to find {name}'s steps on; encode more faces")
        rows = np.sort(rng.choice(rows, min(options.measured, len(rows)), replace=False))
        faces, move = codes.faces_of(found, rows, nets), card.answered(network, number)

        colours = colours_in_place(name, settings["edits"][name].get("colours", 1.0))

        def changes(
            lengths: list[float], name: str = name, move: card.Move = move, faces=faces, colours=colours, way: int = way
        ) -> list[float]:
            steps = [way * length for length in lengths]
            tried = card.effects(name, move, steps, pack.generator, faces, labelling, None, colours)
            for length, effect in zip(lengths, tried, strict=True):
                print(
                    f"{name}, {way * length:.2f}: {effect.change[name]:+.3f}, identity {effect.identity:.3f}",
                    flush=True,
                )
            return [way * effect.change[name] for effect in tried]

        target = settings["edits"][name]["two_steps"]
        lengths[number] = directions.calibrate(changes, target, edit_samples.MOST, points=4) / 2
        print(f"{name}: a step is {float(lengths[number]):.2f} standard deviations", flush=True)
    network.steps.copy_(lengths)
    write_tensors(options.run / f"{NETWORK}.safetensors", network.state_dict())
    (options.run / f"{NETWORK}.json").write_text(json.dumps(dataclasses.asdict(config), indent=1) + "\n")


if __name__ == "__main__":
    main()
