"""Put the change back into the frame: the frame keeps its own pixels and receives only what the edit changed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.edges import steepened
from vidinv.faces.motion import FAST, MEDIUM, fetch, optical_flow
from vidinv.faces.quads import quad_to_affine
from vidinv.faces.warps import bounds, needed, uncrop
from vidinv.types import Box, Change, Frame, inside


def change_between(before: NDArray, after: NDArray, moves: bool = True) -> Change:
    """What an edit did: the motion between the two pictures, and what that motion does not explain.

    Inversion error cannot reach the frame through it: what both pictures share cancels.

    :param before: [S, S, 3] 0..255, G(w, F). :param after: likewise, G(w~, F~).
    :param moves: does the edit move parts of the face? Where it puts something on, a flow takes it for what was there
        already, as a frame for a brow that came down, and would carry that along.
    """
    if not moves:
        return Change(np.zeros((*before.shape[:2], 2), np.float32), np.asarray(after - before, np.float32))
    after_levels, before_levels = (np.clip(p, 0, 255).astype(np.uint8) for p in (after, before))
    # The coarser flow sees a quarter of the side: of a small picture too little of a mouth, of a large one enough.
    preset = MEDIUM if len(before) <= 256 else FAST
    flow = optical_flow(after_levels, before_levels, preset)
    motion = np.asarray(cv2.GaussianBlur(flow, (0, 0), before.shape[0] / 64), np.float32)
    return Change(motion, after - fetch(before, motion))


def changed_picture(before: NDArray, change: Change) -> NDArray[np.float32]:
    """``before`` with a change applied, [S, S, 3] 0..255: the inverse of :func:`change_between`."""
    return np.clip(fetch(before, change.motion) + change.residual, 0, 255)


def followed(first: Change, then: Change) -> Change:
    """Two changes, one after the other, as one; its colour is the first one's.

    q(p) = first(p + then.motion(p)) + then.residual(p).
    """
    motion = then.motion + fetch(first.motion, then.motion)
    return Change(motion, then.residual + fetch(first.residual, then.motion), first.colour)


@dataclass(frozen=True)
class Place:
    """A part of a frame's picture that is known."""

    region: NDArray[np.uint8]  # [h, w, 3]
    corner: tuple[int, int]  # x and y of its first pixel in the frame
    shape: tuple[int, ...]  # of the frame, [H, W, ...]

    def own(self, box: Box) -> NDArray[np.uint8]:
        """The pixels of a rectangle of the frame, which lies within it."""
        (x, y), (x0, y0, x1, y1) = self.corner, box
        return inside(self.region, (x0 - x, y0 - y, x1 - x, y1 - y))


def place(frame: Frame, quad: NDArray, change: Change, mask: NDArray) -> Place:
    """What has to be known of a frame for a change in it, and for looking at its crop afterwards."""
    shape, size = frame.image.shape, mask.shape[0]
    if frame.coded is None:
        return Place(frame.image, (0, 0), shape)
    far = np.sqrt(np.square(change.motion).sum(2).max(initial=0)) * np.linalg.norm(_to_frame(quad, size), 2)
    reach = math.ceil(float(far)) + 3
    boxes = np.array([bounds(quad, shape), needed(quad, size, shape)])
    x0, y0 = (max(int(low) - reach, 0) for low in boxes[:, :2].min(0))
    x1, y1 = (min(int(high) + reach, n) for high, n in zip(boxes[:, 2:].max(0), (shape[1], shape[0]), strict=True))
    return Place(frame.part((x0, y0, x1, y1)), (x0, y0), shape)


def _to_frame(quad: NDArray, size: int) -> NDArray[np.float64]:
    """[2, 2] steps in the crop to steps in the frame."""
    return np.asarray(np.linalg.inv(quad_to_affine(quad, size)[:, :2]), np.float64)


def add_change(
    frame: NDArray | Place, quad: NDArray, change: Change, mask: NDArray, edges: NDArray | None = None
) -> tuple[Box, NDArray[np.uint8]]:
    """Detail compositing: the frame's own pixels, moved where the edit moves the face, plus mask * unwarp(residual).

    Without a motion that is frame + mask * unwarp(G(w~, F~) - G(w, F)). Moving the frame's pixels at full resolution
    keeps the old mouth from shining through the new one.

    :param frame: [H, W, 3] uint8, or what is known of it. :param quad: [4, 2] pixels. :param mask: [S, S] 0..1.
    :param edges: [S, S] how much steeper what is added is made, see :mod:`vidinv.faces.edges`; None: nowhere.
    :return: the rectangle and its new pixels.
    """
    known = _known(frame)
    box = bounds(quad, known.shape)
    own, motion = known.own(box), change.motion * mask[..., None]
    if np.abs(motion).max() >= 0.1:
        step = uncrop((motion @ _to_frame(quad, mask.shape[0]).T).astype(np.float32), quad, box)
        moved = fetch(known.region, step, box[:2], known.corner, cv2.INTER_CUBIC)  # softens less than bilinear
        # Interpolation softens; where nothing moves the frame's own pixels stay.
        still = cv2.inRange(step, (-0.25, -0.25), (0.25, 0.25))
        own = np.asarray(cv2.copyTo(own, still, moved), np.uint8)
    residual = uncrop(change.residual * mask[..., None], quad, box)
    if edges is not None:
        to_crop = quad_to_affine(quad, mask.shape[0])[:, :2]
        residual = steepened(residual, uncrop(edges, quad, box), abs(float(np.linalg.det(to_crop))) ** -0.5)
    # Rounds to the nearest level and stays within 0..255.
    return box, np.asarray(cv2.add(own, residual, dtype=cv2.CV_8U), np.uint8)


def _known(frame: NDArray | Place) -> Place:
    return frame if isinstance(frame, Place) else Place(frame, (0, 0), frame.shape)


def replace_crop(frame: NDArray | Place, quad: NDArray, after: NDArray, mask: NDArray) -> tuple[Box, NDArray[np.uint8]]:
    """Paste the generated crop: frame * (1 - mask) + unwarp(after) * mask."""
    known = _known(frame)
    box = bounds(quad, known.shape)
    alpha = uncrop(np.ascontiguousarray(mask), quad, box)[..., None]
    pasted = uncrop(after * mask[..., None], quad, box)
    own = known.own(box)
    return box, np.asarray(cv2.add(own, pasted - own * alpha, dtype=cv2.CV_8U), np.uint8)
