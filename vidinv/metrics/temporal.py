"""Does it flicker? Figures over neighbouring frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidinv.faces.motion import MEDIUM, fetch, optical_flow


def visible(forward: NDArray, backward: NDArray) -> NDArray[np.bool_]:
    """Pixels of the later picture that the earlier one shows too: forward and backward flow cancel.

    The threshold is that of Sundaram et al. 2010: 0.01 (|u|^2 + |v|^2) + 0.5.
    """
    back = fetch(forward, backward)
    error = np.square(back + backward).sum(2)
    return error < 0.01 * (np.square(back).sum(2) + np.square(backward).sum(2)) + 0.5


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
    seen = where.visible if region is None else where.visible & region
    if not seen.any():
        return float("nan")
    moved = fetch(before, where.backward).astype(np.float32)
    return float(np.square((moved - after)[seen] / 255).mean())
