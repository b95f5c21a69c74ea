"""How many colours a face has, so that grey footage stays grey and footage of one tint gets no other."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.masks import oval

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of RGB, Rec. 601
CELLS = 16  # a side: what compression does to chroma averages out over them
KNOTS = 9  # of the line that a tint follows from dark to light: sepia is no straight one
CONTRAST = 50.0  # levels; of a picture of less, colours are weaker too, and count for more
CHROMA = np.array([0.564, 0.713], np.float32)  # of B - Y and R - Y: Cb and Cr
FAINT, CLEAR = 1.5, 2.1  # levels beside the tint: below the one is grey or sepia footage, as compressed; above, colour


def beside_tint(picture: NDArray[np.uint8]) -> tuple[float, float]:
    """How much colour a picture has that does not follow from how light a place is.

    In grey and in toned footage every place has the one tint of its luma. What differs from the best such tint is
    colour: lips, eyes, hair beside skin.

    :param picture: [S, S, 3] RGB.
    :return: RMS chroma (Cb, Cr) beside the tint, levels at full contrast; and how much that tells, 0..1: in a picture
        without contrast little.
    """
    cells = np.asarray(cv2.resize(picture, (CELLS, CELLS), interpolation=cv2.INTER_AREA), np.float32).reshape(-1, 3)
    # Where a channel is cut off, its tint is bent.
    red, green, blue = cv2.split(picture)
    lightest = cv2.max(cv2.max(red, green), blue)
    kept = cv2.resize(cv2.inRange(lightest, 3, 251), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    whole = kept.ravel() > 250
    if whole.sum() < CELLS * CELLS / 8:
        whole[:] = True
    contrast = min(float((cells @ LUMA).std()), CONTRAST)
    cells = cells[whole]
    luma = cells @ LUMA
    chroma = (cells[:, [2, 0]] - luma[:, None]) * CHROMA
    knots = _knots(luma)
    beside = chroma - knots @ np.linalg.lstsq(knots, chroma, rcond=1e-6)[0]
    levels = float(np.sqrt(np.square(beside).sum(1).mean())) * CONTRAST / max(contrast, 1.0)
    return min(levels, 2 * CLEAR), contrast / CONTRAST


def colour_share(levels: float) -> float:
    """0..1, how much of a change's own colours footage takes, from its mean of :func:`beside_tint`; 1 from CLEAR on."""
    rise = min(max((levels - FAINT) / (CLEAR - FAINT), 0.0), 1.0)
    return rise * rise * (3 - 2 * rise)


def tinted(picture: NDArray, share: float, tint: NDArray | None = None) -> NDArray[np.float32]:
    """A picture with the luma that it has, and of its chroma only a share; the rest is that of another.

    :param picture: [S, S, 3] RGB levels, also of differences. :param share: 0..1; at 1 the picture as it is.
    :param tint: [S, S, 3] RGB levels of the other; None: grey.
    """
    if share >= 1:
        return picture
    luma = _luma(picture)
    mixed = luma + share * (picture - luma)
    if isinstance(tint, np.ndarray):
        mixed = mixed + (1 - share) * (tint - _luma(tint))
    return np.asarray(mixed, np.float32)


def core(size: int) -> NDArray[np.bool_]:
    """The middle of a crop, brows to mouth, in which there is hardly anything but the face: [size, size]."""
    return oval(size, 0.72, 0.1) > 0.5


def _knots(luma: NDArray) -> NDArray[np.float32]:
    """How much each knot counts for each luma [*]: [*, KNOTS], hats that add up to 1."""
    step = 255 / (KNOTS - 1)
    places = np.clip(luma, 0, 255)[..., None] - step * np.arange(KNOTS, dtype=np.float32)
    return np.asarray(np.maximum(0, 1 - np.abs(places) / step), np.float32)


def _luma(picture: NDArray) -> NDArray[np.float32]:
    """[S, S, 1] levels."""
    return np.asarray(picture @ LUMA, np.float32)[..., None]
