"""Tell a pack and its card how its edits look.

    python -m pipelines.grade_pack --pack assets/models/face-128 --look benchmarks/results/look/face-128.json \\
        --grades benchmarks/results/look/grades.json

--look is of benchmarks.look, --grades of benchmarks.look.grading. Edits graded below 3.5 are called experimental. An
edit that was not graded this time keeps its grades of before.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from vidinv.errors import InputError
from vidinv.packs.load import load_pack
from vidinv.packs.write import write_pack
from vidinv.training import card_look
from vidinv.training.card_text import write_card


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="folder that is changed")
    parser.add_argument("--look", type=Path, required=True)
    parser.add_argument("--grades", type=Path, required=True)
    options = parser.parse_args()
    spec, told = load_pack(options.pack).spec, json.loads((options.pack / "card.json").read_text())
    figures, students, made_of, scale = (told.pop(k) for k in ("figures", "students", "faces", "scales"))
    grades = json.loads(options.grades.read_text())["packs"][spec.name]
    look = json.loads(options.look.read_text())
    if look["pack"]["name"] != spec.name:
        raise InputError(f"--look: {options.look} is of {look['pack']['name']}, not of {spec.name}")
    figures["look"] = card_look.merged(figures.get("look", {}), card_look.figures_of(look, grades))
    spec = write_pack(options.pack, replace(spec, edits=card_look.graded(dict(spec.edits), figures["look"])))
    write_card(options.pack, spec, figures, students, made_of, told, scale)


if __name__ == "__main__":
    main()
