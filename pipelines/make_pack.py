"""Put a model pack together: networks, directions, calibration, pack.toml and the card with its figures.

    python -m pipelines.make_pack --data data/faces-128 --labellers LABELLERS --run runs/face-128 \\
        --students runs/students --out assets/models/face-128

Every figure of the card is measured here, on the validation faces, after the weights were rounded to fp16.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from pipelines.train_autoencoder import read_networks
from vidinv.errors import InputError
from vidinv.faces.quads import FACE
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import FEATURE_PART, load_pack
from vidinv.packs.spec import EditSpec, PackSpec, network_of
from vidinv.packs.write import write_pack, write_tensors
from vidinv.training import accessories, card, checkpoints, losses, photometry, shards, teachers
from vidinv.training.card_text import write_card
from vidinv.training.frechet import frechet_figures
from vidinv.training.labelling import Labelling, attribute_grids
from vidinv.training.scores import require, scales
from vidinv.training.settings import chosen, read_settings

MEASURED = 4000  # training faces whose colours are measured


def write_networks(settings: dict, run: Path, students: Path, out: Path, only: list[str]) -> dict:
    """All safetensors files of the pack; returns the sections that describe the students.

    :param only: edits whose steps are taken from the run, the others from the pack that is there; none: all of them.
    """
    generator, encoder = read_networks(settings, run)
    mean = load_file(run / "mean_latent.safetensors")["mean_latent"]
    encoder.set_mean_latent(mean)
    write_tensors(out / "generator.safetensors", generator.state_dict())
    write_tensors(out / "encoder.safetensors", encoder.state_dict())
    steps = load_file(run / "directions.safetensors")
    if only:
        steps = {k: v for k, v in steps.items() if k.removesuffix(FEATURE_PART) in only}
        steps = load_file(out / "directions.safetensors") | steps
    write_tensors(out / "directions.safetensors", steps)
    described = json.loads((students / "students.json").read_text())
    for name in described:
        shutil.copy(students / f"{name}.safetensors", out)
    return described


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--students", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "face-128.toml")
    parser.add_argument(
        "--only", help="comma-separated edits to measure anew; all else is taken from the pack at --out"
    )
    parser.add_argument("--faces", type=int, default=400, help="validation faces that are measured")
    options = parser.parse_args()
    settings = read_settings(options.settings)
    options.out.mkdir(parents=True, exist_ok=True)
    only = options.only.split(",") if options.only else []
    students = write_networks(settings, options.run, options.students, options.out, only)
    fitted = load_file(options.run / "directions.safetensors")
    known = {
        name: EditSpec(
            unit=e["unit"],
            step="",
            text=e["text"],
            strengths=(-1.0, 1.0),
            effects=(-1.0, 1.0),
            **chosen(e, EditSpec, "region", "moves", "drawn"),
        )
        for name, e in settings["edits"].items()
        if name in fitted
    }
    figures: dict = {"edits": {}}
    if only:
        card_before, pack_before = json.loads((options.out / "card.json").read_text()), load_pack(options.out)
        figures, before = card_before["figures"], pack_before.spec.edits
        known = {n: e for n, e in known.items() if n in only} | {n: e for n, e in before.items() if n not in only}
        for name in only:
            figures.get("look", {}).pop(name, None)  # of what it was before
    tables = {"generator": settings["generator"], "encoder": settings["encoder"]}
    networks = {name: network_of(name, table, options.settings) for name, table in tables.items()}
    for name, student in students.items():
        # Those that were trained before it was "config" call it "shape".
        sizes = student.get("config") or student["shape"]
        networks[name] = network_of(name, sizes, options.students / "students.json")
    told: dict = {}
    if only:  # whatever else the pack has, it keeps
        networks = {**pack_before.spec.networks, **networks}
        told = {k: v for k, v in card_before.items() if k not in ("figures", "students", "faces", "scales")}
    elif stray := sorted({p.stem for p in options.out.glob("*.safetensors")} - networks.keys() - {"directions"}):
        raise InputError(f"{options.out} holds {', '.join(stray)} of another pack; choose another --out")
    spec = PackSpec(options.out.name, networks["encoder"].config.resolution, FACE, networks, edits=known)
    write_pack(options.out, spec)

    pack, nets, labels = (
        load_pack(options.out),
        teachers.load_teachers(options.labellers),
        shards.read_labels(options.data),
    )
    require(tuple(known), labels)
    rows = np.flatnonzero(labels["val"])[: options.faces]
    pictures = shards.read_crops(options.data, rows)
    mine = {k: v[rows] for k, v in labels.items()} | photometry.measured(pictures, labels["points68"][rows])
    x = to_tensor(pictures)
    identity = losses.identity_grids(nets, mine["points68"], pack.resolution)
    attribute = attribute_grids(mine["points68"], pack.resolution)
    faces = card.encode_faces(pack.encoder, x, mine["points68"], identity, attribute)
    train = np.flatnonzero(~labels["val"])
    some = shards.read_crops(options.data, train[:MEASURED])
    seen = photometry.measured(some, labels["points68"][train[:MEASURED]])
    columns = {k: v[train] for k, v in labels.items()}
    scale = scales({k: v[:MEASURED] for k, v in columns.items()} | seen) | scales(columns)
    labelling = Labelling(nets, scale, accessories.load_probe(options.data, labels))
    if not only:
        figures["reconstruction"] = card.reconstruction(pack.generator, faces, x, nets)
        figures["frechet"] = frechet_figures(pack.generator, faces, x, to_tensor(some[:1500]), nets)
    specs, effects = card.measure_edits(pack, only or known, faces, mine, labelling)
    known |= specs
    figures["edits"] |= effects
    spec = write_pack(options.out, replace(spec, edits=known))
    manifest = json.loads((options.data / "manifest.json").read_text())
    saved = checkpoints.read_weights(options.run)
    made = told | {"recipe": saved["recipe"], "images_seen": saved["before"] + saved["seen"]}
    write_card(options.out, spec, figures, students, manifest, made, labelling.scale)
    print(json.dumps(figures["reconstruction"], indent=1))


if __name__ == "__main__":
    main()
