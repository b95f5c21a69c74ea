"""Have a pack's edits put on, in the frame itself, what the settings say they do: eyeglasses.

    python -m pipelines.add_drawn --data data/faces-128 --labellers LABELLERS --pack assets/models/face-128

The pack is changed in place: its pack.toml says what steps upwards put on, and the figures of those edits are measured
anew on validation faces. Downwards they stay what they are.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from pipelines.add_proxy import validated
from vidinv.errors import InputError
from vidinv.packs.load import load_pack
from vidinv.packs.spec import EditSpec
from vidinv.packs.write import write_pack
from vidinv.training import accessories, card, shards, teachers
from vidinv.training.card_text import write_card
from vidinv.training.labelling import Labelling
from vidinv.training.settings import chosen, read_settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data folder with probe and manifest")
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack", type=Path, required=True, help="folder that is changed")
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "edits.toml")
    parser.add_argument("--faces", type=int, default=400, help="validation faces that are measured")
    options = parser.parse_args()
    table, spec = read_settings(options.settings)["edits"], load_pack(options.pack).spec
    names = [name for name in spec.edits if table.get(name, {}).get("drawn")]
    if not names:
        raise InputError(f"{options.pack}: none of its edits puts anything on, as {options.settings} says")
    changed = {n: replace(spec.edits[n], **chosen(table[n], EditSpec, "drawn"), grade=0.0) for n in names}
    spec = write_pack(options.pack, replace(spec, edits={**spec.edits, **changed}))

    pack, told = load_pack(options.pack), json.loads((options.pack / "card.json").read_text())
    figures, students, made_of, scale = (told.pop(k) for k in ("figures", "students", "faces", "scales"))
    nets, labels = teachers.load_teachers(options.labellers), shards.read_labels(options.data)
    labelling = Labelling(nets, scale, accessories.load_probe(options.data, labels))
    faces, mine = validated(pack, nets, options.data, labels, options.faces)
    specs, effects = card.measure_edits(pack, names, faces, mine, labelling)
    figures["edits"] |= effects
    for name in names:
        figures.get("look", {}).pop(name, None)  # of what it was before
    spec = write_pack(options.pack, replace(spec, edits={**spec.edits, **specs}))
    write_card(options.pack, spec, figures, students, made_of, told, scale)


if __name__ == "__main__":
    main()
