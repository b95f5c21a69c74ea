"""MTCNN (Zhang et al. 2016) as facenet-pytorch ships it: boxes, five points and scores.

Its weights lie in facenet-pytorch's wheel, so detection works offline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.models.cascade import search
from vidinv.models.cascade_networks import make_cascade

LAST_SIDE = 48  # of the pictures that the cascade's last network sees, pixels
LAST_SHIFT = (0.0075, 0.036)  # of their centre beyond that of the box it answers with, in sides of the longer edge


@dataclass(frozen=True)
class Detections:
    """N faces, largest box first."""

    boxes: NDArray[np.float32]  # [N, 4] x0, y0, x1, y1, pixels
    scores: NDArray[np.float32]  # [N] 0..1
    points: NDArray[np.float32]  # [N, 5, 2] left eye, right eye, nose, left mouth corner, right mouth corner, pixels

    def __len__(self) -> int:
        return len(self.boxes)


NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))


class FaceDetector:
    """One MTCNN cascade. ``min_face`` is the smallest face it looks for, in pixels of the picture it is given.

    ``pyramid_factor`` is the ratio between neighbouring scales: smaller is quicker and coarser (MTCNN's own
    value is 0.709).
    """

    def __init__(self, min_face: int, pyramid_factor: float = 0.709, device: str | torch.device = "cpu") -> None:
        self._cascade = make_cascade(min_face, pyramid_factor, device)

    @torch.no_grad()
    def __call__(self, image: NDArray[np.uint8]) -> Detections:
        """:param image: [H, W, 3] RGB, 0..255. A picture smaller than ``min_face`` holds no face."""
        if min(image.shape[:2]) < self._cascade.min_face:
            return NOTHING  # the cascade itself fails on a picture that has no scale to search
        found, points = search(self._cascade, image)
        order = np.argsort(-(found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1]), kind="stable")
        return Detections(found[order, :4], found[order, 4], points[order])

    @torch.inference_mode()
    def last(self, picture: NDArray[np.uint8]) -> Detections:
        """What the cascade's last network says of a square about a face: one box with its score, however low.

        :param picture: [48, 48, 3] RGB. :return: pixels of the picture.
        """
        x = (torch.from_numpy(picture).permute(2, 0, 1)[None].float() - 127.5) / 128
        offsets, points, odds = (part[0].cpu().numpy() for part in self._cascade.last(x.to(self._cascade.device)))
        box = (np.array([0, 0, 1, 1], np.float32) + offsets) * LAST_SIDE
        places = np.ascontiguousarray(points.reshape(2, 5).T) * LAST_SIDE
        return Detections(box[None], odds[1:], places[None].astype(np.float32))
