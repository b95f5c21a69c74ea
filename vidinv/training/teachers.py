"""The labelling networks: real face networks from a folder outside the package, used as labellers, losses and teachers.

The folder holds a module ``labeller`` with a class ``Labeller`` whose attributes ``points`` (68 landmarks),
``attributes`` (age in years, probability of male), ``expression`` (7 probabilities, index 1 = happy), ``embed``
(identity) and ``lpips`` are called as its own documentation says. Nothing of it enters a pack: packs hold students.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")


@dataclass(frozen=True)
class Teachers:
    labeller: Any
    geometry: ModuleType  # crop_for_faceapi
    alignment: ModuleType  # similarity, points68_to_5, template


def load_teachers(folder: Path) -> Teachers:
    """:raises FileNotFoundError: when the folder holds no ``labeller.py``."""
    folder = Path(folder).resolve()
    if not (folder / "labeller.py").is_file():
        raise FileNotFoundError(f"{folder} holds no labeller.py; pass the folder of labelling networks")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    labeller = importlib.import_module("labeller").Labeller()
    for net in (labeller.embed, labeller.lpips):
        inner = getattr(net, "net", net)
        inner.requires_grad_(False)
    return Teachers(labeller, importlib.import_module("faceapi_torch"), importlib.import_module("identity_torch"))


def _square(image: NDArray, x0: float, y0: float, side: float, size: int) -> NDArray:
    """Cut a square region as ``size`` x ``size``, averaged when it shrinks."""
    scale = size / side
    if scale < 0.75:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        x0, y0, scale = x0 * scale, y0 * scale, 1.0
    affine = np.array([[scale, 0, -x0 * scale], [0, scale, -y0 * scale]])
    return cv2.warpAffine(image, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _tensor(images: list[NDArray]) -> Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255


@torch.no_grad()
def label(teachers: Teachers, images: list[NDArray], boxes: NDArray, batch: int = 32) -> dict[str, NDArray]:
    """Label one face in each picture.

    :param images: [H, W, 3] RGB uint8 each.
    :param boxes: [N, 4] rough face boxes x0, y0, x1, y1, pixels.
    :return: points68 [N, 68, 2] pixels, age [N] years, male [N] 0..1, expression [N, 7], identity [N, 128].
    """
    lab, found = teachers.labeller, []
    for start in range(0, len(images), batch):
        chunk = images[start : start + batch]
        at = boxes[start : start + batch].astype(np.float64)
        side = 1.1 * (at[:, 2:] - at[:, :2]).max(1)
        corner = (at[:, :2] + at[:, 2:]) / 2 - side[:, None] / 2
        for _ in range(2):
            crops = _tensor([_square(i, c[0], c[1], s, 112) for i, c, s in zip(chunk, corner, side, strict=True)])
            points = lab.points(crops).numpy() * side[:, None, None] + corner[:, None]
            low, high = points.min(1), points.max(1)
            side = np.maximum((high - low)[:, 0] / 0.842, (high - low)[:, 1] / 0.759)
            corner = (low + high) / 2 - np.array([0.493, 0.614]) * side[:, None]
        tight = 0.95 * side
        where = (points.min(1) + points.max(1)) / 2 - np.array([0.493, 0.614]) * tight[:, None]
        crops = _tensor([_square(i, c[0], c[1], s, 160) for i, c, s in zip(chunk, where, tight, strict=True)])
        age, male = lab.attributes(crops)
        faces = [_identity_crop(teachers, i, p) for i, p in zip(chunk, points, strict=True)]
        found.append(
            {
                "points68": points,
                "age": age.numpy(),
                "male": male.numpy(),
                "expression": lab.expression(crops).numpy(),
                "identity": lab.embed(_tensor(faces)).numpy(),
            }
        )
    return {k: np.concatenate([f[k] for f in found]).astype(np.float32) for k in found[0]}


def _identity_crop(teachers: Teachers, image: NDArray, points68: NDArray) -> NDArray:
    align = teachers.alignment
    affine = align.similarity(align.points68_to_5(points68), align.T112)
    return cv2.warpAffine(image, affine, (112, 112), flags=cv2.INTER_AREA)
