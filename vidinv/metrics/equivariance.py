"""EQ-T and EQ-R: does a generator's picture move and turn when its input does? (Karras et al. 2021, Eq. 6, appendix E)

Both are peak signal-to-noise ratios in decibels, for pictures in -1..1, over the pixels that both pictures show.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

PEAK = 2.0  # I_max, the range of the pictures
REACH = 16  # pixels on either side that a shift by a part of a pixel looks at


def translation_equivariance(picture: Tensor, translated: Tensor, shift: tuple[float, float]) -> float:
    """EQ-T, or with parts of pixels EQ-T_frac.

    :param picture: [B, 3, S, S]. :param translated: the same with the generator's input moved by ``shift``.
    :param shift: pixels to the right and downwards.
    """
    whole = [math.floor(s + 0.5) for s in shift]
    parts = [s - w for s, w in zip(shift, whole, strict=True)]
    edge = REACH if any(parts) else 0
    expected = _shifted(_shifted(picture, parts[0], 3), parts[1], 2)
    # Pixel (x, y) of the one is (x + dx, y + dy) of the other.
    for axis, step in ((3, whole[0]), (2, whole[1])):
        length = picture.shape[axis] - abs(step) - 2 * edge
        expected = expected.narrow(axis, edge + max(-step, 0), length)
        translated = translated.narrow(axis, edge + max(step, 0), length)
    return _decibels(translated, expected)


def rotation_equivariance(picture: Tensor, rotated: Tensor, degrees: float) -> float:
    """EQ-R, over the disc that the picture's borders touch, less what the resampling of the picture needs.

    :param rotated: the same with the generator's input turned anticlockwise, as seen, about the picture's middle.
    """
    turned = ndimage.rotate(picture.double().cpu().numpy(), degrees, axes=(3, 2), reshape=False, order=5, mode="mirror")
    side = picture.shape[-1]
    axis = torch.arange(side) + 0.5 - side / 2
    disc = axis.square() + axis[:, None].square() < (side / 2 - REACH / 4) ** 2
    return _decibels(rotated.cpu()[..., disc], torch.from_numpy(turned)[..., disc])


def _shifted(picture: Tensor, part: float, axis: int) -> Tensor:
    """By a part of a pixel, with a windowed sinc; right but for ``REACH`` pixels at both ends."""
    if not part:
        return picture
    at = np.arange(-REACH, REACH + 1) + part
    taps = np.sinc(at) * np.i0(8 * np.sqrt(np.maximum(1 - (at / (REACH + 1)) ** 2, 0)))
    kernel = torch.from_numpy(taps / taps.sum()).to(picture).view(1, 1, 1, -1)
    rows = picture.movedim(axis, -1)
    moved = F.conv2d(rows.flatten(0, 2)[:, None, None], kernel, padding=(0, REACH))
    return moved.view(rows.shape).movedim(-1, axis)


def _decibels(a: Tensor, b: Tensor) -> float:
    error = float((a.double() - b.double()).square().mean())
    return 10 * math.log10(PEAK**2 / error) if error else math.inf
