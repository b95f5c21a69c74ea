"""Train a pack's small networks on prepared faces: identity, attributes and landmarks; stops and resumes at any time.

    python -m pipelines.train_students --data data/faces-128 --out runs/students [--only identity,attributes,landmarks]

Each network leaves a checkpoint NAME.pt to be resumed from, the student NAME.safetensors (float16), and in
students.json its sizes, its agreement with the teachers on the validation faces, its latency and how it was trained;
the landmarks also a sheet (teacher green, student red).
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

from vidinv.models.attributes import AttributeShape
from vidinv.models.identity import IdentityShape
from vidinv.models.landmarks import LandmarkShape
from vidinv.training import distil, shards
from vidinv.training.distil import Augmentation, DistilOptions

# Landmarks are asked for on crops that are off by more than the crops that the pack itself makes.
ROOMY = Augmentation(turn=20.0, scale=0.12, shift=0.08)
RECIPES: dict[str, tuple[distil.Shape, DistilOptions]] = {
    "identity": (IdentityShape(), DistilOptions(images=900_000)),
    "attributes": (AttributeShape(), DistilOptions(images=180_000)),
    "landmarks": (LandmarkShape(), DistilOptions(images=180_000, augmentation=ROOMY)),
}


class Faces(NamedTuple):
    train: NDArray[np.uint8]  # [N, S, S, 3] RGB
    labels: dict[str, NDArray]  # of the training faces
    val: NDArray[np.uint8]
    val_labels: dict[str, NDArray]


def read_faces(folder: Path) -> Faces:
    labels = shards.read_labels(folder)
    train, val = np.flatnonzero(~labels["val"]), np.flatnonzero(labels["val"])
    halves = [{k: v[rows] for k, v in labels.items()} for rows in (train, val)]
    return Faces(shards.read_crops(folder, train), halves[0], shards.read_crops(folder, val), halves[1])


def draw_points(path: Path, pictures: NDArray[np.uint8], teacher: NDArray, student: NDArray, zoom: int = 3) -> None:
    """A sheet of eight faces a row, teacher's points green, student's red."""
    tiles = []
    for picture, *sets in zip(pictures, teacher, student, strict=True):
        tile = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR)
        for points, colour in zip(sets, ((0, 220, 0), (255, 40, 40)), strict=True):
            for x, y in (points + 0.5) * zoom - 0.5:
                cv2.circle(tile, (round(float(x)), round(float(y))), 2, colour, -1, cv2.LINE_AA)
        tiles.append(tile)
    across = min(8, len(tiles))
    rows = [np.concatenate(tiles[i : i + across], 1) for i in range(0, len(tiles) // across * across, across)]
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1])


def finish(name: str, state: distil.State, how: DistilOptions, out: Path, faces: Faces) -> dict:
    """Write the student and measure it as it was written."""
    shape = state.mean.shape
    save_file(distil.weights(state.mean), out / f"{name}.safetensors")
    net = distil.NETS[type(shape)](shape).to(memory_format=torch.channels_last)
    net.load_state_dict(load_file(out / f"{name}.safetensors"))
    net.eval().requires_grad_(False)
    said = distil.answers(net, faces.val)
    if name == "landmarks":
        draw_points(out / "landmarks.png", faces.val[:24], faces.val_labels["points68"][:24], said["points68"][:24])
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

    distil.train(state, name, distil.batches(faces.train, faces.labels, how, state.seen), how, tell)
    state.save(checkpoint)
    return finish(name, state, how, options.out, faces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default=",".join(RECIPES), help="comma-separated names")
    parser.add_argument("--images", type=int, help="length of each run, over the recipe's own")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop each (to be resumed) after so long")
    parser.add_argument("--checkpoint", type=float, default=60, help="seconds between checkpoints")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    unknown = [n for n in options.only.split(",") if n not in RECIPES]
    if unknown:
        parser.error(f"--only: no recipe for {', '.join(unknown)}; there are {', '.join(RECIPES)}")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    faces, report = read_faces(options.data), options.out / "students.json"
    for name in options.only.split(","):
        figures = run(name, faces, options)
        done = json.loads(report.read_text()) if report.exists() else {}
        report.write_text(json.dumps({**done, name: figures}, indent=2) + "\n")
        print(name, json.dumps(figures["agreement"]), flush=True)


if __name__ == "__main__":
    main()
