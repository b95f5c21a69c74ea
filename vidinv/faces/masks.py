"""Soft masks in crop space: 1 on the face, 0 well before the crop's border."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=8)
def oval(
    size: int, reach: float = 0.97, feather: float = 0.3, content: tuple[float, float] = (1.0, 1.0)
) -> NDArray[np.float32]:
    """Rounded square that falls smoothly to 0 at ``reach`` of the half side; ``feather`` is the fall's share of it.

    :param content: share of the width and height that the shape fills, a rounded rectangle then.
    :return: [size, size], 0..1; read-only, shared.
    """
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    # A superellipse: wide enough for jaw and forehead, without the corners where the background is.
    x, y = (np.abs(axis / share) ** 3 for share in content)
    radius = (x[None, :] + y[:, None]) ** (1 / 3)
    ramp = np.clip((reach - radius) / (feather * reach), 0, 1)
    mask = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
    mask.setflags(write=False)
    return mask
