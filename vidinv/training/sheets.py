"""Contact sheets: pictures side by side in one PNG, to be looked at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def write_sheet(path: Path, rows: list[Tensor]) -> None:
    """:param rows: each [N, 3, S, S] in -1..1; one row of N pictures each, top to bottom."""
    pictures = [r.detach().float().cpu().clamp(-1, 1).permute(2, 0, 3, 1).reshape(r.shape[2], -1, 3) for r in rows]
    sheet = ((np.concatenate([p.numpy() for p in pictures]) + 1) * 127.5).round().astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), sheet[..., ::-1])


def write_maps(path: Path, pictures: NDArray[np.uint8], *maps: NDArray[np.float32]) -> None:
    """A column per picture, its maps below it.

    :param pictures: [N, S, S, 3] RGB. :param maps: each [N, h, h] 0..1.
    """
    size = pictures.shape[1]
    rows = [np.concatenate(list(pictures), 1)]
    for each in maps:
        tiles = [cv2.resize(m, (size, size), interpolation=cv2.INTER_NEAREST) for m in each]
        rows.append(np.repeat((np.concatenate(tiles, 1) * 255).astype(np.uint8)[..., None], 3, 2))
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1])


def write_points(path: Path, pictures: NDArray[np.uint8], teacher: NDArray, student: NDArray, zoom: int = 3) -> None:
    """Eight faces a row, the teacher's points green, the student's red.

    :param pictures: [N, S, S, 3] RGB. :param teacher: [N, P, 2] pixels. :param student: likewise.
    """
    tiles = []
    for picture, *sets in zip(pictures, teacher, student, strict=True):
        tile = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR)
        for points, colour in zip(sets, ((0, 220, 0), (255, 40, 40)), strict=True):
            for x, y in (points + 0.5) * zoom - 0.5:
                cv2.circle(tile, (round(float(x)), round(float(y))), 2, colour, -1, cv2.LINE_AA)
        tiles.append(tile)
    across = min(8, len(tiles))
    rows = [np.concatenate(tiles[i : i + across], 1) for i in range(0, len(tiles) // across * across, across)]
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1])
