"""Pictures of two kinds, as crops of the toy pack."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def write_kinds(folder: Path, count: int = 24) -> Path:
    """``folder``/light and ``folder``/dark: noise whose left half is bright, or dark."""
    random = np.random.default_rng(0)
    for name, level in (("light", 70.0), ("dark", 0.0)):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            small = random.integers(30, 170, (8, 8, 3)).astype(np.float32)
            small[:, :4] += level
            large = cv2.resize(small.astype(np.uint8), (64, 64), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(folder / name / f"{name}-{i:02d}.png"), large)
    return folder
