"""MTCNN's three networks (Zhang et al. 2016) one after the other: what facenet-pytorch's own cascade finds, to the bit.

Each network sees parts of the picture, or all of it, averaged down to a size of its own. There are some ten sizes of
the whole and dozens of parts, and averaging took more time than any of the networks. Here every average is four numbers
of one table of sums (Crow 1984). The sums are whole numbers, so that nothing is rounded but the average.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.models.cascade_networks import Cascade

Sums = NDArray[np.int32]  # [H + 1, W + 1, 3], of all pixels above and to the left
SECOND, LAST = 24, 48  # sides of the pictures that the second and the third network see, pixels
CELL, STRIDE = 12, 2  # of the picture that the first network sees around a place, and from place to place


def search(cascade: Cascade, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes with their scores [N, 5], and points [N, 5, 2], of all faces in [H, W, 3] RGB."""
    nobody = np.zeros((0, 5), np.float32), np.zeros((0, 5, 2), np.float32)
    sums = np.asarray(cv2.integral(np.ascontiguousarray(image), sdepth=cv2.CV_32S), np.int32)
    with torch.no_grad():
        boxes, seen = _parts(sums, _proposed(cascade, sums), SECOND, cascade.device)
        if seen is None:
            return nobody
        offsets, odds = cascade.second(seen)
        sure = odds[:, 1] > cascade.thresholds[1]
        boxes, offsets = torch.cat([boxes[sure, :4], odds[sure, 1:]], 1), offsets[sure]
        best = _apart(boxes, 0.7)
        boxes, seen = _parts(sums, _square(_moved(boxes[best], offsets[best])), LAST, cascade.device)
        if seen is None:
            return nobody
        offsets, places, odds = cascade.last(seen)
        sure = odds[:, 1] > cascade.thresholds[2]
        boxes, offsets = torch.cat([boxes[sure, :4], odds[sure, 1:]], 1), offsets[sure]
        points = _points(boxes, places[sure])
        boxes = _moved(boxes, offsets)
        best = _apart(boxes, 0.7, of_smaller=True)
        return boxes[best].cpu().numpy(), points[best].cpu().numpy()


def _proposed(cascade: Cascade, sums: Sums) -> Tensor:
    """[N, 5] squares that the first network proposes, in pixels, with their scores."""
    height, width = (side - 1 for side in sums.shape[:2])
    found, scale = list[Tensor](), CELL / cascade.min_face
    shorter = min(height, width) * scale
    while shorter >= CELL:
        size = int(height * scale + 1), int(width * scale + 1)
        whole = np.array([[0, 0, height, width]])
        offsets, odds = cascade.first(_seen(averaged(sums, whole, size), cascade.device))
        boxes = _places(offsets[0], odds[0, 1], scale, cascade.thresholds[0])
        found.append(boxes[_apart(boxes, 0.5)])
        scale, shorter = scale * cascade.factor, shorter * cascade.factor
    boxes = torch.cat(found)
    boxes = boxes[_apart(boxes, 0.7)]
    sides = boxes[:, 2:4] - boxes[:, :2]
    moved = [boxes[:, i] + boxes[:, i + 5] * sides[:, i % 2] for i in range(4)]
    return _square(torch.stack([*moved, boxes[:, 4]], 1))


def _places(offsets: Tensor, odds: Tensor, scale: float, least: float) -> Tensor:
    """[N, 9] where the first network is sure enough: what it sees there in pixels, its odds, and its offsets.

    :param offsets: [4, h, w]. :param odds: [h, w].
    """
    sure = odds >= least
    corner = STRIDE * sure.nonzero().to(offsets.dtype).flip(1) + 1
    first, end = (corner / scale).floor(), ((corner - 1 + CELL) / scale).floor()
    return torch.cat([first, end, odds[sure][:, None], offsets[:, sure].T], 1)


def _moved(boxes: Tensor, offsets: Tensor) -> Tensor:
    """Boxes whose edges are where a network says. :param offsets: [N, 4] in sides."""
    sides = boxes[:, 2:4] - boxes[:, :2] + 1
    return torch.cat([boxes[:, :4] + offsets * sides.repeat(1, 2), boxes[:, 4:]], 1)


def _square(boxes: Tensor) -> Tensor:
    """The same about their middles, as wide as high."""
    sides = boxes[:, 2:4] - boxes[:, :2]
    side = sides.amax(1, keepdim=True)
    first = boxes[:, :2] + sides * 0.5 - side * 0.5
    return torch.cat([first, first + side, boxes[:, 4:]], 1)


def _parts(sums: Sums, boxes: Tensor, side: int, device: torch.device) -> tuple[Tensor, Tensor | None]:
    """Those boxes that lie in the picture, and what a network sees there; None where none does."""
    height, width = (length - 1 for length in sums.shape[:2])
    x0, y0, x1, y1 = boxes[:, :4].trunc().int().cpu().numpy().T  # counted from 1, the last one included
    places = np.stack([np.maximum(y0, 1) - 1, np.maximum(x0, 1) - 1, np.minimum(y1, height), np.minimum(x1, width)], 1)
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


def _apart(boxes: Tensor, most: float, *, of_smaller: bool = False) -> Tensor:
    """Indices of the likeliest boxes, of which no two share more than ``most`` of their area.

    :param of_smaller: of the smaller one's, and with the last pixel counted; else of what they cover together.
    """
    corners, scores = boxes[:, :4].cpu().numpy(), boxes[:, 4].cpu().numpy()
    last = np.float32(of_smaller)
    sides = corners[:, 2:] - corners[:, :2] + last
    areas, left = sides[:, 0] * sides[:, 1], np.argsort(-scores, kind="stable")
    kept = list[int]()
    while len(left):
        one, left = left[0], left[1:]
        kept.append(int(one))
        first, end = np.maximum(corners[one, :2], corners[left, :2]), np.minimum(corners[one, 2:], corners[left, 2:])
        wide = np.maximum(end - first + last, np.float32(0))
        shared = wide[:, 0] * wide[:, 1]
        whole = np.minimum(areas[one], areas[left]) if of_smaller else areas[one] + areas[left] - shared
        with np.errstate(invalid="ignore"):  # boxes without an area share none
            left = left[~(shared / whole > np.float32(most))]
    return torch.tensor(kept, dtype=torch.int64, device=boxes.device)


def _points(boxes: Tensor, places: Tensor) -> Tensor:
    """[N, 5, 2] pixels. :param places: [N, 10] fractions of the boxes, all x before all y."""
    sides = boxes[:, 2:4] - boxes[:, :2] + 1
    return torch.stack([sides[:, i, None] * places[:, 5 * i : 5 * i + 5] + boxes[:, i, None] - 1 for i in (0, 1)], 2)
