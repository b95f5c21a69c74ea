"""Maps with sharp, even edges: outlines and lines are drawn several times larger, and made smaller."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.masks import Map

FINER = 4  # times larger
Large = NDArray[np.uint8]


def blank(height: int, width: int, finer: int = FINER) -> Large:
    """A map to draw on, [height * finer, width * finer], of nothing."""
    return np.zeros((height * finer, width * finer), np.uint8)


def fill(large: Large, outline: NDArray, finer: int = FINER) -> None:
    """:param outline: [P, 2] pixels of the smaller map."""
    cv2.fillPoly(large, [fixed(outline, finer)], 255, cv2.LINE_AA, 4)


def stroke(large: Large, line: NDArray, thick: float, finer: int = FINER, level: int = 255) -> None:
    """:param line: [P, 2] pixels of the smaller map. :param thick: likewise. :param level: 0..255."""
    cv2.polylines(large, [fixed(line, finer)], False, level, max(round(thick * finer), 1), cv2.LINE_AA, 4)


def fixed(points: NDArray, finer: int = FINER) -> NDArray[np.int32]:
    """Pixels to those of what is drawn larger, with 4 bits of fraction."""
    return np.round(((np.asarray(points) + 0.5) * finer - 0.5) * 16).astype(np.int32)


def small(large: Large, finer: int = FINER, soft: float = 0.45) -> Map:
    """What was drawn, 0..1, its edges as soft as those of a photograph.

    :param soft: pixels of the smaller map, sigma.
    """
    size = large.shape[1] // finer, large.shape[0] // finer
    less = cv2.resize(large, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(less, (0, 0), soft), np.float32)


def softness(picture: NDArray[np.uint8]) -> float:
    """Sigma, pixels, of the blur that what is drawn into a picture needs to be as sharp as it.

    At an edge that a Gaussian has blurred, the gradient is about its sigma times the Laplacian.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gradient = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.125))
    edges = gradient >= np.quantile(gradient, 0.9)
    slope = float(np.sqrt(np.square(gradient[edges]).mean()))
    bend = float(np.sqrt(np.square(cv2.Laplacian(grey, cv2.CV_32F)[edges]).mean()))
    return float(np.clip(slope / max(bend, 1e-3) - 0.15, 0.4, 4.0))


def moved(x: Map, by: NDArray) -> Map:
    """A map, ``by`` (dx, dy) pixels further; its border is repeated."""
    shift = np.array([[1, 0, by[0]], [0, 1, by[1]]], np.float32)
    return np.asarray(cv2.warpAffine(x, shift, x.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.float32)
