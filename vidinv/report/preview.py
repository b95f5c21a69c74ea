"""One frame, step by step, as a picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.report.notebook import png
from vidinv.shapes import told

Picture = NDArray[np.uint8]  # [H, W, 3] RGB


@dataclass(frozen=True)
class Preview:
    """One frame, step by step. All pictures are RGB uint8; the first three are crops of the largest edited face."""

    source: Picture  # [S, S, 3]
    inversion: Picture  # [S, S, 3] G(w, F)
    edit: Picture  # [S, S, 3] G(w~, F~)
    frame: Picture  # [H, W, 3] the composited frame
    person: int

    __repr__ = told

    def sheet(self) -> Picture:
        """All four side by side, as high as the frame (at most 720 pixels)."""
        height = min(self.frame.shape[0], 720)
        width = round(self.frame.shape[1] * height / self.frame.shape[0])
        crops = (self.source, self.inversion, self.edit)
        enlarged = [cv2.resize(c, (height, height), interpolation=cv2.INTER_CUBIC) for c in crops]
        frame = cv2.resize(self.frame, (width, height), interpolation=cv2.INTER_AREA)
        return np.concatenate([*enlarged, frame], 1).astype(np.uint8)

    def _repr_png_(self) -> bytes:
        """The sheet, in a notebook."""
        return png(self.sheet())
