"""Does it flicker? Figures over neighbouring frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.motion import MEDIUM, fetch, optical_flow


def visible(forward: NDArray, backward: NDArray) -> NDArray[np.bool_]:
    """Pixels of the later picture that the earlier one shows too: forward and backward flow cancel.

    The threshold is that of Sundaram et al. 2010: 0.01 (|u|^2 + |v|^2) + 0.5.
    """
    x, y = cv2.split(backward)
    back_x, back_y = cv2.split(fetch(forward, backward))
    lengths = back_x * back_x + back_y * back_y + (x * x + y * y)
    back_x += x
    back_y += y
    return back_x * back_x + back_y * back_y < 0.01 * lengths + 0.5


def warping_error(
    source: tuple[NDArray, NDArray], output: tuple[NDArray, NDArray], region: NDArray | None = None
) -> tuple[float, float]:
    """E_warp (Lai et al. 2018) of the source and of the output between two neighbouring frames.

    Flow and occlusion come from the source alone; each video's earlier picture is moved along it and compared with
    its later one where both show the same thing.

    :param source: earlier and later picture, [H, W, 3] uint8. :param output: likewise.
    :param region: [H, W] bool; None: everywhere.
    :return: mean squared differences on a scale of 0..1; NaN where nothing is visible.
    """
    seen = correspondence(*source)
    return moved_difference(*source, seen, region), moved_difference(*output, seen, region)


@dataclass(frozen=True)
class Correspondence:
    """Where each pixel of a later picture was in the earlier one."""

    backward: NDArray[np.float32]  # [H, W, 2] pixels (dx, dy), from later to earlier
    visible: NDArray[np.bool_]  # [H, W] the earlier one shows it too


def correspondence(before: NDArray, after: NDArray) -> Correspondence:
    """By optical flow both ways between two pictures [H, W, 3] uint8."""
    backward = optical_flow(after, before, MEDIUM)
    return Correspondence(backward, visible(optical_flow(before, after, MEDIUM), backward))


def moved_difference(
    before: NDArray, after: NDArray, where: Correspondence, region: NDArray[np.bool_] | None = None
) -> float:
    """Mean squared difference, on a scale of 0..1, of ``after`` and ``before`` moved onto it, where that is visible.

    :param region: [H, W] bool; None: everywhere. :return: NaN where nothing is visible.
    """
    total, count = moved_squares(before, after, where, (region,))[0]
    return total / count if count else float("nan")


def moved_squares(
    before: NDArray, after: NDArray, where: Correspondence, regions: Sequence[NDArray[np.bool_] | None]
) -> list[tuple[float, int]]:
    """What :func:`moved_difference` is the mean of, in several regions: the sum of squares, and of how many numbers."""
    moved, found = fetch(before, where.backward), []
    for region in regions:
        seen = (where.visible if region is None else where.visible & region).astype(np.uint8)
        count = 3 * cv2.countNonZero(seen)
        found.append((cv2.norm(moved, after, cv2.NORM_L2SQR, seen) / 255**2 if count else 0.0, count))
    return found
