"""Give a pack an edit network: edits that the network makes instead of a displacement, measured for the card.

    python -m pipelines.add_edits --run runs/edits --edits smile,mouth,age --codes data/codes --data data/faces-128 \\
        --labellers LABELLERS --pack assets/models/face-128-detail

Takes RUN/edit_network.* of pipelines.calibrate_edits. Edits that are not named stay what they are. The pack is changed
in place; all figures of the named edits are measured anew on validation faces, after the weights were rounded to fp16.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from pipelines.calibrate_edits import NETWORK
from vidinv.errors import InputError
from vidinv.packs.load import load_pack
from vidinv.packs.spec import EditSpec, network_of
from vidinv.packs.write import write_pack
from vidinv.training import accessories, card, checkpoints, codes, shards, teachers
from vidinv.training.card_text import write_card
from vidinv.training.labelling import Labelling
from vidinv.training.settings import chosen, read_settings


def described(
    names: list[str], known: tuple[str, ...], before: dict[str, EditSpec], table: dict
) -> dict[str, EditSpec]:
    """The named edits as the network's, from what the pack or the settings say of them.

    :raises InputError: the network knows no such edit.
    """
    if unknown := sorted(set(names) - set(known)):
        raise InputError(f"--edits: the network knows no {', '.join(unknown)}; it knows {', '.join(known)}")
    specs = {}
    for name in names:
        told = table[name]
        spec = before.get(name) or EditSpec(unit=told["unit"], step="", text=told["text"])
        how = chosen(told, EditSpec, "region", "colours", "moves", "edges", "drawn")
        specs[name] = replace(spec, kind="network", **how, grade=0.0)
    return specs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--edits", required=True, help="comma-separated names")
    parser.add_argument("--codes", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="data folder of the codes, with probe and manifest")
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack", type=Path, required=True, help="folder that is changed")
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "edits-network.toml")
    parser.add_argument("--faces", type=int, default=400, help="validation faces that are measured")
    options = parser.parse_args()
    names, before = options.edits.split(","), load_pack(options.pack).spec
    path = options.run / f"{NETWORK}.json"
    network = network_of(NETWORK, json.loads(path.read_text()), path)
    lengths = load_file(options.run / f"{NETWORK}.safetensors")["steps"]
    if untrained := [n for n in names if n in network.config.edits and not lengths[network.config.edits.index(n)]]:
        raise InputError(f"--edits: the network was not trained for {', '.join(untrained)}: a step of them is nothing")
    edits = described(names, network.config.edits, dict(before.edits), read_settings(options.settings)["edits"])
    shutil.copy(options.run / f"{NETWORK}.safetensors", options.pack)
    networks = {**before.networks, NETWORK: network}
    spec = write_pack(options.pack, replace(before, networks=networks, edits={**before.edits, **edits}))

    pack, nets, found = (
        load_pack(options.pack),
        teachers.load_teachers(options.labellers),
        codes.read_codes(options.codes),
    )
    rows = np.flatnonzero(found.labels["val"])[: options.faces]
    mine, faces = {k: v[rows] for k, v in found.labels.items()}, codes.faces_of(found, rows, nets)
    probe = accessories.load_probe(options.data, shards.read_labels(options.data))
    specs, effects = card.measure_edits(pack, names, faces, mine, Labelling(nets, found.scales, probe))
    told = json.loads((options.pack / "card.json").read_text())
    figures, students, made_of, _ = (told.pop(k) for k in ("figures", "students", "faces", "scales"))
    figures["edits"] |= effects
    for name in names:
        figures.get("look", {}).pop(name, None)  # of what it was before
    spec = write_pack(options.pack, replace(spec, edits={**spec.edits, **specs}))
    told["edit_recipe"] = checkpoints.read_weights(options.run)["recipe"]
    write_card(options.pack, spec, figures, students, made_of, told, found.scales)


if __name__ == "__main__":
    main()
