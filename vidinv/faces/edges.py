"""Edges of what is put on a face, at the frame's own size: drawn at the crop's, they are soft in a larger face.

A frame of glasses ends somewhere, and what the generator draws of it fades out over two pixels of the crop, which are
six of a close-up. Unsharp masking makes such an edge steeper, and rings; held between the least and the most that the
change is nearby (which Kramer and Bruckner 1975 take instead of it), it cannot ring.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SOFT, NEAR = 1.4, 1.3  # pixels of the crop: sigma of the softness that is taken away, and how far is nearby


def steepened(change: NDArray[np.float32], amount: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """A change with steeper edges.

    :param change: [h, w, 3] levels, what is added to the frame.
    :param amount: [h, w] how much of what a blur would take is added; 0 leaves the change as it is.
    :param scale: pixels of the frame to one of the crop's; at 1 and below there is nothing to make up for.
    :return: [h, w, 3], nowhere beyond what the change is nearby.
    """
    x0, y0, wide, high = cv2.boundingRect((amount > 0).astype(np.uint8))
    if scale <= 1 or wide == 0:
        return change
    made, part = change.copy(), (slice(y0, y0 + high), slice(x0, x0 + wide))
    soft = np.ascontiguousarray(change[part])
    fine = soft - cv2.GaussianBlur(soft, (0, 0), SOFT * scale)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(NEAR * scale) + 1,) * 2)
    made[part] = np.clip(soft + amount[part][..., None] * fine, cv2.erode(soft, disc), cv2.dilate(soft, disc))
    return made
