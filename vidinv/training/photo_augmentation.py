"""What happens to a face's picture before a student sees it: it is moved, and degraded as cameras and files degrade it.

All random numbers come from the generator that is passed in, so a picture can be made again by its number alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from vidinv.models.landmarks import MIRROR


@dataclass(frozen=True)
class PhotoAugmentation:
    """How far a picture may stray; sizes are uniform in +-value, chances are shares of the pictures."""

    turn: float = 10.0  # degrees
    scale: float = 0.08  # log
    shift: float = 0.05  # of the crop
    light: float = 0.35  # log of brightness and of contrast
    colour: float = 0.12  # log, per channel
    grey: float = 0.05  # chance of losing all colour
    soft: float = 0.4  # chance of being shrunk (to a third at most) and enlarged again
    noise: float = 0.2  # chance of noise of up to 8 levels
    jpeg: float = 0.3  # chance of JPEG at quality 25..90


def augment(
    picture: NDArray[np.uint8], points: NDArray, how: PhotoAugmentation, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray]:
    """One face, mirrored half of the time, moved and degraded at random.

    :param picture: [S, S, 3] RGB.
    :param points: [68, 2] its landmarks, pixels.
    """
    size = len(picture)
    affine, points = placement(points, size, how, rng)
    moved = cv2.warpAffine(picture, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return degrade(np.asarray(moved, np.uint8), how, rng), points


def placement(
    points: NDArray, size: int, how: PhotoAugmentation, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray]:
    """A turn, size and place at random, mirrored half of the time: the 2x3 map of the crop, and the points after it."""
    turn, scale, dx, dy = rng.uniform(-1, 1, 4) * (math.radians(how.turn), how.scale, how.shift, how.shift)
    a, b, mid = math.exp(scale) * math.cos(turn), math.exp(scale) * math.sin(turn), (size - 1) / 2
    linear = np.array([[a, -b], [b, a]])
    if rng.random() < 0.5:
        points = points[list(MIRROR)]
        linear = linear * (-1, 1)
    offset = np.array([mid + dx * size, mid + dy * size]) - linear @ (mid, mid)
    return np.column_stack([linear, offset]), points @ linear.T + offset


def degrade(picture: NDArray[np.uint8], how: PhotoAugmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Light, colour, softness, noise and compression, at random; [S, S, 3] RGB, 0..255, as it was.

    Colour is lost, and sharpness, as torchvision.transforms.v2 has it. What else it has is no substitute: brightness
    and contrast take twice the time of :func:`_lit`'s one table, which tints too; noise comes from the global random
    stream and not from the picture's own; JPEG takes twice OpenCV's time and is announced to be removed.
    """
    if rng.random() < how.grey:
        picture = _picture(F.rgb_to_grayscale(_tensor(picture), 3))
    picture = _lit(picture, how, rng)
    if rng.random() < how.soft:
        size = len(picture)
        small = int(size * rng.uniform(1 / 3, 1))
        picture = _picture(F.resize(F.resize(_tensor(picture), [small, small]), [size, size]))
    if rng.random() < how.noise:
        noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(0, 8)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < how.jpeg:
        picture = _compressed(picture, int(rng.uniform(25, 90)))
    return picture


def _lit(picture: NDArray[np.uint8], how: PhotoAugmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Brightness, contrast and a tint."""
    gain, contrast = np.exp(rng.uniform(-how.light, how.light, 2))
    tint = np.exp(rng.uniform(-how.colour, how.colour, 3))
    levels = np.arange(256)[:, None] * gain * tint
    middle = float(picture.mean()) * gain
    table = np.clip(middle + contrast * (levels - middle), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table[None]), np.uint8)


def _compressed(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """:param quality: of JPEG, 0..100."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    found = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert found is not None  # it was encoded a line above
    return np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), np.uint8)


def _tensor(picture: NDArray[np.uint8]) -> Tensor:
    """[S, S, 3] to [3, S, S], the same memory."""
    return torch.from_numpy(picture).permute(2, 0, 1)


def _picture(x: Tensor) -> NDArray[np.uint8]:
    """The inverse of :func:`_tensor`."""
    return x.permute(1, 2, 0).contiguous().numpy()
