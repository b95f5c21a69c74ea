"""Train a pack's small networks on prepared faces; stops and resumes at any time.

    python -m pipelines.train_students --data data/faces-128 --out runs/students [--only identity,attributes,landmarks]

With --extend PACK only what that pack's network does not read yet is trained (attributes: glasses, beard and makeup);
all that it does read stays as it is, bit for bit.

Visibility learns from hands and things that are drawn over the faces, the others from the labels.

Each network leaves a checkpoint NAME-state to be resumed from, lines of log.jsonl, the student NAME.safetensors
(float16), and in students.json its sizes, its agreement with the teachers on the validation faces, its latency and how
it was trained; the landmarks also a sheet (teacher green, student red), visibility too (picture, what is drawn over it,
what is found).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from pipelines.arguments import run_arguments, shorter
from vidinv.models.attributes import AttributeConfig
from vidinv.models.identity import IdentityConfig
from vidinv.models.landmarks import LandmarkConfig
from vidinv.models.student import StudentConfig
from vidinv.models.visibility import VisibilityConfig
from vidinv.packs.load import load_pack
from vidinv.packs.write import write_tensors
from vidinv.training import checkpoints, distil, limbs, shards, student_figures, visibility_examples
from vidinv.training.distil import DistilOptions, DistilState
from vidinv.training.photo_augmentation import PhotoAugmentation
from vidinv.training.runs import Run, train
from vidinv.training.scores import ACCESSORIES, require
from vidinv.training.sheets import write_maps, write_points

# Landmarks are asked for on crops that are off by more than the crops that the pack itself makes.
ROOMY = PhotoAugmentation(turn=20.0, scale=0.12, shift=0.08)
SMALL = dataclasses.replace(ROOMY, soft=0.2, jpeg=0.15)  # crops of half the size are degraded by less
RECIPES: dict[str, tuple[StudentConfig, DistilOptions]] = {
    "identity": (IdentityConfig(), DistilOptions(images=900_000)),
    "attributes": (AttributeConfig(worn=ACCESSORIES), DistilOptions(images=180_000)),
    "landmarks": (LandmarkConfig(), DistilOptions(images=180_000, augmentation=ROOMY)),
    "visibility": (VisibilityConfig(), DistilOptions(images=180_000, augmentation=SMALL)),
}


class Faces(NamedTuple):
    train: NDArray[np.uint8]  # [N, S, S, 3] RGB
    labels: dict[str, NDArray]  # of the training faces
    val: NDArray[np.uint8]
    val_labels: dict[str, NDArray]


def read_faces(folder: Path, without: Path | None) -> Faces:
    labels = shards.read_labels(folder)
    kept = ~visibility_examples.listed(labels, without) if without is not None else np.ones(len(labels["val"]), bool)
    rows = [np.flatnonzero(kept & which) for which in (~labels["val"], labels["val"])]
    first, second = ((shards.read_crops(folder, r), {k: v[r] for k, v in labels.items()}) for r in rows)
    return Faces(*first, *second)


def finish(name: str, state: DistilState, how: DistilOptions, out: Path, faces: Faces) -> dict:
    """Write the student and measure it as it was written."""
    config = state.average.config
    write_tensors(out / f"{name}.safetensors", state.average.state_dict())
    net = distil.NETS[type(config)](config).to(memory_format=torch.channels_last)
    net.load_state_dict(load_file(out / f"{name}.safetensors"))
    net.eval().requires_grad_(False)
    said = student_figures.answers(net, faces.val)
    if name == "landmarks":
        write_points(out / "landmarks.png", faces.val[:24], faces.val_labels["points68"][:24], said["points68"][:24])
    if name == "visibility":
        write_maps(out / "visibility.png", faces.val[:24], *(m["occluder"][:24] for m in (faces.val_labels, said)))
    return {
        "config": dataclasses.asdict(config),
        **student_figures.cost(net, faces.val.shape[1]),
        "validation_faces": len(faces.val),
        "agreement": {k: round(v, 4) for k, v in student_figures.agreement(said, faces.val_labels).items()},
        "images_seen": state.seen,
        "options": dataclasses.asdict(how),
    }


def distil_student(name: str, faces: Faces, options: argparse.Namespace) -> dict:
    """Train one network until its images are seen or its minutes are over."""
    config, how = RECIPES[name]
    how = shorter(how, options)
    known = load_pack(options.extend).tensors(name) if options.extend else None
    state = distil.start(config, how, faces.labels, faces.train.shape[1], options.device, known)
    if saved := checkpoints.read(options.out, f"{name}-state"):
        state.from_dict(saved)
    print(f"{name}: {state.seen} of {how.images} images seen", flush=True)
    if name == "visibility":
        (pictures, labels), val = (visibility_examples.shrunk(*half, config.side) for half in (faces[:2], faces[2:]))
        bank = limbs.make_bank(pictures, labels["points68"], how.seed)
        faces = Faces(pictures, labels, *visibility_examples.examples(*val, bank, config.side // 2, how))
        feed = visibility_examples.batches(pictures, labels, bank, config.side // 2, how, state.seen)
    else:
        feed = distil.batches(faces.train, faces.labels, how, state.seen)
    run = Run(options.out / "log.jsonl", options.minutes, options.checkpoint)

    def checkpoint() -> dict[str, float | str]:
        checkpoints.write(options.out, f"{name}-state", state.to_dict())
        said = student_figures.answers(state.average.eval(), faces.val)
        return {"student": name, **student_figures.agreement(said, faces.val_labels)}

    train(run, state, how.images, how.batch, lambda: distil.step(state, name, *next(feed), how), checkpoint)
    return finish(name, state, how, options.out, faces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    run_arguments(parser, checkpoint=60)
    parser.add_argument("--only", default=",".join(RECIPES), help="comma-separated names")
    parser.add_argument(
        "--without", type=Path, help="a table (set, file) of covered faces to leave out, for visibility"
    )
    parser.add_argument("--extend", help="name or folder of a pack whose network stays, and learns to read more")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    if unknown := [n for n in options.only.split(",") if n not in RECIPES]:
        parser.error(f"--only: no recipe for {', '.join(unknown)}; there are {', '.join(RECIPES)}")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    faces, report = read_faces(options.data, options.without), options.out / "students.json"
    names = options.only.split(",")
    require(ACCESSORIES if "attributes" in names else (), faces.labels)
    for name in names:
        figures = distil_student(name, faces, options)
        done = json.loads(report.read_text()) if report.exists() else {}
        report.write_text(json.dumps({**done, name: figures}, indent=2) + "\n")
        print(name, json.dumps(figures["agreement"]), flush=True)


if __name__ == "__main__":
    main()
