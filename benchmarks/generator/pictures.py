"""Real faces as the pack's generator sees them: out of a folder of pictures, or of prepared shards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.errors import InputError
from vidinv.faces.quads import Template, quad_from_points
from vidinv.faces.warps import crop
from vidinv.models.face_detector import FaceDetector
from vidinv.training.shards import read_crops, read_labels, rows_present

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
SURE = 0.9  # detector's probability below which a picture is passed over


def from_folder(folder: Path, template: Template, size: int, count: int) -> NDArray[np.uint8]:
    """The largest face of each picture under a folder, [N, size, size, 3], N at most ``count``.

    :raises InputError: no face in any picture.
    """
    detector, found = FaceDetector(40), []
    for picture in _pictures(folder):
        pad = max(picture.shape) // 4  # the crop reaches beyond a tight portrait
        padded = np.asarray(cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_REFLECT_101), np.uint8)
        seen = detector(padded)
        if len(seen) and seen.scores[0] >= SURE:
            found.append(crop(padded, quad_from_points(seen.points[0], template), size))
        if len(found) == count:
            break
    if not found:
        raise InputError(f"{folder} holds no picture with a face ({', '.join(SUFFIXES)}); give a folder of portraits")
    return np.stack(found)


def from_shards(folder: Path, size: int, count: int, seed: int) -> NDArray[np.uint8]:
    """Prepared faces, drawn by seed: of those kept for validation, where the table says which they are."""
    rows, labels = rows_present(folder), read_labels(folder)
    kept = rows[labels["val"][rows]] if "val" in labels else rows
    drawn = np.sort(np.random.default_rng(seed).permutation(kept)[:count])
    pictures = read_crops(folder, drawn)
    if pictures.shape[1] == size:
        return pictures
    return np.stack([cv2.resize(p, (size, size), interpolation=cv2.INTER_AREA) for p in pictures])


def _pictures(folder: Path) -> Iterator[NDArray[np.uint8]]:
    """RGB, in the order of their names; what cannot be read is passed over."""
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is not None:
            yield np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
