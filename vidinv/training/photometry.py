"""Colours of a crop's parts: skin, hair, and the light that both are seen in.

The crop is tight: of the hair it shows what lies about the temples and, of many faces, none. So hair is looked for
where a head must be and a face need not, above the brows, and is what differs there from the skin of the cheeks. Hair
of the skin's own colour is not seen.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.masks import oval

UNLIKE = 16.0  # distance of hair from skin in CIE L*a*b*, its lightness counted by LIGHT: wrinkles and shades lie below
LIGHT = 0.7
LEAST_HAIR = 0.12  # share of the head above the brows that must be hair
LEAST_CHROMA = 4.0  # of skin in a picture that has colours


def measured(pictures: NDArray[np.uint8], points68: NDArray) -> dict[str, NDArray]:
    """Columns of labels that are read in the crops [N, S, S, 3] themselves, with landmarks [N, 68, 2].

    ``colour`` [N, 12], see :func:`colours`; ``hair`` [N], lightness L* of the hair, 0..100, NaN where none is seen;
    ``tone`` [N], of the skin in degrees of ITA, NaN in pictures without colours; ``white`` [N], see :func:`eye_whites`.
    """
    return {
        "colour": colours(pictures),
        "white": eye_whites(pictures, points68),
        "hair": lightness(pictures, hair(pictures, points68)),
        "tone": tone(pictures, cheeks(points68, pictures.shape[1])),
    }


def colours(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean RGB and spread of the middle and of the surroundings of every crop [N, S, S, 3], as [N, 12].

    Held fixed, they keep the light, the film and the make of a data set out of an edit, which then tints nobody.
    """
    middle = (oval(pictures.shape[1]) > 0.5).astype(np.uint8)
    found = [[*cv2.meanStdDev(p, mask=middle), *cv2.meanStdDev(p, mask=1 - middle)] for p in pictures]
    return np.array(found, np.float32).reshape(len(pictures), 12)


def cheeks(points68: NDArray, size: int) -> NDArray[np.bool_]:
    """Discs between nose and jaw, below glasses and above beards, [N, size, size]."""
    y, x = np.ogrid[:size, :size]
    found = np.zeros((len(points68), size, size), bool)
    for mask, p in zip(found, points68, strict=True):
        apart = np.linalg.norm(p[42:48].mean(0) - p[36:42].mean(0))
        for jaw, nose in ((2, 31), (14, 35)):
            # The far cheek of a turned head is narrow.
            radius = max(min(0.15 * apart, 0.3 * abs(p[jaw, 0] - p[nose, 0])), 1)
            centre = (p[jaw] + p[nose]) / 2
            mask |= (x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= radius**2
    return found


def hair(pictures: NDArray, points68: NDArray) -> NDArray[np.bool_]:
    """Pixels of hair, [N, S, S]; none of a face whose share of them is below LEAST_HAIR."""
    size = pictures.shape[1]
    y, x = np.ogrid[:size, :size]
    found = np.zeros(pictures.shape[:3], bool)
    for mask, picture, p, cheek in zip(found, pictures, points68, cheeks(points68, size), strict=True):
        if not cheek.any():
            continue
        eyes = p[36:48].mean(0)
        centre, half = (p[0, 0] + p[16, 0]) / 2, max((p[16, 0] - p[0, 0]) / 2, 1)
        skull = ((x - centre) / (1.02 * half)) ** 2 + ((y - eyes[1]) / (1.5 * half)) ** 2 < 1
        above = skull & (y < p[17:27, 1].min() - 0.12 * np.linalg.norm(p[42:48].mean(0) - p[36:42].mean(0)))
        lab = _lab(picture[above])
        unlike = np.linalg.norm((lab - np.median(_lab(picture[cheek]), 0)) * (LIGHT, 1, 1), axis=1) > UNLIKE
        if unlike.sum() > LEAST_HAIR * len(unlike):
            mask[above] = unlike
    return found


def eye_whites(pictures: NDArray, points68: NDArray) -> NDArray[np.float64]:
    """L* of the lightest tenth of what lies between the lids, [N], 0..100.

    The white of an eye is nearly the same in everybody, so it tells of the light that a face is seen in; it is dark
    behind sunglasses.
    """
    found = np.zeros(len(pictures))
    for row, (picture, p) in enumerate(zip(pictures, points68, strict=True)):
        mask = np.zeros(picture.shape[:2], np.uint8)
        for eye in (p[36:42], p[42:48]):
            cv2.fillConvexPoly(mask, np.round(eye).astype(np.int32), 1)
        if mask.any():
            found[row] = np.quantile(_lab(picture[mask > 0])[:, 0], 0.9)
    return found


def lightness(pictures: NDArray, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Median L* of the pixels ``where`` [N, S, S] of pictures [N, S, S, 3] in 0..255, [N], 0..100; NaN: no pixels."""
    return _middle(pictures, where)[:, 0]


def tone(pictures: NDArray, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Individual typology angle of the skin ``where``, degrees: atan((L* - 50) / b*) (Chardon et al. 1991).

    Above 55 very light, below -30 dark. NaN where there are no pixels or they have no colour.
    """
    lab = _middle(pictures, where)
    angle = np.degrees(np.arctan2(lab[:, 0] - 50, lab[:, 2]))
    return np.where(lab[:, 2] > LEAST_CHROMA, angle, np.nan)


def _middle(pictures: NDArray, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """L*, a*, b* of the median colour, [N, 3]."""
    found = np.full((len(pictures), 3), np.nan)
    for row, (picture, mask) in enumerate(zip(pictures, where, strict=True)):
        if mask.any():
            found[row] = _lab(np.median(picture[mask], 0)[None])[0]
    return found


def _lab(rgb: NDArray) -> NDArray[np.float32]:
    """CIE L*a*b* (D65) of sRGB levels [N, 3] in 0..255."""
    return cv2.cvtColor((np.asarray(rgb, np.float32) / 255)[None], cv2.COLOR_RGB2LAB)[0] if len(rgb) else rgb
