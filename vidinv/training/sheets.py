"""Contact sheets: pictures side by side in one PNG, to be looked at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from torch import Tensor


def write_sheet(path: Path, rows: list[Tensor]) -> None:
    """:param rows: each [N, 3, S, S] in -1..1; one row of N pictures each, top to bottom."""
    pictures = [r.detach().float().cpu().clamp(-1, 1).permute(2, 0, 3, 1).reshape(r.shape[2], -1, 3) for r in rows]
    sheet = ((np.concatenate([p.numpy() for p in pictures]) + 1) * 127.5).round().astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), sheet[..., ::-1])
