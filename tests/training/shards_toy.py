"""A folder of shards and a folder of labelling networks, made up and small, for recipes run as programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from vidinv.training.shards import write_shards

ROOT = Path(__file__).resolve().parents[2]
LABELLER = """
from tests.training.teachers_toy import toy_teachers

TOY = toy_teachers()


def Labeller():
    return TOY.labeller
"""
ALIGNMENT = """
from labeller import TOY

T112, similarity, points68_to_5 = TOY.alignment.T112, TOY.alignment.similarity, TOY.alignment.points68_to_5
"""


def write_faces(folder: Path, count: int = 24, side: int = 64, shard_mib: float = 48) -> Path:
    """Discs on plain grounds, as prepare_faces writes faces; every fourth is to validate with."""
    rng, crops = np.random.default_rng(0), []
    for _ in range(count):
        picture = np.full((side, side, 3), rng.integers(0, 256, 3), np.uint8)
        centre = tuple(int(c) for c in rng.uniform(0.4, 0.6, 2) * side)
        cv2.circle(picture, centre, side // 3, rng.integers(0, 256, 3).tolist(), -1)
        crops.append(cv2.imencode(".jpg", picture)[1].tobytes())
    labels = {
        "age": rng.uniform(1, 80, count),
        "male": rng.random(count),
        "skin": rng.uniform(40, 220, count),
        "points68": rng.uniform(0.25 * side, 0.75 * side, (count, 68, 2)),
        "val": np.arange(count) % 4 == 3,
    }
    write_shards(folder, crops, labels, shard_mib)
    return folder


def write_labellers(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "labeller.py").write_text(LABELLER)
    (folder / "identity_torch.py").write_text(ALIGNMENT)
    (folder / "faceapi_torch.py").write_text("")
    return folder


CPU = ("--device", "cpu", "--precision", "fp32")


def run_recipe(name: str, *arguments: str | Path, status: int = 0, device: tuple[str, ...] = CPU) -> str:
    """Run ``python -m pipelines.NAME`` on one thread of the CPU and return what it printed.

    :param device: arguments that say where to compute, of recipes that ask.
    """
    # Some machines' environment would have it read modules that the project does not need.
    done = subprocess.run(
        [sys.executable, "-m", f"pipelines.{name}", *map(str, arguments), *device],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr
