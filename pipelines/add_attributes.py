"""Put an attribute network into a pack in the place of its own, measured for the card.

    python -m pipelines.train_students --only attributes --extend face-128 --data data/faces-128 --out runs/attributes
    python -m pipelines.add_attributes --run runs/attributes --data data/faces-128 --labellers LABELLERS \\
        --pack assets/models/face-128

Takes RUN/attributes.safetensors and RUN/students.json. The pack is changed in place, and of its files this one alone;
what it does to faces stays what it is, and so do codes that were kept of it. What the network sees of the pack's edits
is measured anew on validation faces, for those of its scores that the network before did not give, or gave otherwise.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from pipelines.add_proxy import validated
from vidinv.packs.load import Pack, load_pack
from vidinv.packs.spec import FILE_ENDING, network_of
from vidinv.packs.write import write_pack, write_tensors
from vidinv.training import accessories, card, shards, teachers
from vidinv.training.card_text import write_card
from vidinv.training.labelling import Labelling

NETWORK = "attributes"


def put(folder: Path, before: Pack, run: Path, described: dict) -> Pack:
    """The pack with the network of a run. :raises DamagedPack: sizes that are none; nothing was written."""
    network = network_of(NETWORK, described["config"], run / "students.json")
    part = folder / f"{NETWORK}{FILE_ENDING}.part"
    write_tensors(part, load_file(run / f"{NETWORK}{FILE_ENDING}"))
    part.replace(folder / f"{NETWORK}{FILE_ENDING}")
    write_pack(folder, replace(before.spec, networks={**before.spec.networks, NETWORK: network}))
    return load_pack(folder)


def extends(known: dict[str, Tensor], tensors: dict[str, Tensor]) -> bool:
    """Is everything of a network there as it was?"""
    return all(name in tensors and torch.equal(tensors[name], value) for name, value in known.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack", type=Path, required=True, help="folder that is changed")
    parser.add_argument("--faces", type=int, default=400, help="validation faces that are measured")
    options = parser.parse_args()
    described = json.loads((options.run / "students.json").read_text())[NETWORK]
    before = load_pack(options.pack)
    known = before.tensors(NETWORK) if before.has(NETWORK) else {}
    pack = put(options.pack, before, options.run, described)
    told = json.loads((options.pack / "card.json").read_text())
    figures, students, made_of, scale = (told.pop(k) for k in ("figures", "students", "faces", "scales"))
    same = bool(known) and extends(known, pack.tensors(NETWORK))
    if same:  # it saw these faces besides
        described["images_seen_before"] = students.get(NETWORK, {}).get("images_seen", 0)
    students[NETWORK] = described

    nets, labels = teachers.load_teachers(options.labellers), shards.read_labels(options.data)
    labelling = Labelling(nets, scale, accessories.load_probe(options.data, labels))
    faces, mine = validated(pack, nets, options.data, labels, options.faces)
    new = [n for n in pack.scores if n in pack.spec.edits and not (same and n in before.scores)]
    for name, effects in card.measure_edits(pack, new, faces, mine, labelling)[1].items():
        for strength, effect in effects.items():  # what the labelling networks saw was told: the edit is the same
            figures["edits"][name].setdefault(strength, effect)["student"] = effect["student"]
    write_card(options.pack, pack.spec, figures, students, made_of, told, scale)
    print(json.dumps(described["agreement"], indent=1))


if __name__ == "__main__":
    main()
