"""Give a pack a latent flow, and edits that are steps in its W*, measured for the card.

    python -m pipelines.add_proxy --run runs/flow --edits age,gender --data data/faces-128 --labellers LABELLERS \\
        --pack assets/models/face-128

Takes RUN/checkpoint.pt of pipelines.train_flow. How far two steps are meant to go is in the settings; lengths are found
on training faces, and no step is longer than --longest. Edits that are not named stay what they are. The pack is
changed in place; figures are of validation faces, measured after the weights were rounded to fp16.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from vidinv.errors import InputError
from vidinv.models.latent_flow import LatentFlow, LatentFlowConfig
from vidinv.models.pictures import to_tensor
from vidinv.packs.kinds import own_kind
from vidinv.packs.load import Pack, load_pack
from vidinv.packs.spec import FILE_ENDING, EditSpec, NetworkSpec, PackSpec
from vidinv.packs.write import write_pack, write_tensors
from vidinv.training import accessories, card, checkpoints, directions, losses, photometry, shards, teachers
from vidinv.training.card_text import write_card
from vidinv.training.labelling import Labelling, attribute_grids
from vidinv.training.scores import scales
from vidinv.training.settings import chosen, read_settings

NETWORK = "latent_flow"
Labels = dict[str, np.ndarray]


def described(names: list[str], config: LatentFlowConfig, before: PackSpec, table: dict) -> dict[str, EditSpec]:
    """The named edits as the flow's, from what the pack or the settings say of them.

    :raises InputError: the flow knows no such attribute, or is for another generator.
    """
    sizes = before.networks["generator"].config
    wanted = {"layers": sizes.layers, "d_style": sizes.d_style}
    if wrong := [f"{k} = {v}" for k, v in wanted.items() if getattr(config, k) != v]:
        raise InputError(f"--run: the flow is for another generator; {before.name} needs {', '.join(wrong)}")
    if unknown := sorted(set(names) - set(config.attributes)):
        raise InputError(f"--edits: the flow knows no {', '.join(unknown)}; it knows {', '.join(config.attributes)}")
    specs = {}
    for name in names:
        told = table[name]
        spec = before.edits.get(name) or EditSpec(unit=told["unit"], step="", text=told["text"])
        specs[name] = replace(spec, kind="proxy", **chosen(told, EditSpec, "region", "moves", "drawn"), grade=0.0)
    return specs


def put(folder: Path, spec: PackSpec, flow: LatentFlow) -> Pack:
    """Write the flow, then what the pack is with it."""
    part = folder / f"{NETWORK}{FILE_ENDING}.part"
    write_tensors(part, flow.state_dict())
    part.replace(folder / f"{NETWORK}{FILE_ENDING}")
    networks = {**spec.networks, NETWORK: NetworkSpec(own_kind(NETWORK), flow.config)}
    write_pack(folder, replace(spec, networks=networks))
    return load_pack(folder)


def encoded(pack: Pack, nets: teachers.Teachers, data: Path, labels: Labels, rows: np.ndarray) -> directions.Faces:
    pictures, points = shards.read_crops(data, rows), labels["points68"][rows]
    grids = losses.identity_grids(nets, points, pack.resolution), attribute_grids(points, pack.resolution)
    return card.encode_faces(pack.encoder, to_tensor(pictures), points, *grids)


def validated(
    pack: Pack, nets: teachers.Teachers, data: Path, labels: Labels, count: int
) -> tuple[directions.Faces, Labels]:
    """So many validation faces, with what is known of each."""
    rows = np.flatnonzero(labels["val"])[:count]
    mine = {k: v[rows] for k, v in labels.items()}
    mine |= photometry.measured(shards.read_crops(data, rows), mine["points68"])
    return encoded(pack, nets, data, labels, rows), mine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--edits", required=True, help="comma-separated names")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack", type=Path, required=True, help="folder that is changed")
    parser.add_argument("--settings", type=Path, default=Path(__file__).parent / "settings" / "edits.toml")
    parser.add_argument("--longest", type=float, default=20.0, help="standard deviations along the normal of one step")
    parser.add_argument("--measured", type=int, default=48, help="training faces on which lengths are tried")
    parser.add_argument("--faces", type=int, default=400, help="validation faces that are measured")
    options = parser.parse_args()
    names, before, table = options.edits.split(","), load_pack(options.pack), read_settings(options.settings)["edits"]
    saved = checkpoints.read_weights(options.run)
    flow = LatentFlow(LatentFlowConfig(**saved["config"])).eval().requires_grad_(False)
    flow.load_state_dict({k: v.float() for k, v in saved[NETWORK].items()})
    edits = described(names, flow.config, before.spec, table)

    nets, labels = teachers.load_teachers(options.labellers), shards.read_labels(options.data)
    told = json.loads((options.pack / "card.json").read_text())
    scale = scales(labels) | told["scales"]
    labelling = Labelling(nets, scale, accessories.load_probe(options.data, labels))
    rng, train = np.random.default_rng(0), np.flatnonzero(~labels["val"])
    for name in names:
        pool = card.cohort(name, labels, train) if name not in ("hair", "skin") else train
        rows = np.sort(rng.choice(pool, min(options.measured, len(pool)), replace=False))
        faces, number = encoded(before, nets, options.data, labels, rows), flow.config.attributes.index(name)
        flow.steps[number] = (flow(faces.w) @ flow.normals[number]).std()

        def changes(lengths: list[float], name: str = name, number: int = number, faces=faces) -> list[float]:
            move = card.through(flow, number)
            return [e.change[name] for e in card.effects(name, move, lengths, before.generator, faces, labelling, None)]

        flow.steps[number] *= directions.calibrate(changes, table[name]["two_steps"], 2 * options.longest) / 2
        print(f"{name}: a step is {float(flow.steps[number]):.2f} in W*", flush=True)
    pack = put(options.pack, replace(before.spec, edits={**before.spec.edits, **edits}), flow)

    faces, mine = validated(pack, nets, options.data, labels, options.faces)
    specs, effects = card.measure_edits(pack, names, faces, mine, labelling)
    figures, students, made_of, _ = (told.pop(k) for k in ("figures", "students", "faces", "scales"))
    figures["edits"] |= effects
    for name in names:
        figures.get("look", {}).pop(name, None)  # of what it was before
    spec = write_pack(options.pack, replace(pack.spec, edits={**pack.spec.edits, **specs}))
    write_card(options.pack, spec, figures, students, made_of, told | {"flow_recipe": saved["recipe"]}, scale)


if __name__ == "__main__":
    main()
