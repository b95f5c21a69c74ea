"""Train a pack's small networks on prepared faces; stops and resumes at any time.

    python -m pipelines.train_students --data data/faces-128 --out runs/students [--only identity,attributes,landmarks]

Visibility learns from hands and things that are drawn over the faces, the others from the labels.

Each network leaves a checkpoint NAME.pt to be resumed from, the student NAME.safetensors (float16), and in
students.json its sizes, its agreement with the teachers on the validation faces, its latency and how it was trained;
the landmarks also a sheet (teacher green, student red), visibility too (picture, what is drawn over it, what is found).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from vidinv.models.attributes import AttributeConfig
from vidinv.models.identity import IdentityConfig
from vidinv.models.landmarks import LandmarkConfig
from vidinv.models.visibility import VisibilityConfig
from vidinv.training import distil, occluders, shards
from vidinv.training.distil import Augmentation, DistilOptions
from vidinv.training.sheets import write_maps, write_points

# Landmarks are asked for on crops that are off by more than the crops that the pack itself makes.
ROOMY = Augmentation(turn=20.0, scale=0.12, shift=0.08)
SMALL = dataclasses.replace(ROOMY, soft=0.2, jpeg=0.15)  # crops of half the size are spoilt by less
RECIPES: dict[str, tuple[distil.Shape, DistilOptions]] = {
    "identity": (IdentityConfig(), DistilOptions(images=900_000)),
    "attributes": (AttributeConfig(), DistilOptions(images=180_000)),
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
    kept = ~occluders.listed(labels, without) if without is not None else np.ones(len(labels["val"]), bool)
    train, val = np.flatnonzero(kept & ~labels["val"]), np.flatnonzero(kept & labels["val"])
    halves = [{k: v[rows] for k, v in labels.items()} for rows in (train, val)]
    return Faces(shards.read_crops(folder, train), halves[0], shards.read_crops(folder, val), halves[1])


def finish(name: str, state: distil.State, how: DistilOptions, out: Path, faces: Faces) -> dict:
    """Write the student and measure it as it was written."""
    shape = state.mean.config
    save_file(distil.weights(state.mean), out / f"{name}.safetensors")
    net = distil.NETS[type(shape)](shape).to(memory_format=torch.channels_last)
    net.load_state_dict(load_file(out / f"{name}.safetensors"))
    net.eval().requires_grad_(False)
    said = distil.answers(net, faces.val)
    if name == "landmarks":
        write_points(out / "landmarks.png", faces.val[:24], faces.val_labels["points68"][:24], said["points68"][:24])
    if name == "visibility":
        write_maps(out / "visibility.png", faces.val[:24], *(m["occluder"][:24] for m in (faces.val_labels, said)))
    return {
        "shape": dataclasses.asdict(shape),
        **distil.cost(net, faces.val.shape[1]),
        "validation_faces": len(faces.val),
        "agreement": {k: round(v, 4) for k, v in distil.agreement(said, faces.val_labels).items()},
        "images_seen": state.seen,
        "options": dataclasses.asdict(how),
    }


def run(name: str, faces: Faces, options: argparse.Namespace) -> dict:
    """Train one network until its images are seen or its minutes are over."""
    shape, how = RECIPES[name]
    how = dataclasses.replace(how, images=options.images or how.images)
    if name == "visibility":
        (train, labels), val = (occluders.shrunk(*half, shape.side) for half in (faces[:2], faces[2:]))
        bank = occluders.make_bank(train, labels["points68"], how.seed)
        faces = Faces(train, labels, *occluders.examples(*val, bank, shape.side // 2, how))
    state = distil.start(shape, how, faces.labels, faces.train.shape[1], options.device)
    checkpoint = options.out / f"{name}.pt"
    if checkpoint.exists():
        state.load(checkpoint)
    print(f"{name}: {state.seen} of {how.images} images seen", flush=True)
    begun = last = time.monotonic()
    recent: list[float] = []

    def tell(state: distil.State, loss: float) -> bool:
        nonlocal last
        recent.append(loss)
        late, passed = time.monotonic() - begun > 60 * options.minutes, time.monotonic() - last
        if late or passed > options.checkpoint:
            state.save(checkpoint)
            figures = distil.agreement(distil.answers(state.mean.eval(), faces.val), faces.val_labels)
            rate = len(recent) * how.batch / passed
            line = {"seen": state.seen, "loss": float(np.mean(recent)), "images_per_second": rate, **figures}
            print(name, json.dumps({k: round(v, 4) for k, v in line.items()}), flush=True)
            recent.clear()
            last = time.monotonic()
        return late

    if name == "visibility":
        feed = occluders.batches(faces.train, faces.labels, bank, shape.side // 2, how, state.seen)
    else:
        feed = distil.batches(faces.train, faces.labels, how, state.seen)
    distil.train(state, name, feed, how, tell)
    state.save(checkpoint)
    return finish(name, state, how, options.out, faces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default=",".join(RECIPES), help="comma-separated names")
    parser.add_argument(
        "--without", type=Path, help="a table (set, file) of covered faces to leave out, for visibility"
    )
    parser.add_argument("--images", type=int, help="length of each run, over the recipe's own")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop each (to be resumed) after so long")
    parser.add_argument("--checkpoint", type=float, default=60, help="seconds between checkpoints")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    if unknown := [n for n in options.only.split(",") if n not in RECIPES]:
        parser.error(f"--only: no recipe for {', '.join(unknown)}; there are {', '.join(RECIPES)}")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    faces, report = read_faces(options.data, options.without), options.out / "students.json"
    for name in options.only.split(","):
        figures = run(name, faces, options)
        done = json.loads(report.read_text()) if report.exists() else {}
        report.write_text(json.dumps({**done, name: figures}, indent=2) + "\n")
        print(name, json.dumps(figures["agreement"]), flush=True)


if __name__ == "__main__":
    main()
