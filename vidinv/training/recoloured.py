"""Skin made lighter or darker in pictures, as more or less melanin makes it: blue goes first, red last."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.axes import axes
from vidinv.faces.masks import Map
from vidinv.training import photometry
from vidinv.training.worn import levels

MELANIN = np.array([0.8, 1.0, 1.25], np.float32)  # how much more of green and blue than of red it takes away
NEAR = 2.2  # standard deviations of the cheeks' colour, at least (SPREAD), within which a place is skin
SPREAD = np.array([14.0, 5.0, 6.0], np.float32)  # L*, a*, b*
SHADES, SHINE = 2.2, 6.0  # skin may be so many times further off in L* than in hue: shades are skin, and spots of light


def recolour(picture: NDArray[np.uint8], where: Map, gain: float) -> NDArray[np.uint8]:
    """Lighter (``gain`` above 1) or darker. :param picture: [S, S, 3] RGB. :param where: [S, S] 0..1.

    :param gain: of what green light is left, in linear light."""
    linear = (picture.astype(np.float32) / 255) ** 2.2
    factor = np.float32(gain) ** MELANIN
    # What lightens must not clip: the lighter a place is, the less is left to gain.
    changed = linear * factor / (1 + linear * np.maximum(factor - 1, 0))
    mixed = linear + where[..., None] * (changed - linear)
    return levels(255 * mixed ** (1 / 2.2))


def skin_at(picture: NDArray[np.uint8], points: NDArray) -> Map:
    """Where skin is, [S, S] 0..1: of the cheeks' colour, but for eyes and what is between the lips."""
    side, unit = len(picture), axes(points).unit
    cheeks = photometry.cheeks(points[None], side)[0]
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab = cv2.GaussianBlur(lab, (0, 0), 0.03 * unit)
    own = lab[cheeks]
    middle, spread = np.median(own, 0), np.maximum(own.std(0), SPREAD)
    off = (lab - middle) / spread
    off[..., 0] /= np.where(off[..., 0] < 0, SHADES, SHINE)
    like = np.clip((NEAR - np.sqrt(np.square(off).sum(2))) / 0.9 + 0.5, 0, 1)
    spared = np.maximum.reduce([_filled(part, side) for part in (points[36:42], points[42:48], points[60:68])])
    lips = _filled(points[48:60], side)
    brows = points[[*range(17, 27)]]
    face, head = (
        _filled(np.concatenate([points[:17], brows + up * (points[27] - points[8])]), side) for up in (0.0, 0.8)
    )
    inside = cv2.GaussianBlur(face, (0, 0), 0.08 * unit)
    about = cv2.GaussianBlur(head, (0, 0), 0.4 * unit)
    # Within the face what is unlike is a shade or a spot of light; ears, neck and forehead are near it.
    like = np.maximum(like * np.clip(2 * about, 0, 1), inside)
    like = like * (1 - 0.45 * lips) * (1 - spared)
    return np.asarray(cv2.GaussianBlur(like.astype(np.float32), (0, 0), 0.045 * unit), np.float32)


def _filled(points: NDArray, side: int) -> Map:
    """1 inside the convex hull."""
    mask = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), 1)
    return mask.astype(np.float32)
