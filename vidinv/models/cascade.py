"""MTCNN's three networks (Zhang et al. 2016) one after the other: what facenet-pytorch's own cascade finds, to the bit.

Each network sees parts of the picture, or all of it, averaged down to a size of its own. There are some ten sizes of
the whole and dozens of parts, and averaging took more time than any of the networks. Here every average is four numbers
of one table of sums (Crow 1984). The sums are whole numbers, so that nothing is rounded but the average.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN
from facenet_pytorch.models.utils.detect_face import batched_nms_numpy, bbreg, generateBoundingBox, pad, rerec
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import batched_nms

Sums = NDArray[np.int32]  # [H + 1, W + 1, 3], of all pixels above and to the left
SECOND, LAST = 24, 48  # sides of the pictures that the second and the third network see, pixels
CELL = 12  # of the picture that the first network sees around a place


def search(mtcnn: MTCNN, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes with their scores [N, 5], and points [N, 5, 2], of all faces in [H, W, 3] RGB."""
    nobody = np.zeros((0, 5), np.float32), np.zeros((0, 5, 2), np.float32)
    sums = np.asarray(cv2.integral(np.ascontiguousarray(image), sdepth=cv2.CV_32S), np.int32)
    with torch.no_grad():
        boxes, seen = _parts(sums, _proposed(mtcnn, sums), SECOND, mtcnn.device)
        if seen is None:
            return nobody
        offsets, odds = mtcnn.rnet(seen)
        sure = odds[:, 1] > mtcnn.thresholds[1]
        boxes, offsets = torch.cat([boxes[sure, :4], odds[sure, 1:]], 1), offsets[sure]
        best = _apart(boxes, 0.7)
        boxes, seen = _parts(sums, rerec(bbreg(boxes[best], offsets[best])), LAST, mtcnn.device)
        if seen is None:
            return nobody
        offsets, places, odds = mtcnn.onet(seen)
        sure = odds[:, 1] > mtcnn.thresholds[2]
        boxes, offsets = torch.cat([boxes[sure, :4], odds[sure, 1:]], 1), offsets[sure]
        points = _points(boxes, places[sure])
        boxes = bbreg(boxes, offsets)
        best = batched_nms_numpy(boxes[:, :4], boxes[:, 4], _one_picture(boxes), 0.7, "Min")
        return boxes[best].cpu().numpy(), points[best].cpu().numpy()


def _proposed(mtcnn: MTCNN, sums: Sums) -> Tensor:
    """[N, 9] squares that the first network proposes, in pixels, with their scores."""
    height, width = (side - 1 for side in sums.shape[:2])
    found, scale = list[Tensor](), CELL / mtcnn.min_face_size
    shorter = min(height, width) * scale
    while shorter >= CELL:
        size = int(height * scale + 1), int(width * scale + 1)
        whole = np.array([[0, 0, height, width]])
        offsets, odds = mtcnn.pnet(_seen(averaged(sums, whole, size), mtcnn.device))
        boxes, _ = generateBoundingBox(offsets, odds[:, 1], scale, mtcnn.thresholds[0])
        found.append(boxes[_apart(boxes, 0.5)])
        scale, shorter = scale * mtcnn.factor, shorter * mtcnn.factor
    boxes = torch.cat(found)
    boxes = boxes[_apart(boxes, 0.7)]
    sides = boxes[:, 2:4] - boxes[:, :2]
    moved = [boxes[:, i] + boxes[:, i + 5] * sides[:, i % 2] for i in range(4)]
    return rerec(torch.stack([*moved, boxes[:, 4]], 1))


def _parts(sums: Sums, boxes: Tensor, side: int, device: torch.device) -> tuple[Tensor, Tensor | None]:
    """Those boxes that lie in the picture, and what a network sees there; None where none does."""
    height, width = (length - 1 for length in sums.shape[:2])
    y0, y1, x0, x1 = pad(boxes, width, height)  # counted from 1, the last one included
    places = np.stack([y0 - 1, x0 - 1, y1, x1], 1)
    inside = (places[:, 2] > places[:, 0]) & (places[:, 3] > places[:, 1])
    if not inside.any():
        return boxes, None
    kept = boxes[torch.from_numpy(np.flatnonzero(inside)).to(boxes.device)]
    # Channels apart, as in the library: a face that is followed ends half a pixel elsewhere by the difference of a bit.
    return kept, _seen(averaged(sums, places[inside], (side, side)), device).contiguous()


def averaged(sums: Sums, boxes: NDArray[np.integer], size: tuple[int, int]) -> NDArray[np.float32]:
    """[N, h, w, 3] parts of a picture as interpolation by areas makes them.

    :param boxes: [N, 4] y0, x0, y1, x1, whole pixels. :param size: h and w; of smaller parts pixels are repeated.
    """
    ends = []
    for axis in (0, 1):
        first, length = boxes[:, axis, None].astype(np.int64), (boxes[:, axis + 2] - boxes[:, axis])[:, None]
        at = np.arange(size[axis])
        ends.append((first + at * length // size[axis], first - (-(at + 1) * length // size[axis])))
    (top, bottom), (left, right) = ends
    found = np.empty((len(boxes), *size, 3), np.float32)
    for i, (y0, y1, x0, x1) in enumerate(zip(top, bottom, left, right, strict=True)):
        columns = slice(x0[0], x1[-1] + 1)
        rows = sums[y1, columns] - sums[y0, columns]
        found[i] = rows[:, x1 - x0[0]] - rows[:, x0 - x0[0]]
        found[i] /= (y1 - y0).astype(np.float32)[:, None, None]
        found[i] /= (x1 - x0).astype(np.float32)[:, None]
    return found


def _seen(pictures: NDArray[np.float32], device: torch.device) -> Tensor:
    """[N, 3, h, w], about -1..1."""
    return (torch.from_numpy(pictures).permute(0, 3, 1, 2).to(device) - 127.5) * 0.0078125


def _apart(boxes: Tensor, most: float) -> Tensor:
    """Indices of the likeliest boxes, of which no two share more than ``most`` of their area."""
    return batched_nms(boxes[:, :4], boxes[:, 4], _one_picture(boxes), most)


def _one_picture(boxes: Tensor) -> Tensor:
    return torch.zeros(len(boxes), dtype=torch.int64, device=boxes.device)


def _points(boxes: Tensor, places: Tensor) -> Tensor:
    """[N, 5, 2] pixels. :param places: [N, 10] fractions of the boxes, all x before all y."""
    sides = boxes[:, 2:4] - boxes[:, :2] + 1
    return torch.stack([sides[:, i, None] * places[:, 5 * i : 5 * i + 5] + boxes[:, i, None] - 1 for i in (0, 1)], 2)
