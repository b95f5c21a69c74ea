"""Put the change back into the frame: the frame keeps its own pixels and receives only what the edit changed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.quads import quad_to_affine
from vidinv.faces.warps import bounds, uncrop

Box = tuple[int, int, int, int]


def add_detail(
    frame: NDArray, quad: NDArray, before: NDArray, after: NDArray, mask: NDArray
) -> tuple[Box, NDArray[np.uint8]]:
    """Detail compositing: frame + mask * unwarp(after - before).

    Inversion error cannot reach the picture: what both pictures share cancels.

    :param frame: [H, W, 3] uint8. :param quad: [4, 2] pixels.
    :param before: [S, S, 3] 0..255, G(w, F). :param after: likewise, G(w~, F~). :param mask: [S, S] 0..1.
    :return: the rectangle and its new pixels.
    """
    box = bounds(quad, frame.shape)
    x0, y0, x1, y1 = box
    change = uncrop((after - before) * mask[..., None], quad, box)
    return box, _round(frame[y0:y1, x0:x1].astype(np.float32) + change)


def move_and_add(
    frame: NDArray, quad: NDArray, before: NDArray, after: NDArray, mask: NDArray
) -> tuple[Box, NDArray[np.uint8]]:
    """Detail compositing for edits that move things (a smile): the frame's own pixels go along.

    The motion between the two pictures is estimated, the frame's pixels are moved by it at full resolution, and only
    what the motion does not explain is added. Without it the old mouth would shine through the new one.
    Parameters and result as of :func:`add_detail`.
    """
    box = bounds(quad, frame.shape)
    x0, y0, x1, y1 = box
    flow = motion(before, after) * mask[..., None]
    if np.abs(flow).max() < 0.1:
        return add_detail(frame, quad, before, after, mask)
    size = before.shape[0]
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    moved = cv2.remap(
        before, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    rest = uncrop((after - moved) * mask[..., None], quad, box)
    to_frame = np.linalg.inv(quad_to_affine(quad, size)[:, :2])
    step = uncrop((flow @ to_frame.T).astype(np.float32), quad, box)
    ys, xs = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    own = cv2.remap(frame, xs + step[..., 0], ys + step[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # Interpolation softens; where nothing moves the frame's own pixels stay.
    still = (np.abs(step).max(2) < 0.25)[..., None]
    own = np.where(still, frame[y0:y1, x0:x1], own)
    return box, _round(own.astype(np.float32) + rest)


def replace_crop(frame: NDArray, quad: NDArray, after: NDArray, mask: NDArray) -> tuple[Box, NDArray[np.uint8]]:
    """Paste the generated crop: frame * (1 - mask) + unwarp(after) * mask."""
    box = bounds(quad, frame.shape)
    x0, y0, x1, y1 = box
    alpha = uncrop(np.ascontiguousarray(mask), quad, box)[..., None]
    pasted = uncrop(after * mask[..., None], quad, box)
    own = frame[y0:y1, x0:x1].astype(np.float32)
    return box, _round(own + (pasted - own * alpha))


def motion(before: NDArray, after: NDArray) -> NDArray[np.float32]:
    """Optical flow from ``after`` back to ``before``, smoothed: [S, S, 2] pixels of the crop (dx, dy)."""
    grey = [cv2.cvtColor(np.clip(p, 0, 255).astype(np.uint8), cv2.COLOR_RGB2GRAY) for p in (after, before)]
    estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = estimator.calc(grey[0], grey[1], None)
    return cv2.GaussianBlur(flow, (0, 0), before.shape[0] / 64)


def _round(picture: NDArray) -> NDArray[np.uint8]:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
