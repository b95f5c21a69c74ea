"""What a face generator was not made for: faces moved, turned and covered, and what is no face at all."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.output import ROOT
from vidinv.models.pictures import to_tensor
from vidinv.video import Reader

GREY = 0.0  # of what covers, on a scale of -1..1


def moved(pictures: Tensor, right: float = 0.0, down: float = 0.0, degrees: float = 0.0) -> Tensor:
    """Pictures [N, 3, S, S] shifted by shares of their side and turned anticlockwise about their middle.

    What comes in at the border is the picture's mirror image.
    """
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    where = torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0]])
    where[:, 2] = where[:, :2] @ torch.tensor([-2 * right, -2 * down])
    grid = F.affine_grid(where.expand(len(pictures), -1, -1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def covered(pictures: Tensor, half: str) -> Tensor:
    """With one half of each, "left" or "lower", under plain grey."""
    side = pictures.shape[-1] // 2
    made = pictures.clone()
    if half == "left":
        made[..., :side] = GREY
    else:
        made[..., side:, :] = GREY
    return made


def faces_in_ways(faces: Tensor) -> dict[str, Tensor]:
    """Of faces [N, 3, S, S] every way that Image2StyleGAN's sections 3 and 4 try, by name."""
    return {
        "as they are": faces,
        "shifted by a quarter": moved(faces, right=0.25),
        "turned by 30 degrees": moved(faces, degrees=30),
        "upside down": moved(faces, degrees=180),
        "left half covered": covered(faces, "left"),
        "lower half covered": covered(faces, "lower"),
    }


def no_faces(side: int) -> tuple[list[str], Tensor]:
    """Things that are no faces, and what they are: drawn ones, and a corner of the sample's first frame."""
    things = {
        "gradient": _gradient(side),
        "chequers": _chequers(side),
        "noise": np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8),
        "car": _car(side),
        "house": _house(side),
        "background": _background(side),
    }
    return list(things), to_tensor(list(things.values()))


def _gradient(side: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:side, :side] / (side - 1)
    return np.rint(255 * np.stack([x, y, 1 - x], 2)).astype(np.uint8)


def _chequers(side: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:side, :side] * 8 // side
    dark = ((x + y) % 2 == 0)[..., None]
    return np.where(dark, (30, 60, 150), (235, 220, 160)).astype(np.uint8)


def _polygon(picture: NDArray[np.uint8], points: list[tuple[float, float]], colour: tuple[int, int, int]) -> None:
    """:param points: shares of the side."""
    corners = np.rint(np.array(points) * len(picture)).astype(np.int32)
    cv2.fillPoly(picture, [corners], colour, cv2.LINE_AA)


def _disc(picture: NDArray[np.uint8], at: tuple[float, float], radius: float, colour: tuple[int, int, int]) -> None:
    x, y, r = (round(v * len(picture)) for v in (*at, radius))
    cv2.circle(picture, (x, y), r, colour, -1, cv2.LINE_AA)


def _car(side: int) -> NDArray[np.uint8]:
    picture = np.full((side, side, 3), (170, 200, 225), np.uint8)
    _polygon(picture, [(0, 0.68), (1, 0.68), (1, 1), (0, 1)], (90, 90, 95))
    _polygon(picture, [(0.25, 0.48), (0.37, 0.32), (0.66, 0.32), (0.78, 0.48)], (190, 40, 40))
    _polygon(picture, [(0.3, 0.47), (0.39, 0.35), (0.5, 0.35), (0.5, 0.47)], (210, 230, 240))
    _polygon(picture, [(0.53, 0.47), (0.53, 0.35), (0.64, 0.35), (0.73, 0.47)], (210, 230, 240))
    _polygon(picture, [(0.08, 0.48), (0.9, 0.48), (0.93, 0.66), (0.06, 0.66)], (190, 40, 40))
    for x in (0.25, 0.74):
        _disc(picture, (x, 0.67), 0.09, (25, 25, 28))
        _disc(picture, (x, 0.67), 0.04, (190, 190, 195))
    return picture


def _house(side: int) -> NDArray[np.uint8]:
    picture = np.full((side, side, 3), (140, 185, 235), np.uint8)
    _polygon(picture, [(0, 0.75), (1, 0.75), (1, 1), (0, 1)], (80, 140, 60))
    _polygon(picture, [(0.2, 0.42), (0.8, 0.42), (0.8, 0.82), (0.2, 0.82)], (230, 215, 180))
    _polygon(picture, [(0.12, 0.44), (0.5, 0.14), (0.88, 0.44)], (150, 60, 40))
    _polygon(picture, [(0.44, 0.6), (0.57, 0.6), (0.57, 0.82), (0.44, 0.82)], (100, 65, 35))
    for x in (0.26, 0.64):
        _polygon(picture, [(x, 0.5), (x + 0.11, 0.5), (x + 0.11, 0.62), (x, 0.62)], (90, 120, 150))
    return picture


def _background(side: int, sample: Path = ROOT / "assets" / "sample.mp4") -> NDArray[np.uint8]:
    with Reader(sample) as reader:
        frame = next(iter(reader)).image
    corner = frame[: len(frame) // 3, : len(frame) // 3]
    return np.asarray(cv2.resize(corner, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
