"""Does the patch show? Figures around the mask's edge, outside the mask, and over time. Pictures are uint8, 0..255."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def ring(mask: NDArray, low: float = 0.02, high: float = 0.5) -> NDArray[np.bool_]:
    """Where a soft mask [H, W] of 0..1 falls off: the place of a seam."""
    return (mask > low) & (mask < high)


def change(source: NDArray[np.uint8], output: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What was put in: output - source, signed levels."""
    return output.astype(np.float32) - source.astype(np.float32)


def flicker(before: NDArray, after: NDArray, region: NDArray[np.bool_]) -> float:
    """How much what was put in differs between two neighbouring frames: mean |after - before| over ``region``, levels.

    :param before: :func:`change` of the earlier frame's crop [S, S, 3]; crops follow the face, so that motion cancels.
    :param after: likewise of the later one. :param region: [S, S] bool, for a seam :func:`ring`.
    """
    return float(np.abs(after - before)[region].mean())


def outside_difference(
    source: NDArray[np.uint8],
    output: NDArray[np.uint8],
    inside: NDArray[np.bool_],
    corner: tuple[int, int] = (0, 0),
) -> float:
    """Mean |output - source| where ``inside`` [H, W] is false, levels; 0 if nothing was touched there.

    NaN where nothing is outside.

    :param source: [h, w, 3] the part of the picture in which both may differ. :param output: likewise.
    :param corner: x and y of its first pixel.
    """
    within = inside.astype(np.uint8)
    count = within.size - cv2.countNonZero(within)
    if not count:
        return float("nan")
    if not source.size:
        return 0.0
    x, y = corner
    within = np.ascontiguousarray(within[y : y + source.shape[0], x : x + source.shape[1]])
    # A mask makes it slow, and is needed only where there is something inside: the sums are whole numbers.
    x, y, width, height = cv2.boundingRect(within)
    near = slice(y, y + height), slice(x, x + width)
    total = cv2.norm(source, output, cv2.NORM_L1)
    if width and height:
        total -= cv2.norm(source[near], output[near], cv2.NORM_L1, within[near])
    return total / (3 * count)


def steadiness(source: NDArray, output: NDArray) -> float:
    """Standard deviation over time of what an edit did to a score: of output - source, both [T], in the score's unit.

    0 is the goal: the same edit in every frame.
    """
    return float(np.std(np.asarray(output, np.float64) - np.asarray(source, np.float64)))
