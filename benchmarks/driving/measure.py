"""Ways to drive a face by landmarks, and what their pictures are like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.edits.drive import landmarks_of
from vidinv.errors import InputMissing
from vidinv.faces.compositing import changed_picture
from vidinv.faces.landmark_motion import landmark_change
from vidinv.metrics.frechet import frechet_distance
from vidinv.metrics.identity import csim
from vidinv.metrics.landmarks import hausdorff
from vidinv.models.difference_encoder import DifferenceConfig, DifferenceEncoder
from vidinv.models.pictures import to_levels, to_tensor
from vidinv.packs.load import Pack
from vidinv.training import checkpoints, driving
from vidinv.training.codes import Codes
from vidinv.training.driving import DrivingOptions
from vidinv.training.driving_samples import Differences, Target, fractions, target_of
from vidinv.training.edit_samples import take
from vidinv.training.frechet import squeeze_features
from vidinv.training.labelling import attribute_grids, read_points
from vidinv.training.losses import identity_embedding, identity_grids
from vidinv.training.settings import build, read_settings
from vidinv.training.teachers import Teachers

BATCH = 20


@dataclass(frozen=True)
class Subjects:
    """Validation faces: their codes and inversions, their own landmarks and those that they are driven to."""

    w: Tensor
    feature: Tensor
    inversions: Tensor  # [N, 3, S, S] -1..1
    photographs: Tensor  # likewise
    own: Target
    asked: Target


Way = Callable[[Subjects, Target, slice], Tensor]
"""Some of the faces driven to their targets: pictures [n, 3, S, S] in -1..1."""


def subjects(codes: Codes, photographs: Tensor, rows: NDArray, some: Differences, seed: int) -> Subjects:
    own, side = fractions(codes, rows), codes.inversions.shape[1]
    chosen = np.random.default_rng(seed).choice(len(some.between), len(rows), p=some.weights)
    return Subjects(
        w=take(codes.w, rows).float(),
        feature=take(codes.feature, rows).float(),
        inversions=to_tensor(take(codes.inversions, rows)),
        photographs=photographs,
        own=target_of(own, side // 2),
        asked=target_of(own + some.between[chosen], side // 2),
    )


def read_run(settings: Path, run: Path) -> tuple[DifferenceEncoder, DrivingOptions]:
    """The averaged network of a finished run.

    :raises InputMissing: there is no such run, or it has not ended.
    """
    options = build(DrivingOptions, read_settings(settings).get("training", {}))
    weights: dict[str, Any] = checkpoints.read_weights(run) if (run / "checkpoint.pt").is_file() else {"seen": 0}
    if weights["seen"] < options.images:
        raise InputMissing(
            f"{settings.stem} has seen {weights['seen']} of {options.images} faces; train it by "
            f"pipelines.train_difference --settings {settings} --out {run}"
        )
    net = DifferenceEncoder(build(DifferenceConfig, weights["config"]))
    net.load_state_dict({k: v.float() for k, v in weights["difference_encoder"].items()})
    return net.eval().requires_grad_(False), options


def encoded(net: DifferenceEncoder, pack: Pack) -> Way:
    """By a difference encoder."""

    def way(faces: Subjects, target: Target, part: slice) -> Tensor:
        w, native = faces.w[part], pack.generator.features(faces.w[part])
        goal = driving.drive(net, w, Target(target.points[part], target.image[part]))
        return driving.draw_driven(pack.generator, goal, native, faces.feature[part])

    return way


def still(faces: Subjects, target: Target, part: slice) -> Tensor:
    """Not driven at all."""
    return faces.inversions[part]


def moved(pack: Pack) -> Way:
    """As the product does: by the difference of target and own landmarks, from where the pack's network sees them."""

    def way(faces: Subjects, target: Target, part: slice) -> Tensor:
        pictures = np.rint(to_levels(faces.inversions[part])).astype(np.uint8)
        by = (target.points[part] - faces.own.points[part]).numpy()
        found = landmarks_of(pack.landmarks, list(pictures))
        each = zip(pictures, found, by, strict=True)
        return to_tensor(np.stack([changed_picture(x, landmark_change(x, p, d)) for x, p, d in each]))

    return way


@torch.inference_mode()
def measured(way: Way, faces: Subjects, nets: Teachers) -> tuple[dict[str, float], Tensor]:
    """Figures, and the driven pictures.

    ``recon`` and ``manipulated`` are Fréchet distances to the photographs, of the faces driven by their own landmarks
    and by the targets; ``hausdorff`` is in shares of the crop's side.
    """
    size, parts = faces.inversions.shape[-1], [slice(i, i + BATCH) for i in range(0, len(faces.w), BATCH)]
    same, made = (
        torch.cat([way(faces, to, part).float().clamp(-1, 1) for part in parts]) for to in (faces.own, faces.asked)
    )
    goals = [to.points.double().numpy() * size - 0.5 for to in (faces.asked, faces.own)]
    grids = attribute_grids(goals[0], size)
    found = torch.cat([read_points(nets, made[p], grids[p]) for p in parts]).numpy()
    who = []
    for pictures, points in ((made, goals[0]), (faces.inversions, goals[1])):
        views = identity_grids(nets, points, size)
        who.append(torch.cat([identity_embedding(nets, pictures[p], views[p]) for p in parts]).numpy())
    real = squeeze_features(nets, faces.photographs)
    return {
        "recon": frechet_distance(squeeze_features(nets, same), real),
        "manipulated": frechet_distance(squeeze_features(nets, made), real),
        "hausdorff": float(np.mean([hausdorff(a, b) for a, b in zip(found, goals[0], strict=True)])) / size,
        "distance": float(np.linalg.norm(found - goals[0], axis=2).mean()) / size,
        "csim": csim(who[1], who[0]),
    }, made
