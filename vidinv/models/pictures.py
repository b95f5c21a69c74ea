"""Pictures as networks take them, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def to_tensor(pictures: Tensor | NDArray | Sequence[NDArray], device: str | torch.device = "cpu") -> Tensor:
    """Levels to what a network takes; the move to ``device`` comes first, while a level is one byte.

    :param pictures: [B, S, S, 3] RGB, 0..255, or a sequence of such pictures.
    :return: [B, 3, S, S] float32, -1..1, channels last in memory.
    """
    if not isinstance(pictures, Tensor):
        pictures = torch.from_numpy(np.ascontiguousarray(pictures))
    return pictures.to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_levels(batch: Tensor) -> NDArray[np.float32]:
    """[B, 3, S, S] in about -1..1 to [B, S, S, 3] RGB, 0..255, clipped as a display would."""
    return ((batch.float().clamp(-1, 1) + 1) * 127.5).permute(0, 2, 3, 1).contiguous().cpu().numpy()
