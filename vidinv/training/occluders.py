"""Things drawn over faces, and where: hands, cups, phones, masks, passers-by.

They are drawn in the face's own skin, light and sharpness, lest the paste be learnt instead of the hand; what only
looks like an occluder (strands of hair, glasses, shadows) is drawn too, and is none.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.training.decoys import decoys
from vidinv.training.limbs import CROP, Bank, arm, hand
from vidinv.training.objects import OBJECTS, Layer, Rng, polygon
from vidinv.training.worn import levels

CLEAN = 0.35  # share of pictures with nothing drawn over them
MOST = 0.62  # share of the face that may be covered
KINDS = {
    "hand": 0.56,
    "hands": 0.08,
    "arm": 0.05,
    "mask": 0.06,
    "scarf": 0.03,
    "slab": 0.06,
    "cup": 0.04,
    "microphone": 0.05,
    "person": 0.07,
}


def face_region(points: NDArray, size: int) -> NDArray[np.float32]:
    """The whole face, covered or not: the jaw's line, closed by half an ellipse over the forehead.

    :param points: [68, 2] pixels. :return: [size, size] 0..1.
    """
    brows, nose = points[17:27].mean(0), points[33]
    middle, half = (points[0] + points[16]) / 2, (points[16] - points[0]) / 2
    # The hair begins about as far above the brows as the nose ends below them.
    apex = brows + 0.8 * (brows - nose) - middle
    angles = np.linspace(0, np.pi, 16)[1:-1, None]
    return polygon(np.concatenate([points[:17], middle + np.cos(angles) * half + np.sin(angles) * apex]), size)


def cover(
    picture: NDArray[np.uint8], points: NDArray, bank: Bank, rng: Rng
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Draw something over a face, or nothing, or what only looks like it.

    :param picture: [S, S, 3] RGB, the size of the bank's. :param points: [68, 2] pixels.
    :return: the picture and where it is covered, [S, S] 0..1.
    """
    size = len(picture)
    base = decoys(picture.astype(np.float32), points, rng)
    face, nothing = face_region(points, size), np.zeros((size, size), np.float32)
    if rng.random() < CLEAN:
        return levels(base), nothing
    for _ in range(4):
        kind = rng.choice(list(KINDS), p=list(KINDS.values()))
        covered, alpha = base, nothing
        for layer in _layers(kind, base, points, bank, rng):
            covered, alpha = _lay(covered, alpha, *layer, rng)
        share = float((alpha * face).sum() / max(face.sum(), 1))
        if 0.01 < share < MOST:
            return levels(covered), alpha
    return levels(base), nothing


def _layers(kind: str, base: NDArray[np.float32], points: NDArray, bank: Bank, rng: Rng) -> list[Layer]:
    """Lower ones first."""
    if kind in ("hand", "hands"):
        return [layer for _ in range(1 + (kind == "hands")) for layer in hand(base, points, bank, rng)]
    if kind == "arm":
        return [arm(base, points, bank, rng)]
    held = [OBJECTS[kind](points, bank.pictures, rng)]
    if kind in ("slab", "cup", "microphone") and rng.random() < 0.6:
        held += hand(base, points, bank, rng)
    return held


def _lay(
    picture: NDArray[np.float32], covered: NDArray[np.float32], colour: NDArray, alpha: NDArray, rng: Rng
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Over the picture: soft as lenses and motion make it, with the shadow that it casts."""
    size = len(picture)
    if rng.random() < 0.7:
        shift = np.array([[1, 0, rng.normal(0, 0.02) * size], [0, 1, rng.uniform(0, 0.04) * size]], np.float32)
        shadow = cv2.warpAffine(alpha, shift, (size, size), borderMode=cv2.BORDER_REPLICATE)
        shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(0.008, 0.05) * size)
        picture = picture * (1 - rng.uniform(0.1, 0.55) * shadow)[..., None]
    layer = np.dstack([colour, alpha])
    sigma = rng.uniform(0.3, 1.3) if rng.random() < 0.8 else rng.uniform(1.3, 3.0)
    layer[..., 3] = cv2.erode(layer[..., 3], np.ones((3, 3), np.uint8)) if rng.random() < 0.5 else layer[..., 3]
    layer = cv2.GaussianBlur(layer, (0, 0), sigma * size / CROP)
    if rng.random() < 0.2:
        layer = cv2.filter2D(layer, -1, _streak(rng.uniform(3, 9) * size / CROP, rng.uniform(0, np.pi)))
    alpha = layer[..., 3]
    return picture + alpha[..., None] * (layer[..., :3] - picture), 1 - (1 - covered) * (1 - alpha)


def _streak(length: float, turn: float) -> NDArray[np.float32]:
    """A line as a kernel: what motion does to a point."""
    side = int(length) | 1
    kernel, away = np.zeros((side, side), np.float32), np.array([np.cos(turn), np.sin(turn)]) * side / 2
    first, last = (tuple(int(v) for v in np.round((side // 2 + s * away) * 16)) for s in (-1, 1))
    cv2.line(kernel, first, last, 1.0, 1, cv2.LINE_8, 4)
    return kernel / max(float(kernel.sum()), 1e-6)
