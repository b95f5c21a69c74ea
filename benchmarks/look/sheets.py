"""Contact sheets at native size: pictures to be looked at beside the figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.quads import quad_side

Picture = NDArray[np.uint8]  # [H, W, 3] RGB
TILE = 288  # side of a tile, pixels: the faces that are judged fit into it at their native size
WIDER = 1.1  # side of what is shown of a frame, in sides of the face's quad
ROWS = 8  # faces on a page
CAPTION = 22  # height of the line above the tiles, pixels
GROUND = 64  # level of what no picture fills


def surroundings(frame: Picture, quad: NDArray, wider: float = WIDER) -> Picture:
    """The upright square about a face, as far as the frame goes, at native size."""
    centre, half = quad.mean(0), wider * quad_side(quad) / 2
    x0, y0 = np.maximum(np.floor(centre - half), 0).astype(int)
    x1, y1 = np.ceil(centre + half).astype(int) + 1
    return frame[y0:y1, x0:x1]


def tile(picture: Picture, side: int = TILE, *, enlarge: bool = False) -> Picture:
    """The picture in the middle of a square; averaged down where it is larger, enlarged where that is asked for."""
    scale = side / max(picture.shape[:2])
    if scale < 1 or enlarge:
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        width, height = (max(round(n * scale), 1) for n in picture.shape[1::-1])
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)
    found = np.full((side, side, 3), GROUND, np.uint8)
    y, x = ((side - n) // 2 for n in picture.shape[:2])
    found[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return found


def line(texts: Sequence[str], side: int) -> Picture:
    """Words above columns, [CAPTION, len(texts) * side, 3]."""
    found = np.full((CAPTION, len(texts) * side, 3), 255, np.uint8)
    for column, text in enumerate(texts):
        at = (column * side + 4, CAPTION - 6)
        cv2.putText(found, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return found


def write_pages(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Picture]], per_page: int = ROWS) -> None:
    """Rows of tiles under the columns' names: PATH-1.png and so on, ``per_page`` rows each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for page, first in enumerate(range(0, len(rows), per_page), 1):
        lines = [np.concatenate(list(row), 1) for row in rows[first : first + per_page]]
        write_png(
            path.with_name(f"{path.name}-{page}.png"), np.concatenate([line(columns, rows[0][0].shape[1]), *lines])
        )


def write_png(path: Path, picture: Picture) -> None:
    if not cv2.imwrite(str(path), picture[..., ::-1]):
        raise OSError(f"{path} cannot be written")
